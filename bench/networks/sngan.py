"""SNGAN's residual networks: Miyato et al. 2018 (arXiv:1802.05957), table 4; the code of Chainer.

The conditional pair is that of Miyato and Koyama 2018 (arXiv:1802.05637): conditional batch norm in
the generator, a projection in the discriminator. Spectral normalisation is not inside: it is
`bench.networks.spectral.SpectralNorm` around the discriminator.

Deviation: the paper has these networks for 32x32. Other sides follow the same rule with the same
    width at every map: the generator doubles a map of 4x4 (7x7 for 28x28) until it has the image's
    sides, one block a doubling, so one block for 8x8, two for 16x16 and 28x28, four for 64x64; the
    discriminator halves until 8x8 is left (7x7 for 28x28, 4x4 for 8x8), at least once, and two
    blocks follow, so three blocks for 8x8 and 16x16, four for 28x28 and 32x32, five for 64x64.
    Upsampling is by repetition of pixels, as in the authors' code; mimicry's is bilinear.
"""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.networks.conditional import ClassEmbedding, ConditionalBatchNorm, EpsBatchNorm
from bench.networks.layers import check_sizes
from bench.networks.sides import pyramid

NETWORK = "sngan"
LEAST_RESIDUAL_SIDE = 7  # of the maps that the discriminator halves further down to; 8 at 32x32
GAIN = math.sqrt(2)  # of Glorot's initial weights in the 3x3 kernels of blocks
Norm = Callable[[int], nn.Module]  # channels -> their normalisation


def upsample(maps: Tensor) -> Tensor:
    """Repeat each pixel of [B, C, H, W] in a square of two by two: [B, C, 2 H, 2 W]."""
    return functional.interpolate(maps, scale_factor=2.0, mode="nearest")


def glorot(layer: nn.Module, generator: torch.Generator, *, gain: float) -> None:
    """Draw weights U(-a, a), a = gain sqrt(6 / (fan in + fan out)); set the bias to 0.

    Args:
        layer: a convolution, a linear layer or an embedding.
        generator: random generator of the stream "init".
        gain: above 0.
    """
    assert isinstance(layer.weight, Tensor)
    nn.init.xavier_uniform_(layer.weight, gain=gain, generator=generator)
    bias = getattr(layer, "bias", None)
    if bias is not None:
        nn.init.zeros_(bias)


