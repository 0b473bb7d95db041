"""The identity as an extractor: points are their own features, 2-D toys need no network."""

from torch import Tensor, nn

from bench.features import check_sample_shape


class Identity(nn.Module):
    """x -> (x, None), for points x [B, D] of D = `width` coordinates."""

    weight_hash, resize = "", "none"

    def __init__(self, name: str, width: int) -> None:
        super().__init__()
        self.name, self.width = name, width
        self.eval()

    def forward(self, samples: Tensor) -> tuple[Tensor, None]:
        """Points [B, D], unchanged, and no logits; UserError for other samples."""
        check_sample_shape(self.name, samples, (self.width,))
        return samples, None
