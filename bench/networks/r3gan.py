"""R3GAN's networks: Huang et al. 2025 (arXiv:2501.05441), section 3; the authors' code.

Residual blocks of 1x1, grouped 3x3 and 1x1 without normalisation; only activations have a bias. The
last kernel of a block starts at 0, so that a network without training is that of its transitions.

Deviation: the published networks are for 32x32, 64x64 and 256x256. The rule is theirs at all sides:
    one stage for each map from 4x4 to the image's sides, two for 8x8, three for 16x16, four for
    32x32, five for 64x64; 28x28 has three and starts at 7x7, so that the basis has 7x7 pixels.
    Bfloat16 in the three largest stages is not the network's: `trainer.precision` says it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.networks.conditional import ClassEmbedding
from bench.networks.layers import check_sizes
from bench.networks.sides import pyramid

NETWORK = "r3gan"
SLOPE = 0.2  # of the leaky ReLU, the authors' code
GAIN = math.sqrt(2 / (1 + SLOPE**2))  # keeps the variance behind a leaky ReLU
LAYERS = 3  # in a block


def _kernel(maps: Tensor) -> Tensor:
    """Return [1, 3, 3, 1] x [1, 3, 3, 1] / 64 = [1, 2, 1] * [1, 1] in both axes, [C, 1, 4, 4]."""
    middle = torch.full((2,), 3.0, dtype=maps.dtype, device=maps.device)
    taps = functional.pad(middle, (1, 1), value=1.0)
    return (torch.outer(taps, taps) / 64).expand(maps.shape[1], 1, 4, 4)


def upsample(maps: Tensor) -> Tensor:
    """Interpolate [B, C, H, W] to [B, C, 2 H, 2 W] linearly; zeros lie outside."""
    channels = maps.shape[1]
    kernel = 4 * _kernel(maps)
    return functional.conv_transpose2d(maps, kernel, stride=2, padding=1, groups=channels)


def downsample(maps: Tensor) -> Tensor:
    """Blur [B, C, H, W] and keep [B, C, H / 2, W / 2]; zeros lie outside."""
    return functional.conv2d(maps, _kernel(maps), stride=2, padding=1, groups=maps.shape[1])


def draw(weight: Tensor, generator: torch.Generator, *, gain: float) -> None:
    """Draw weights [out, in, ...] of standard deviation gain / sqrt(fan in).

    Args:
        weight: of a linear layer or a convolution without bias.
        generator: random generator of the stream "init".
        gain: 0 or above.
    """
    fan_in = math.prod(weight.shape[1:])
    nn.init.normal_(weight, std=gain / math.sqrt(fan_in), generator=generator)


class BiasedActivation(nn.Module):
    """leaky_relu(x + bias), a bias for each channel, 0 at the start.

    Args:
        channels: C of [B, C, H, W].
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps [B, C, H, W] behind bias and activation."""
        return functional.leaky_relu(maps + self.bias[:, None, None], SLOPE)


class ResidualBlock(nn.Module):
    """x + conv1x1(a(conv3x3 in groups(a(conv1x1 x)))) with a = `BiasedActivation`.

    Args:
        width: channels in and out.
        cardinality: groups of the kernel of 3x3.
        expansion: the kernel of 3x3 has expansion x width channels.

    Raises:
        ValueError: the groups do not divide the channels.
    """

    def __init__(self, width: int, *, cardinality: int, expansion: int) -> None:
        super().__init__()
        inner = width * expansion
        if inner % cardinality:
            raise ValueError(
                f"r3gan: {width} x {expansion} channels cannot be in {cardinality} groups of equal "
                "size; set a cardinality that divides them"
            )
        self.conv1 = nn.Conv2d(width, inner, 1, bias=False)
        self.conv2 = nn.Conv2d(inner, inner, 3, padding=1, groups=cardinality, bias=False)
        self.conv3 = nn.Conv2d(inner, width, 1, bias=False)
        self.activation1, self.activation2 = BiasedActivation(inner), BiasedActivation(inner)

    def reset(self, generator: torch.Generator, *, blocks: int) -> None:
        """Draw std = GAIN blocks^(-1 / (2 m - 2)) / sqrt(fan in), m = 3 layers; the last is 0.

        Args:
            blocks: residual blocks in the whole network.
        """
        gain = GAIN * blocks ** (-1 / (2 * LAYERS - 2))
        draw(self.conv1.weight, generator, gain=gain)
        draw(self.conv2.weight, generator, gain=gain)
        nn.init.zeros_(self.conv3.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return maps [B, width, H, W] of maps [B, width, H, W]."""
        hidden = self.activation1(self.conv1(x))
        return x + self.conv3(self.activation2(self.conv2(hidden)))


