"""SNGAN's "standard CNN": Miyato et al. 2018 (arXiv:1802.05957), table 3; the codes in use.

Spectral normalisation is not inside: it is `bench.networks.spectral.SpectralNorm` around the
discriminator. Transposed kernels of 4x4 double the sides, strided ones halve them; a kernel of 3x3
stands before each that halves and after the last.

Deviation: the table halves three times, from 32x32 to 4x4 and from 48x48 to 6x6, and so do we from
    64x64 to 8x8. Smaller images are halved as often as 4x4 or more remains: 28x28 twice, to 7x7,
    16x16 twice and 8x8 once; the stages nearest to the smallest map are left out, and with them the
    largest widths. Widths are those of GN-GAN's code, in which kernels that halve also double the
    channels. The generator's last layer is a convolution, as in StudioGAN; GN-GAN has the
    equivalent transposed one.
"""

import math

import torch
from torch import Tensor, nn

from bench.networks.conditional import EpsBatchNorm
from bench.networks.layers import check_sizes
from bench.networks.sides import pyramid

NETWORK = "sngan_cnn"
SLOPE = 0.1  # of the leaky ReLU, table 3
HALVINGS = 3  # at most, table 3


def levels_of(shape: list[int]) -> list[tuple[int, int]]:
    """Return the sides of at most four feature maps, from the smallest to the image [C, H, W]."""
    return pyramid(shape, network=NETWORK)[-1 - HALVINGS :]


class NormalWeights(nn.Module):
    """A network whose initial weights are normal, of standard deviation `std`; biases are 0."""

    std: float

    def reset(self, generator: torch.Generator) -> None:
        """Draw the initial weights of convolutions and linear layers, in order."""
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                nn.init.normal_(layer.weight, std=self.std, generator=generator)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)


class Generator(NormalWeights, nn.Sequential):
    """Latents [B, L] -> images [B, C, H, W] in (-1, 1); 3,813,379 parameters at 32x32.

    Args:
        shape: [C, H, W], sides that can be halved at least once; 32x32 in the paper.
        latent_dim: L, 128 in the paper.
        width: channels of the largest feature map, doubled at each halving; 64 in the paper.
        entry_norm: batch norm between the dense layer and its ReLU, as in GN-GAN; without it, as in
            RelativisticGAN and StudioGAN, 3,812,355 parameters.
        momentum: of batch norm's running averages, see `BatchNorm`.
        eps: of batch norm.
        std: standard deviation of the initial weights.
    """

    pixel_range = (-1.0, 1.0)
    bounded = True  # a tanh

    def __init__(
        self,
        shape: list[int],
        latent_dim: int,
        *,
        width: int,
        entry_norm: bool,
        momentum: float,
        eps: float,
        std: float,
    ) -> None:
        check_sizes(latent_dim=latent_dim, width=width)
        self.std = std
        levels = levels_of(shape)
        deep = width << (len(levels) - 1)
        low = (deep, *levels[0])
        layers: list[nn.Module] = [nn.Linear(latent_dim, math.prod(low)), nn.Unflatten(1, low)]
        if entry_norm:
            layers.append(EpsBatchNorm(deep, momentum=momentum, eps=eps))
        layers.append(nn.ReLU())
        for _ in levels[1:]:
            up = nn.ConvTranspose2d(deep, deep // 2, 4, stride=2, padding=1)
            deep //= 2
            layers += [up, EpsBatchNorm(deep, momentum=momentum, eps=eps), nn.ReLU()]
        super().__init__(*layers, nn.Conv2d(deep, shape[0], 3, padding=1), nn.Tanh())


class Discriminator(NormalWeights):
    """Images [B, C, H, W] in [-1, 1] -> logits [B]; 5,860,865 parameters at 32x32.

    Eight layers have weights at 32x32 and 64x64, six at 16x16 and 28x28, four at 8x8.

    Args:
        shape, width, std: as in `Generator`.
    """

    pixel_range = (-1.0, 1.0)

    def __init__(self, shape: list[int], *, width: int, std: float) -> None:
        super().__init__()
        check_sizes(width=width)
        self.std = std
        levels, deep = levels_of(shape), width
        layers = [nn.Conv2d(shape[0], width, 3, padding=1), nn.LeakyReLU(SLOPE)]
        for _ in levels[1:]:
            down = nn.Conv2d(deep, 2 * deep, 4, stride=2, padding=1)
            deep *= 2
            same = nn.Conv2d(deep, deep, 3, padding=1)
            layers += [down, nn.LeakyReLU(SLOPE), same, nn.LeakyReLU(SLOPE)]
        self.downward = nn.Sequential(*layers, nn.Flatten())
        self.score = nn.Linear(deep * math.prod(levels[0]), 1)

    def features(self, images: Tensor) -> Tensor:
        """Return the last feature map, flat: [B, F]."""
        return self.downward(images)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [B] of images [B, C, H, W]."""
        return self.score(self.features(images)).squeeze(1)
