"""Networks of a velocity v(x, t): a U-Net for images, a perceptron for points.

The U-Net is that of Ho et al. 2020 (arXiv:2006.11239), appendix B, after Ronneberger et al. 2015
(arXiv:1505.04597), made small.

Deviation: no attention and no dropout; one residual block a level on each way; maps are averaged on
    the way down; kernels start at N(0, 1 / fan in); the number of levels follows the image's sides.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.networks.layers import check_sizes
from bench.networks.mlp import Perceptron
from bench.networks.sides import pyramid

GROUPS = 8  # of the group norm, at most; the paper has 32
LEAST = 4  # channels in a group: one alone would lose the constant that the time adds to it
WIDEST = 4  # the widest maps have so many times the channels of the finest
OCTAVES = 6  # of the embedding of time


def embed_time(time: Tensor) -> Tensor:
    """Return sin and cos of 2^k pi t / 2, k = 0 ... 5: times t in [0, 1], [B] -> [B, 12]."""
    angles = torch.stack([time * (math.pi / 2 * 2**k) for k in range(OCTAVES)], 1)
    return torch.cat([angles.sin(), angles.cos()], 1)


class VelocityPerceptron(nn.Module):
    """v(x, t): points [B, D] and times [B] -> [B, D]; the embedded time is joined to the point."""

    def __init__(self, shape: list[int], *, width: int, depth: int) -> None:
        super().__init__()
        inputs, outputs = shape[0] + 2 * OCTAVES, shape[0]
        self.net = Perceptron(inputs, outputs, width=width, depth=depth, batch_norm=False)

    def reset(self, generator: torch.Generator) -> None:
        """Draw the initial weights."""
        self.net.reset(generator)

    def forward(self, points: Tensor, time: Tensor) -> Tensor:
        """Return the velocities, [B, D]."""
        return self.net(torch.cat([points, embed_time(time)], 1))


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(math.gcd(GROUPS, channels, max(1, channels // LEAST)), channels)


class TimedBlock(nn.Module):
    """x + conv(a(conv(a(x)) + W e)), a = SiLU of group norm; a 1x1 kernel on x where C changes.

    Args:
        inputs, outputs: channels.
        width: of the embedding e.
    """

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([_norm(inputs), _norm(outputs)])
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.time = nn.Linear(width, outputs)
        self.last = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, maps: Tensor, embedding: Tensor) -> Tensor:
        """Return maps [B, outputs, H, W] from maps [B, inputs, H, W] and e [B, width]."""
        hidden = self.first(functional.silu(self.norms[0](maps)))
        hidden = hidden + self.time(embedding)[:, :, None, None]
        return self.skip(maps) + self.last(functional.silu(self.norms[1](hidden)))


class UNet(nn.Module):
    """v(x, t): images [B, C, H, W] in [-1, 1] and times [B] -> [B, C, H, W]; 0 at the start.

    Args:
        shape: [C, H, W]. Sides are halved while they stay at 4 or more: 8, 28, 32, 64 for example.
        width: channels of the finest maps; the coarser ones have twice and four times as many.

    Raises:
        ValueError: the image cannot be halved once, or the width is no whole number from 1 on.
    """

    pixel_range = (-1.0, 1.0)

    def __init__(self, shape: list[int], *, width: int) -> None:
        super().__init__()
        check_sizes(width=width)
        levels = len(pyramid(shape, network="unet"))
        widths = [width * min(2**level, WIDEST) for level in range(levels)]
        embedding = 4 * width
        self.time = nn.Sequential(
            nn.Linear(2 * OCTAVES, embedding), nn.SiLU(), nn.Linear(embedding, embedding), nn.SiLU()
        )
        self.first = nn.Conv2d(shape[0], width, 3, padding=1)
        down = zip([width, *widths], widths, strict=False)
        self.down = nn.ModuleList(TimedBlock(a, b, embedding) for a, b in down)
        self.middle = TimedBlock(widths[-1], widths[-1], embedding)
        above = [*widths[1:], widths[-1]]
        up = zip(above, widths, strict=True)
        self.up = nn.ModuleList(TimedBlock(a + b, b, embedding) for a, b in up)
        self.norm = _norm(width)
        self.last = nn.Conv2d(width, shape[0], 3, padding=1)

    def reset(self, generator: torch.Generator) -> None:
        """Draw weights from N(0, 1 / fan in); biases and the last kernels of all blocks are 0."""
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                fan_in = math.prod(layer.weight.shape[1:])
                nn.init.normal_(layer.weight, std=fan_in**-0.5, generator=generator)
                assert layer.bias is not None
                nn.init.zeros_(layer.bias)
        for module in self.modules():
            if isinstance(module, TimedBlock | UNet):
                nn.init.zeros_(module.last.weight)

    def forward(self, samples: Tensor, time: Tensor) -> Tensor:
        """Return the velocities, [B, C, H, W]."""
        embedding, maps, kept = self.time(embed_time(time)), self.first(samples), []
        for level, block in enumerate(self.down):
            maps = block(functional.avg_pool2d(maps, 2) if level else maps, embedding)
            kept.append(maps)
        maps = self.middle(maps, embedding)
        for level in reversed(range(len(kept))):
            maps = self.up[level](torch.cat([maps, kept[level]], 1), embedding)
            if level:
                maps = functional.interpolate(maps, scale_factor=2.0, mode="nearest")
        return self.last(functional.silu(self.norm(maps)))