@dataclass(frozen=True)
class Sizes:
    """Sizes of the stages: one number for all of them, or one for each, the smallest map first.

    Args:
        width: channels of the map; 768 at 32x32 and 64x64 in the paper.
        blocks: residual blocks; 2 in the paper.
        cardinality: groups of the kernel of 3x3 in a block, a divisor of expansion x width; 96 in
            the paper, 16 channels in each.
        expansion: channels of that kernel over those of the map; 2 in the paper.
    """

    width: int | Sequence[int]
    blocks: int | Sequence[int]
    cardinality: int | Sequence[int]
    expansion: int

    def per_stage(self, stages: int) -> list["StageSizes"]:
        """Return the sizes of each stage, the smallest map first.

        Args:
            stages: their number.

        Raises:
            ValueError: another number of sizes is given, or one is not a whole number from 1 on.
        """
        columns: dict[str, list[int]] = {}
        for name in ("width", "blocks", "cardinality", "expansion"):
            value = getattr(self, name)
            numbers = list(value) if isinstance(value, Sequence) else [value] * stages
            if len(numbers) != stages:
                raise ValueError(
                    f"r3gan: {name} has {len(numbers)} numbers, and the images have {stages} "
                    "stages; give one number for each, or one for all"
                )
            for number in numbers:
                check_sizes(**{name: number})
            columns[name] = numbers
        return [StageSizes(*row) for row in zip(*columns.values(), strict=True)]


class StageSizes(NamedTuple):
    """Sizes of one stage, see `Sizes`."""

    width: int
    blocks: int
    cardinality: int
    expansion: int


class _Network(nn.Module):
    """Hold the residual blocks of each map and the 1x1 kernels between maps of unequal width.

    Args:
        shape: [C, H, W], sides that can be halved at least once.
        sizes: of the stages.

    Attributes:
        low, high: sizes of the stages with the smallest and the largest map.
        start: sides (H, W) of the smallest map.
        stages: for each map, the smallest first, its blocks.
        transitions: between neighbouring maps; the identity where their widths are equal.
    """

    pixel_range = (-1.0, 1.0)
    upward: bool  # the network goes from the smallest map to the largest

    def __init__(self, shape: list[int], sizes: Sizes) -> None:
        super().__init__()
        levels = pyramid(shape, network=NETWORK)
        stages = sizes.per_stage(len(levels))
        self.start, self.low, self.high = levels[0], stages[0], stages[-1]
        self.stages = nn.ModuleList(
            nn.Sequential(
                *(
                    ResidualBlock(s.width, cardinality=s.cardinality, expansion=s.expansion)
                    for _ in range(s.blocks)
                )
            )
            for s in stages
        )
        self.transitions = nn.ModuleList()
        for small, large in pairwise(stage.width for stage in stages):
            inputs, outputs = (small, large) if self.upward else (large, small)
            kernel = nn.Conv2d(inputs, outputs, 1, bias=False)
            self.transitions.append(nn.Identity() if small == large else kernel)

    def _reset_stages(self, generator: torch.Generator) -> None:
        """Draw the weights of all blocks, then of the transitions, the smallest map first."""
        blocks = [layer for layer in self.modules() if isinstance(layer, ResidualBlock)]
        for block in blocks:
            block.reset(generator, blocks=len(blocks))
        for layer in self.transitions:
            if isinstance(layer, nn.Conv2d):
                draw(layer.weight, generator, gain=1.0)


class Generator(_Network):
    """Latents [B, L] -> images [B, C, H, W], unbounded; 20,732,160 parameters as published.

    Args:
        shape: [C, H, W], sides that can be halved at least once.
        latent_dim: L, 64 in the paper.
        sizes: of the stages.
    """

    bounded = False  # no tanh: pixels may leave the range
    upward = True

    def __init__(self, shape: list[int], latent_dim: int, *, sizes: Sizes) -> None:
        super().__init__(shape, sizes)
        check_sizes(latent_dim=latent_dim)
        self.basis = nn.Parameter(torch.zeros(self.low.width, *self.start))
        self.dense = nn.Linear(latent_dim, self.low.width, bias=False)
        self.to_image = nn.Conv2d(self.high.width, shape[0], 1, bias=False)

    def reset(self, generator: torch.Generator) -> None:
        """Draw the basis from N(0, 1), others of std 1 / sqrt(fan in), see `ResidualBlock`."""
        nn.init.normal_(self.basis, generator=generator)
        draw(self.dense.weight, generator, gain=1.0)
        self._reset_stages(generator)
        draw(self.to_image.weight, generator, gain=1.0)

    def forward(self, latent: Tensor) -> Tensor:
        """Return images [B, C, H, W] of latents [B, L]."""
        maps = self.stages[0](self.basis * self.dense(latent)[:, :, None, None])
        for transition, stage in zip(self.transitions, self.stages[1:], strict=True):
            maps = stage(upsample(transition(maps)))
        return self.to_image(maps)


