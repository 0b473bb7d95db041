"""DCGAN: Radford et al. 2015 (arXiv:1511.06434), section 3 and figure 1.

Strided convolutions, batch norm but for the generator's output and the discriminator's input, ReLU
against leaky ReLU. Each layer halves or doubles the sides; how many there are follows from the
image: sides are halved while both are even and 4 is left, so 64x64 has the paper's four layers,
32x32 three, 28x28 two from 7x7, 8x8 one.

Deviation: images lie in [0, 1], so the output is a sigmoid where the paper has tanh for [-1, 1].
    Kernels are 4x4, as in the authors' code; figure 1 has 5x5. Batch norm's eps is the suite's.
"""

import torch
from torch import Tensor, nn

from bench.networks.layers import BatchNorm, initialise

SLOPE = 0.2  # of the leaky ReLU, section 4
LEAST = 4  # sides of the smallest feature map, figure 1


def halvings(height: int, width: int) -> int:
    """How often both sides can be halved.

    Raises:
        ValueError: not once.
    """
    count = 0
    while not (height % 2 or width % 2) and min(height, width) >= 2 * LEAST:
        height, width, count = height // 2, width // 2, count + 1
    if not count:
        raise ValueError(
            f"images of {height}x{width}: the dcgan networks halve the sides, so both must be "
            f"even and {2 * LEAST} or more"
        )
    return count


def norm(features: int, momentum: float | None, wanted: bool) -> nn.Module:
    """Batch norm, or nothing."""
    return BatchNorm(features, momentum=momentum) if wanted else nn.Identity()


class Generator(nn.Sequential):
    """Latents [B, L] -> images [B, C, H, W] in (0, 1).

    Args:
        shape: [C, H, W], sides that can be halved at least once.
        latent_dim: L.
        width: channels of the largest feature map, doubled at each halving.
        batch_norm: after all layers but the last; layers that have none have a bias.
        momentum: of batch norm's running averages.
        std: of the initial weights.
    """

    def __init__(
        self,
        shape: list[int],
        latent_dim: int,
        *,
        width: int,
        batch_norm: bool,
        momentum: float,
        std: float,
    ) -> None:
        self.std = std
        channels, height, wide = shape
        count = halvings(height, wide)
        deep, sides = width << (count - 1), (height >> count, wide >> count)
        layers: list[nn.Module] = [
            nn.Linear(latent_dim, deep * sides[0] * sides[1], bias=not batch_norm),
            nn.Unflatten(1, (deep, *sides)),
            norm(deep, momentum, batch_norm),
            nn.ReLU(),
        ]
        for _ in range(count - 1):
            up = nn.ConvTranspose2d(deep, deep // 2, 4, stride=2, padding=1, bias=not batch_norm)
            deep //= 2
            layers += [up, norm(deep, momentum, batch_norm), nn.ReLU()]
        last = nn.ConvTranspose2d(deep, channels, 4, stride=2, padding=1)
        super().__init__(*layers, last, nn.Sigmoid())

    def reset(self, generator: torch.Generator) -> None:
        """Draw the initial weights."""
        initialise(self, generator, std=self.std)


class Discriminator(nn.Module):
    """Images [B, C, H, W] -> logits [B].

    Args:
        shape, width, std: as of the generator.
        batch_norm: after all convolutions but the first, from the batch alone.
    """

    def __init__(self, shape: list[int], *, width: int, batch_norm: bool, std: float) -> None:
        super().__init__()
        self.std = std
        channels, height, wide = shape
        count = halvings(height, wide)
        layers: list[nn.Module] = [
            nn.Conv2d(channels, width, 4, stride=2, padding=1),
            nn.LeakyReLU(SLOPE),
        ]
        deep = width
        for _ in range(count - 1):
            down = nn.Conv2d(deep, 2 * deep, 4, stride=2, padding=1, bias=not batch_norm)
            deep *= 2
            layers += [down, norm(deep, None, batch_norm), nn.LeakyReLU(SLOPE)]
        self.downward = nn.Sequential(*layers, nn.Flatten())
        self.score = nn.Linear(deep * (height >> count) * (wide >> count), 1)

    def reset(self, generator: torch.Generator) -> None:
        """Draw the initial weights."""
        initialise(self, generator, std=self.std)

    def features(self, images: Tensor) -> Tensor:
        """The last feature map, flat: [B, F]."""
        return self.downward(images)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [B] from images [B, C, H, W]."""
        return self.score(self.features(images)).squeeze(1)
