"""The identity as an extractor: points are their own features, 2-D toys need no network."""

from torch import Tensor, nn

from bench.features import check_sample_shape


class Identity(nn.Module):
    """x -> (x, None).

    Args:
        width: number of coordinates of a point, D.
    """

    weight_hash, resize = "", "none"

    def __init__(self, name: str, width: int) -> None:
        super().__init__()
        self.name, self.width = name, width
        self.eval()

    def forward(self, samples: Tensor) -> tuple[Tensor, None]:
        """Points [B, D], unchanged, and no logits.

        Raises:
            UserError: the samples are no points, or have another number of coordinates.
        """
        check_sample_shape(self.name, samples, (self.width,))
        return samples, None
