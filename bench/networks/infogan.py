"""The study's networks for images, after InfoGAN (Chen et al. 2016, arXiv:1606.03657).

Equal to compare_gan v1's layer by layer: `docs/architecture.md` lists the parameter counts. "SAME"
convolutions of size 4 and stride 2 have padding 1 for even sizes.
"""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from bench.networks.conditional import ConditionalBatchNorm, apply_layers
from bench.networks.layers import EPS, BatchNorm, StudyWeights, check_sizes, norm_if

SLOPE = 0.2  # of the leaky ReLU, compare_gan v1
Norm = Callable[[int], nn.Module]  # channels -> their normalisation


def quarter(shape: list[int]) -> tuple[int, int, int]:
    """(C, H / 4, W / 4) of an image shape; ValueError unless both sides are multiples of 4."""
    channels, height, width = shape
    if height % 4 or width % 4:
        raise ValueError(
            f"images of {height}x{width}: the infogan networks halve the sides twice, "
            "so both must be multiples of 4"
        )
    return channels, height // 4, width // 4


class Upward(nn.Sequential):
    """Vectors [B, entry] -> images [B, C, H, W] in (0, 1): the end of generator and decoders."""

    def __init__(
        self, shape: list[int], entry: int, *, deep: int, shallow: int, slope: float, norm: Norm
    ) -> None:
        channels, height, width = quarter(shape)
        super().__init__(
            nn.Linear(entry, deep * height * width),
            norm(deep * height * width),
            nn.LeakyReLU(slope),
            nn.Unflatten(1, (deep, height, width)),
            nn.ConvTranspose2d(deep, shallow, 4, stride=2, padding=1),
            norm(shallow),
            nn.LeakyReLU(slope),
            nn.ConvTranspose2d(shallow, channels, 4, stride=2, padding=1),
            nn.Sigmoid(),
        )