class ConditionalGenerator(Generator):
    """Latents [B, L] and labels [B] -> images [B, C, H, W]; 20,781,952 parameters, 10 classes.

    Args:
        shape, latent_dim, sizes: as in `Generator`.
        classes: K.
        embedding: length of the vector of a class behind the latent; 64 in the paper.
    """

    def __init__(
        self, shape: list[int], latent_dim: int, *, classes: int, embedding: int, sizes: Sizes
    ) -> None:
        super().__init__(shape, latent_dim + embedding, sizes=sizes)
        check_sizes(latent_dim=latent_dim)
        self.embedding, self.classes = ClassEmbedding(classes, embedding), classes

    def reset(self, generator: torch.Generator) -> None:
        """Draw the network's weights, then the embedding's of std 1 / sqrt(classes)."""
        super().reset(generator)
        draw(self.embedding.weight.T, generator, gain=1.0)

    def forward(self, latent: Tensor, labels: Tensor) -> Tensor:  # type: ignore[override]
        """Return images [B, C, H, W] of latents [B, L] and labels [B] in [0, K)."""
        return super().forward(torch.cat([latent, self.embedding(labels)], dim=1))


class Discriminator(_Network):
    """Images [B, C, H, W] in [-1, 1] -> logits [B]; 20,683,776 parameters as published.

    Args:
        shape, sizes: as in `Generator`.
    """

    upward = False

    def __init__(self, shape: list[int], *, sizes: Sizes) -> None:
        super().__init__(shape, sizes)
        self.from_image = nn.Conv2d(shape[0], self.high.width, 1, bias=False)
        self.basis = nn.Parameter(torch.zeros(self.low.width, *self.start))
        self.score = nn.Linear(self.low.width, 1, bias=False)

    def reset(self, generator: torch.Generator) -> None:
        """Draw weights of std 1 / sqrt(fan in), see `ResidualBlock`; of the basis: its pixels."""
        draw(self.from_image.weight, generator, gain=1.0)
        self._reset_stages(generator)
        draw(self.basis, generator, gain=1.0)
        draw(self.score.weight, generator, gain=1.0)

    def features(self, images: Tensor) -> Tensor:
        """Return the inputs of the last layer, [B, width of the smallest map]."""
        maps = self.stages[-1](self.from_image(images))
        steps = zip(reversed(self.transitions), reversed(self.stages[:-1]), strict=True)
        for transition, stage in steps:
            maps = stage(transition(downsample(maps)))
        return (maps * self.basis).sum((2, 3))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [B] of images [B, C, H, W]."""
        return self.score(self.features(images)).squeeze(1)


class ConditionalDiscriminator(Discriminator):
    """e_c . (W h(x)): images and labels [B] -> logits [B]; 21,280,512 parameters, 10 classes.

    Args:
        shape, sizes: as in `Discriminator`.
        classes: K.
        embedding: length of e_c; 768 in the paper.
    """

    def __init__(self, shape: list[int], *, classes: int, embedding: int, sizes: Sizes) -> None:
        super().__init__(shape, sizes=sizes)
        self.score = nn.Linear(self.low.width, embedding, bias=False)
        self.embedding, self.classes = ClassEmbedding(classes, embedding), classes

    def reset(self, generator: torch.Generator) -> None:
        """Draw the network's weights, then the embedding's of std 1 / sqrt(embedding classes)."""
        super().reset(generator)
        gain = self.embedding.weight.shape[1] ** -0.5
        draw(self.embedding.weight.T, generator, gain=gain)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:  # type: ignore[override]
        """Return logits [B] of images [B, C, H, W] and labels [B] in [0, K)."""
        return (self.score(self.features(images)) * self.embedding(labels)).sum(1)