class Block(nn.Module):
    """Hold the three kernels of a residual block; the subclasses say in which order.

    Args:
        inputs, outputs: channels.
        shortcut: a kernel of 1x1 in the shortcut, else it is the identity.
    """

    def __init__(self, inputs: int, outputs: int, *, shortcut: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if shortcut else nn.Identity()

    def reset(self, generator: torch.Generator) -> None:
        """Draw Glorot's weights, sqrt(2) times as large in the kernels of 3x3."""
        glorot(self.conv1, generator, gain=GAIN)
        glorot(self.conv2, generator, gain=GAIN)
        if isinstance(self.shortcut, nn.Conv2d):
            glorot(self.shortcut, generator, gain=1.0)


class UpBlock(Block):
    """conv(relu(norm(conv(up(relu(norm(x))))))) + conv1x1(up(x)): [B, C, H, W] -> [B, C, 2H, 2W].

    Args:
        width: C.
        norm: channels -> their normalisation.
    """

    def __init__(self, width: int, norm: Norm) -> None:
        super().__init__(width, width, shortcut=True)
        self.norm1, self.norm2 = norm(width), norm(width)

    def forward(self, x: Tensor, *labels: Tensor) -> Tensor:
        """Return maps [B, C, 2 H, 2 W] of maps [B, C, H, W] and, if conditional, labels [B]."""
        hidden = self.conv1(upsample(functional.relu(self.norm1(x, *labels))))
        hidden = self.conv2(functional.relu(self.norm2(hidden, *labels)))
        return hidden + self.shortcut(upsample(x))


class FirstBlock(Block):
    """pool(conv(relu(conv(x)))) + conv1x1(pool(x)): images [B, C, H, W] -> [B, F, H / 2, W / 2]."""

    def forward(self, x: Tensor) -> Tensor:
        """Return maps of half the sides."""
        hidden = self.conv2(functional.relu(self.conv1(x)))
        return functional.avg_pool2d(hidden, 2) + self.shortcut(functional.avg_pool2d(x, 2))


class DownBlock(Block):
    """pool(conv(relu(conv(relu(x)))) + conv1x1(x)); without `halves` neither pool nor conv1x1.

    Args:
        width: channels in, between and out.
        halves: the block halves the sides.
    """

    def __init__(self, width: int, *, halves: bool) -> None:
        super().__init__(width, width, shortcut=halves)
        self.halves = halves

    def forward(self, x: Tensor) -> Tensor:
        """Return maps [B, F, H, W], or of half the sides, of maps [B, F, H, W]."""
        hidden = self.conv2(functional.relu(self.conv1(functional.relu(x)))) + self.shortcut(x)
        return functional.avg_pool2d(hidden, 2) if self.halves else hidden


def _reset_blocks(net: nn.Module, generator: torch.Generator) -> None:
    """Draw the initial weights of a network's blocks, in order."""
    for layer in net.modules():
        if isinstance(layer, Block):
            layer.reset(generator)


class _Generator(nn.Module):
    """Build and apply the layers that the two generators share.

    Args:
        shape, latent_dim, width, momentum, eps: see `Generator`.
        norm: normalisation in the blocks; the last one is plain batch norm in both.
    """

    pixel_range = (-1.0, 1.0)
    bounded = True  # a tanh

    def __init__(
        self,
        shape: list[int],
        latent_dim: int,
        *,
        width: int,
        momentum: float,
        eps: float,
        norm: Norm,
    ) -> None:
        super().__init__()
        check_sizes(latent_dim=latent_dim, width=width)
        levels = pyramid(shape, network=NETWORK)
        low = (width, *levels[0])
        self.dense = nn.Sequential(nn.Linear(latent_dim, math.prod(low)), nn.Unflatten(1, low))
        self.blocks = nn.ModuleList(UpBlock(width, norm) for _ in levels[1:])
        self.norm = EpsBatchNorm(width, momentum=momentum, eps=eps)
        self.conv = nn.Conv2d(width, shape[0], 3, padding=1)

    def reset(self, generator: torch.Generator) -> None:
        """Draw Glorot's weights, see `Block`; scales and shifts of batch norm keep 1 and 0."""
        glorot(self.dense[0], generator, gain=1.0)
        _reset_blocks(self, generator)
        glorot(self.conv, generator, gain=1.0)

    def _images(self, latent: Tensor, *labels: Tensor) -> Tensor:
        """Return images [B, C, H, W] of latents [B, L] and, if conditional, labels [B]."""
        maps = self.dense(latent)
        for block in self.blocks:
            maps = block(maps, *labels)
        return torch.tanh(self.conv(functional.relu(self.norm(maps))))


class Generator(_Generator):
    """Latents [B, L] -> images [B, C, H, W] in (-1, 1); 4,276,739 parameters as published.

    Args:
        shape: [C, H, W], sides that can be halved at least once; 32x32 in the paper.
        latent_dim: L, 128 in the paper.
        width: channels of all feature maps, 256 in the paper.
        momentum: of batch norm's running averages, see `BatchNorm`.
        eps: of batch norm.
    """

    def __init__(
        self, shape: list[int], latent_dim: int, *, width: int, momentum: float, eps: float
    ) -> None:
        norm = partial(EpsBatchNorm, momentum=momentum, eps=eps)
        super().__init__(shape, latent_dim, width=width, momentum=momentum, eps=eps, norm=norm)

    def forward(self, latent: Tensor) -> Tensor:
        """Return images [B, C, H, W] of latents [B, L]."""
        return self._images(latent)


class ConditionalGenerator(_Generator):
    """Latents [B, L] and labels [B] -> images in (-1, 1); 4,304,387 parameters with 10 classes.

    Args:
        shape, latent_dim, width, momentum, eps: as in `Generator`.
        classes: K.
    """

    def __init__(
        self,
        shape: list[int],
        latent_dim: int,
        *,
        classes: int,
        width: int,
        momentum: float,
        eps: float,
    ) -> None:
        norm = partial(ConditionalBatchNorm, classes, momentum=momentum, eps=eps)
        super().__init__(shape, latent_dim, width=width, momentum=momentum, eps=eps, norm=norm)
        self.classes = classes

    def forward(self, latent: Tensor, labels: Tensor) -> Tensor:
        """Return images [B, C, H, W] of latents [B, L] and labels [B] in [0, K)."""
        return self._images(latent, labels)


class Discriminator(nn.Module):
    """Images [B, C, H, W] in [-1, 1] -> logits [B]; 1,053,824 parameters as in the authors' code.

    The last feature map is summed over its pixels, and the last layer has no bias, as in the code;
    mimicry and GN-GAN add one.

    Args:
        shape: [C, H, W], sides that can be halved at least once; 32x32 in the paper.
        width: channels of all feature maps, 128 in the paper.
    """

    pixel_range = (-1.0, 1.0)

    def __init__(self, shape: list[int], *, width: int) -> None:
        super().__init__()
        check_sizes(width=width)
        halved = [s for s in pyramid(shape, network=NETWORK) if min(s) >= LEAST_RESIDUAL_SIDE]
        rest = [True] * (len(halved) - 2) + [False, False]  # the first block halves, too
        self.blocks = nn.Sequential(
            FirstBlock(shape[0], width, shortcut=True),
            *(DownBlock(width, halves=halves) for halves in rest),
        )
        self.score = nn.Linear(width, 1, bias=False)

    def reset(self, generator: torch.Generator) -> None:
        """Draw Glorot's weights, see `Block`."""
        _reset_blocks(self, generator)
        glorot(self.score, generator, gain=1.0)

    def features(self, images: Tensor) -> Tensor:
        """Return the inputs of the last layer, [B, width]: sums over the pixels of a map."""
        return functional.relu(self.blocks(images)).sum((2, 3))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [B] of images [B, C, H, W]."""
        return self.score(self.features(images)).squeeze(1)


class ProjectionDiscriminator(Discriminator):
    """w . h(x) + e_c . h(x): images and labels [B] -> logits [B]; 1,055,104 parameters, 10 classes.

    Args:
        shape, width: as in `Discriminator`.
        classes: K.
    """

    def __init__(self, shape: list[int], *, classes: int, width: int) -> None:
        super().__init__(shape, width=width)
        self.embedding, self.classes = ClassEmbedding(classes, width), classes

    def reset(self, generator: torch.Generator) -> None:
        """Draw Glorot's weights, those of the embedding last."""
        super().reset(generator)
        glorot(self.embedding, generator, gain=1.0)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:  # type: ignore[override]
        """Return logits [B] of images [B, C, H, W] and labels [B] in [0, K)."""
        features = self.features(images)
        return self.score(features).squeeze(1) + (self.embedding(labels) * features).sum(1)
