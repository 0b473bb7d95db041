"""Let networks work in the pixel range of their paper: the suite's images are in [0, 1].

A network says its range by `pixel_range`. Nothing is clipped: samples of an unbounded generator may
leave [0, 1], and are clipped when they are scored or drawn.
"""

from typing import Any

import torch
from torch import Tensor, nn


def require_range(net: Any) -> tuple[float, float]:
    """Return a network's `pixel_range` (black, white); ValueError where it says none."""
    pixels = getattr(net, "pixel_range", None)
    if pixels is None or not pixels[0] < pixels[1]:
        what = "no pixel_range (black, white) with black below white"
        raise ValueError(f"a network of type {type(net).__name__} has {what}")
    return pixels


class _Converted(nn.Module):
    """Hold a network and the range that it works in."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net
        self.black, self.white = require_range(net)

    def reset(self, generator: torch.Generator) -> None:
        """Draw the network's initial weights."""
        self.net.reset(generator)


class UnitGenerator(_Converted):
    """(G(z) - black) / (white - black): latents [B, L] -> images [B, C, H, W], black at 0, white 1.

    Args:
        net: a generator with `pixel_range`.

    Raises:
        ValueError: it has none.
    """

    def forward(self, latent: Tensor) -> Tensor:
        """Return images, [B, C, H, W]."""
        return (self.net(latent) - self.black) / (self.white - self.black)


class UnitDiscriminator(_Converted):
    """D(black + x (white - black)): images in [0, 1], [B, C, H, W] -> logits [B].

    The slope of this discriminator is (white - black) times that of the network, so that the weight
    of a penalty on squared slopes, meant for the network's own range, is divided by its square.

    Args:
        net: a discriminator with `pixel_range`.

    Raises:
        ValueError: it has none.
    """

    def features(self, samples: Tensor) -> Tensor:
        """Return the features before the last layer, [B, F]."""
        return self.net.features(self._own(samples))

    def forward(self, samples: Tensor) -> Tensor:
        """Return the logits, [B]."""
        return self.net(self._own(samples))

    def _own(self, samples: Tensor) -> Tensor:
        return self.black + samples * (self.white - self.black)
