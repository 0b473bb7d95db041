"""A classifier of single digits, applied to each channel of stacked digits.

Metz et al. 2017 (arXiv:1611.02163), section 3.3.1. The channels are independent given the image,
so the probability of class 100 a + 10 b + c is the product of the three digits' probabilities.
"""

from pathlib import Path

from torch import Tensor, nn

from bench.core.errors import UserError
from bench.features import check_sample_shape
from bench.features.convnet import TrainedConvnet


class StackedConvnet(nn.Module):
    """Images [B, C, H, W] -> (features [B, C F], logits [B, 10^C]), one network on each channel.

    Args:
        base: name of the classifier of one channel, a `TrainedConvnet`; `weight_hash` is its hash.
        channels: number of channels C.

    Raises:
        UserError: files are missing or damaged, or the classifier takes several channels.
    """

    resize = "none"

    def __init__(self, name: str, base: str, channels: int, folder: str | Path | None) -> None:
        super().__init__()
        self.single = TrainedConvnet(base, folder)
        if self.single.shape[0] != 1:
            raise UserError(
                f"features {name!r}: {base} classifies images of {self.single.shape[0]} channels",
                fix="set features.base to a classifier of grey images",
            )
        self.name, self.weight_hash = name, self.single.weight_hash
        self.shape = (channels, *self.single.shape[1:])
        self.width = channels * self.single.width
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images [B, C, H, W] in [0, 1] -> concatenated features, log p(a) + log p(b) + ...

        UserError for images of another shape.
        """
        check_sample_shape(self.name, images, self.shape)
        features, logits = self.single(images.flatten(0, 1)[:, None])
        digits = logits.log_softmax(1).unflatten(0, (-1, self.shape[0]))  # [B, C, 10]
        joint = digits[:, 0]
        for channel in range(1, self.shape[0]):  # first digit first: [B, 10], [B, 100], ...
            joint = (joint[:, :, None] + digits[:, channel, None, :]).flatten(1)
        return features.reshape(len(images), self.width), joint
