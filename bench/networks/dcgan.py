"""DCGAN: Radford et al. 2015 (arXiv:1511.06434), section 3 and figure 1.

Strided convolutions; batch norm except at the generator's output and the discriminator's input;
ReLU in the generator, leaky ReLU in the discriminator. Each layer doubles or halves the sides. The
image decides how many there are: sides are halved while both are even and at least 4 remain, so
64x64 has the paper's four layers, 32x32 three, 28x28 two (down to 7x7), 8x8 one.

Deviation: images lie in [0, 1], so the output is a sigmoid where the paper has tanh for [-1, 1].
    Kernels are 4x4, as in the authors' code; figure 1 has 5x5. Batch norm's eps is `layers.EPS`.
"""

from torch import Tensor, nn

from bench.networks.layers import StudyWeights, check_sizes, norm_if

SLOPE = 0.2  # of the leaky ReLU, section 4
LEAST_SIDE = 4  # of the smallest feature map, figure 1


def halvings(height: int, width: int) -> int:
    """Return how often both sides can be halved, or raise a ValueError if not even once."""
    count = 0
    while not (height % 2 or width % 2) and min(height, width) >= 2 * LEAST_SIDE:
        height, width, count = height // 2, width // 2, count + 1
    if not count:
        raise ValueError(
            f"images of {height}x{width}: the dcgan networks halve the sides, so both must be "
            f"even and {2 * LEAST_SIDE} or more"
        )
    return count


class Generator(StudyWeights, nn.Sequential):
    """Latents [B, L] -> images [B, C, H, W] in (0, 1).

    Args:
        shape: [C, H, W], sides that can be halved at least once.
        latent_dim: L.
        width: channels of the largest feature map, doubled at each halving.
        batch_norm: after all layers but the last; layers without batch norm have a bias.
        momentum: of batch norm's running averages, see `BatchNorm`.
        std: standard deviation of the initial weights.
    """

    bounded = True  # a sigmoid

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
        check_sizes(latent_dim=latent_dim, width=width)
        self.std = std
        channels, *sides = shape
        count = halvings(*sides)
        deep, (low, narrow) = width << (count - 1), (side >> count for side in sides)
        layers: list[nn.Module] = [
            nn.Linear(latent_dim, deep * low * narrow, bias=not batch_norm),
            nn.Unflatten(1, (deep, low, narrow)),
            norm_if(batch_norm, deep, momentum),
            nn.ReLU(),
        ]
        for _ in range(count - 1):
            up = nn.ConvTranspose2d(deep, deep // 2, 4, stride=2, padding=1, bias=not batch_norm)
            deep //= 2
            layers += [up, norm_if(batch_norm, deep, momentum), nn.ReLU()]
        last = nn.ConvTranspose2d(deep, channels, 4, stride=2, padding=1)
        super().__init__(*layers, last, nn.Sigmoid())


class Discriminator(StudyWeights):
    """Images [B, C, H, W] -> logits [B].

    Args:
        shape, width, std: as in `Generator`.
        batch_norm: after all convolutions but the first, from the batch alone.
    """

    def __init__(self, shape: list[int], *, width: int, batch_norm: bool, std: float) -> None:
        super().__init__()
        check_sizes(width=width)
        self.std = std
        channels, height, image_width = shape
        count = halvings(height, image_width)
        first = nn.Conv2d(channels, width, 4, stride=2, padding=1)
        layers, deep = [first, nn.LeakyReLU(SLOPE)], width
        for _ in range(count - 1):
            down = nn.Conv2d(deep, 2 * deep, 4, stride=2, padding=1, bias=not batch_norm)
            deep *= 2
            layers += [down, norm_if(batch_norm, deep, None), nn.LeakyReLU(SLOPE)]
        self.downward = nn.Sequential(*layers, nn.Flatten())
        self.score = nn.Linear(deep * (height >> count) * (image_width >> count), 1)

    def features(self, images: Tensor) -> Tensor:
        """Return the last feature map, flat: [B, F]."""
        return self.downward(images)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [B] of images [B, C, H, W]."""
        return self.score(self.features(images)).squeeze(1)