class Downward(nn.Sequential):
    """Images [B, C, H, W] in [0, 1] -> [B, deep * H / 4 * W / 4]; linear at the end if `last`."""

    def __init__(self, shape: list[int], deep: int, shallow: int, normed: bool, last: bool) -> None:
        channels, _, _ = quarter(shape)
        layers: list[nn.Module] = [
            nn.Conv2d(channels, shallow, 4, stride=2, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(shallow, deep, 4, stride=2, padding=1),
        ]
        if not last:
            layers += [norm_if(normed, deep, None), nn.LeakyReLU(SLOPE)]
        super().__init__(*layers, nn.Flatten())


class Generator(StudyWeights):
    """Latents [B, L] -> images [B, C, H, W] in (0, 1), always with batch norm.

    Args:
        shape: [C, H, W], H and W multiples of 4.
        latent_dim: L.
        dense, deep, shallow: widths of the dense layer and the two convolutions.
        momentum: of batch norm's running averages, see `BatchNorm`.
        slope: of the leaky ReLU: 0.2 for generators, 0 for the study's VAE decoder.
        std: standard deviation of the initial weights.
    """

    bounded = True  # a sigmoid

    def __init__(
        self,
        shape: list[int],
        latent_dim: int,
        *,
        dense: int,
        deep: int,
        shallow: int,
        momentum: float,
        slope: float,
        std: float,
    ) -> None:
        super().__init__()
        check_sizes(latent_dim=latent_dim, dense=dense, deep=deep, shallow=shallow)
        self.std = std
        norm = self._norm(momentum)
        self.entry = nn.Sequential(nn.Linear(latent_dim, dense), norm(dense), nn.LeakyReLU(slope))
        self.upward = Upward(shape, dense, deep=deep, shallow=shallow, slope=slope, norm=norm)

    def _norm(self, momentum: float) -> Norm:
        return partial(BatchNorm, momentum=momentum)

    def forward(self, latent: Tensor) -> Tensor:
        """Return images [B, C, H, W] of latents [B, L]."""
        return self.upward(self.entry(latent))


class ConditionalGenerator(Generator):
    """Latents [B, L] and labels [B] -> images in (0, 1), with conditional batch norm throughout.

    Args:
        shape, latent_dim, dense, deep, shallow, momentum, slope, std: as in `Generator`.
        classes: K.

    Deviation: the study has no conditional networks; these are its own with each scale and shift
        of batch norm chosen by the class.
    """

    def __init__(
        self,
        shape: list[int],
        latent_dim: int,
        *,
        classes: int,
        dense: int,
        deep: int,
        shallow: int,
        momentum: float,
        slope: float,
        std: float,
    ) -> None:
        self.classes = classes
        widths = {"dense": dense, "deep": deep, "shallow": shallow}
        super().__init__(shape, latent_dim, **widths, momentum=momentum, slope=slope, std=std)

    def _norm(self, momentum: float) -> Norm:
        return partial(ConditionalBatchNorm, self.classes, momentum=momentum, eps=EPS)

    def forward(self, latent: Tensor, labels: Tensor) -> Tensor:  # type: ignore[override]
        """Return images [B, C, H, W] of latents [B, L] and labels [B] in [0, K)."""
        return apply_layers([*self.entry, *self.upward], latent, labels)


class Trunk(StudyWeights):
    """Images [B, C, H, W] -> [B, units]: what the discriminator and the VAE's encoder share.

    Args:
        shape: [C, H, W], H and W multiples of 4.
        dense, deep, shallow: widths of the dense layer and the two convolutions.
        batch_norm: after the second and third layer, from the batch alone.
        std: standard deviation of the initial weights.
    """

    units: int  # of the last layer, `score`

    def __init__(
        self, shape: list[int], *, dense: int, deep: int, shallow: int, batch_norm: bool, std: float
    ) -> None:
        super().__init__()
        check_sizes(dense=dense, deep=deep, shallow=shallow)
        _, height, width = quarter(shape)
        self.std = std
        self.downward = Downward(shape, deep=deep, shallow=shallow, normed=batch_norm, last=False)
        self.dense = nn.Linear(deep * height * width, dense)
        self.norm = norm_if(batch_norm, dense, None)
        self.score = nn.Linear(dense, self.units)

    def features(self, images: Tensor) -> Tensor:
        """Return the inputs of the last layer, [B, dense]."""
        hidden = self.norm(self.dense(self.downward(images)))
        return nn.functional.leaky_relu(hidden, SLOPE)


class Discriminator(Trunk):
    """Images [B, C, H, W] -> logits [B]."""

    units = 1

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [B] of images [B, C, H, W]."""
        return self.score(self.features(images)).squeeze(1)


class Encoder(Trunk):
    """Images [B, C, H, W] -> (mean, sigma) of q(z | x), each [B, L]; sigma > 1e-6."""

    def __init__(
        self,
        shape: list[int],
        latent_dim: int,
        *,
        dense: int,
        deep: int,
        shallow: int,
        batch_norm: bool,
        std: float,
    ) -> None:
        self.units = 2 * latent_dim
        widths = {"dense": dense, "deep": deep, "shallow": shallow}
        super().__init__(shape, **widths, batch_norm=batch_norm, std=std)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and sigma, [B, L] each, of images [B, C, H, W]."""
        mean, unbounded = self.score(self.features(images)).chunk(2, dim=1)
        return mean, 1e-6 + nn.functional.softplus(unbounded)


class Autoencoder(StudyWeights):
    """Images [B, C, H, W] -> their reconstructions in (0, 1): BEGAN's discriminator.

    Args:
        shape, deep, shallow, std: as in `Trunk`.
        code: width of the bottleneck, 64 in the study.
        batch_norm: after the code and in the decoder, from the batch alone.
    """

    def __init__(
        self, shape: list[int], *, code: int, deep: int, shallow: int, batch_norm: bool, std: float
    ) -> None:
        super().__init__()
        check_sizes(code=code, deep=deep, shallow=shallow)
        _, height, width = quarter(shape)
        self.std = std
        self.downward = Downward(shape, deep=deep, shallow=shallow, normed=False, last=True)
        self.code = nn.Linear(deep * height * width, code)
        norm = partial(norm_if, batch_norm, momentum=None)
        self.norm = norm(code)
        self.upward = Upward(shape, code, deep=deep, shallow=shallow, slope=SLOPE, norm=norm)

    def forward(self, images: Tensor) -> Tensor:
        """Return reconstructions of images, [B, C, H, W]."""
        code = nn.functional.leaky_relu(self.norm(self.code(self.downward(images))), SLOPE)
        return self.upward(code)
