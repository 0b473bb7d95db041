"""A small convolutional classifier: stages of 3x3 convolutions, one feature layer, one head.

Batch norm (Ioffe and Szegedy 2015, arXiv:1502.03167) is used in training and folded into the
weights afterwards, so that an extractor has no training mode and no running averages.
"""

import copy
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval


class ConvNet(nn.Module):
    """Images in [0, 1] -> (features, logits).

    Features are taken before the ReLU: they are dense and near to Gaussian, as the Frechet distance
    supposes; after it they are mostly zeros.

    Args:
        shape: shape of one image, (C, H, W).
        stages: output channels of each convolution, by stage; the last one of a stage has stride
            2 and halves the image.
        width: number of features F.
        classes: number of classes K.
        batch_norm: true while training.

    Raises:
        ValueError: the image is smaller than 8x8, or too small to be halved by every stage.
    """

    def __init__(
        self,
        shape: Sequence[int],
        *,
        stages: Sequence[Sequence[int]],
        width: int,
        classes: int,
        batch_norm: bool,
    ) -> None:
        super().__init__()
        channels, height, breadth = shape
        if min(height, breadth) < max(8, 2 ** len(stages)):
            raise ValueError(f"{len(stages)} stages do not fit images of {height}x{breadth}")
        layers: list[nn.Module] = []
        for stage in stages:
            for index, size in enumerate(stage, start=1):
                stride = 2 if index == len(stage) else 1
                layers.append(nn.Conv2d(channels, size, 3, stride, 1, bias=not batch_norm))
                if batch_norm:
                    layers.append(nn.BatchNorm2d(size))
                layers.append(nn.ReLU())
                channels = size
            height, breadth = (height + 1) // 2, (breadth + 1) // 2
        layers.append(nn.Flatten())
        layers.append(nn.Linear(channels * height * breadth, width, bias=not batch_norm))
        if batch_norm:
            layers.append(nn.BatchNorm1d(width))
        self.body = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.ReLU(), nn.Linear(width, classes))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images [B, C, H, W] in [0, 1] -> features [B, F], logits [B, K]."""
        features = self.body(2 * images - 1)
        return features, self.head(features)


def fold_batch_norm(net: ConvNet) -> ConvNet:
    """Merge each batch norm, in evaluation mode, into the layer before it, in a copy of the net.

    The copy computes the same function, with the layers, and their names, of one built without
    batch norm.
    """
    net = copy.deepcopy(net).eval()
    layers: list[Any] = []
    for layer in net.body:
        if isinstance(layer, nn.BatchNorm2d):
            layers[-1] = fuse_conv_bn_eval(layers[-1], layer)
        elif isinstance(layer, nn.BatchNorm1d):
            layers[-1] = fuse_linear_bn_eval(layers[-1], layer)
        else:
            layers.append(layer)
    net.body = nn.Sequential(*layers)
    return net
