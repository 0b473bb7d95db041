"""Measures that compare whole distributions of features: Frechet, extrapolated, kernel."""

import warnings
from dataclasses import dataclass

import numpy as np

from bench.core.errors import Caution
from bench.metrics import frechet, kernel
from bench.scoring.features import Features, Reference
from bench.scoring.metric_spec import MetricSpec, rng


@dataclass(frozen=True)
class Frechet(MetricSpec):
    """Frechet distance between Gaussians fitted to the features, squared.

    Beside it stands what sampling alone adds to it, to leading order.
    """

    directions = {"frechet": frechet.DIRECTIONS["frechet"]}

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """{"frechet": value, "frechet.expected_bias": value}."""
        moments = frechet.moments(reference.real.features)
        return distance_of(*moments, len(reference.real), fake.features)


def distance_of(
    real_mean: np.ndarray, real_cov: np.ndarray, n_real: int | None, features: np.ndarray
) -> dict[str, float]:
    """The Frechet distance to known statistics, and what sampling alone adds to it.

    Args:
        n_real: samples behind the statistics; None where nobody knows.
        features: of generated samples, [M, F].
    """
    n_fake, width = len(features), len(real_mean)
    bias = frechet.expected_bias(real_cov, n_fake, n_real)
    if min(n_real or n_fake, n_fake) <= width:
        real = "unknown many" if n_real is None else f"{n_real:,}"
        warnings.warn(
            f"Frechet distance of {real} real and {n_fake:,} generated samples in {width:,} "
            f"features: sampling alone adds about {bias:.3g}; take more samples",
            Caution,
            stacklevel=2,
        )
    value = frechet.frechet_distance(real_mean, real_cov, *frechet.moments(features))
    return {"frechet": value, "frechet.expected_bias": bias}


@dataclass(frozen=True)
class FrechetInfinity(MetricSpec):
    """Frechet distance extrapolated to infinitely many generated samples.

    Args:
        points: sizes of subsets on the line, the largest is that of all samples.
        smallest: of them, as a share of the samples.
        seed: of the subsets.
    """

    points: int
    smallest: float
    seed: int

    directions = {"frechet_infinity": frechet.DIRECTIONS["frechet_infinity"]}

    def __post_init__(self) -> None:
        if not (0 < self.smallest < 1 and self.points >= 2):
            raise ValueError(
                f"frechet_infinity: a share below 1 and two points at least, found "
                f"smallest={self.smallest}, points={self.points}"
            )

    @property
    def least(self) -> int:
        """The smallest subset has two."""
        return int(np.ceil(2 / self.smallest))

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """{"frechet_infinity": value}, which may be below 0."""
        sizes = np.linspace(self.smallest * len(fake), len(fake), self.points).round().astype(int)
        moments = frechet.moments(reference.real.features)
        value = frechet.frechet_infinity(
            *moments, fake.features, sizes=sizes.tolist(), rng=rng(self.seed)
        )
        return {"frechet_infinity": value}


@dataclass(frozen=True)
class Kernel(MetricSpec):
    """Kernel distance (KID's estimators): of all samples, and as a mean over disjoint blocks.

    Args:
        block_size: at most, and such that there are two; None: no blocks.
    """

    block_size: int | None

    directions = {k: kernel.DIRECTIONS[k] for k in ("kernel", "kernel_blocks")}

    @property
    def least(self) -> int:
        """Two blocks of two."""
        return 2 if self.block_size is None else 4

    def names(self, reference: Reference) -> dict[str, str]:
        """Those of the estimators that are asked for."""
        return self.directions if self.block_size is not None else {"kernel": "lower"}

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """{"kernel": value} and, with blocks, {"kernel_blocks": mean, "...standard_error"}."""
        real = reference.real.features
        found = {"kernel": kernel.kernel_distance(real, fake.features)}
        count = min(len(real), len(fake))
        if self.block_size is not None:
            # The order is canonical: contiguous blocks are random parts.
            blocks = kernel.disjoint_blocks(np.arange(count), min(self.block_size, count // 2))
            mean, error = kernel.kernel_blocks(real, fake.features, blocks, blocks)
            found |= {"kernel_blocks": mean, "kernel_blocks.standard_error": error}
        return found
