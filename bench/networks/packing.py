"""Packing: PacGAN of Lin et al. 2018 (arXiv:1712.04086), section 2: D sees samples in packs."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from bench.core.number_checks import require_whole_number
from bench.core.pixels import pixel_range


class Packed(nn.Module):
    """D(x_1, ..., x_m): samples [B, ...] -> logits [B / m], all of a pack real or all generated.

    Samples are joined along the channels of images, or the coordinates of points. Those beyond the
    last whole pack are left out.

    Args:
        net: shape of a pack -> a discriminator of packs.
        shape: of a sample, [C, H, W] or [D].
        packing: m, from 1 on.

    Raises:
        ValueError: m is no whole number from 1 on.
    """

    mixes_samples = True

    def __init__(self, net: Callable[..., Any], shape: list[int], *, packing: int) -> None:
        super().__init__()
        require_whole_number("packing", packing, 1, meaning="samples that D sees at once")
        first, *rest = shape
        self.net, self.packing = net(shape=[packing * first, *rest]), packing
        self.pixel_range = pixel_range(self.net)

    def reset(self, generator: torch.Generator) -> None:
        """Draw the network's initial weights."""
        self.net.reset(generator)

    def features(self, samples: Tensor) -> Tensor:
        """Return the inputs of the last layer, [B / m, F]."""
        return self.net.features(self._packs(samples))

    def forward(self, samples: Tensor) -> Tensor:
        """Return logits of packs, [B / m]."""
        return self.net(self._packs(samples))

    def _packs(self, samples: Tensor) -> Tensor:
        whole = len(samples) // self.packing
        packs = samples[: whole * self.packing].unflatten(0, (whole, self.packing))
        return packs.flatten(1, 2)
