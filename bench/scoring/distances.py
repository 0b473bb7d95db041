"""Metrics that compare distributions of features: Frechet, extrapolated Frechet, kernel."""

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

    Its detail `frechet.expected_bias` is what sampling alone adds to it, to leading order.
    """

    directions = {"frechet": frechet.DIRECTIONS["frechet"]}

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """Return {"frechet": value, "frechet.expected_bias": value}."""
        moments = frechet.moments(reference.real.features)
        return frechet_scores(*moments, len(reference.real), fake.features)


def frechet_scores(
    real_mean: np.ndarray, real_cov: np.ndarray, n_real: int | None, features: np.ndarray
) -> dict[str, float]:
    """Return the Frechet distance to given statistics, and what sampling alone adds to it.

    Args:
        real_mean, real_cov: mean [F] and covariance [F, F] of real features.
        n_real: number of samples behind the statistics; None where their file does not state it.
        features: features of generated samples, [M, F].
    """
    n_fake, width = len(features), len(real_mean)
    bias = frechet.expected_bias(real_cov, n_fake, n_real)
    if min(n_real or n_fake, n_fake) <= width:
        real = "an unknown number of" if n_real is None else f"{n_real:,}"
        samples = f"{real} real and {n_fake:,} generated samples in {width:,} features"
        advice = f"sampling alone adds about {bias:.3g}; take more samples"
        warnings.warn(f"Frechet distance of {samples}: {advice}", Caution, stacklevel=2)
    value = frechet.frechet_distance(real_mean, real_cov, *frechet.moments(features))
    return {"frechet": value, "frechet.expected_bias": bias}


@dataclass(frozen=True)
class FrechetInfinity(MetricSpec):
    """Frechet distance extrapolated to infinitely many generated samples.

    Args:
        points: number of subset sizes that the line is fitted to; the largest is all samples.
        smallest: smallest subset, as a share of the samples.
        seed: seed of the draw of the subsets.
    """

    points: int
    smallest: float
    seed: int

    directions = {"frechet_infinity": frechet.DIRECTIONS["frechet_infinity"]}

    def __post_init__(self) -> None:
        if not (0 < self.smallest < 1 and self.points >= 2):
            found = f"smallest={self.smallest}, points={self.points}"
            wanted = "a share below 1 and two points at least"
            raise ValueError(f"frechet_infinity: {wanted}, found {found}")

    @property
    def required_samples(self) -> int:
        """Number of which the smallest subset has two samples."""
        return int(np.ceil(2 / self.smallest))

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """Return {"frechet_infinity": value}, which may be below 0."""
        sizes = np.linspace(self.smallest * len(fake), len(fake), self.points).round().astype(int)
        moments = frechet.moments(reference.real.features)
        line = {"sizes": sizes.tolist(), "rng": rng(self.seed)}
        return {"frechet_infinity": frechet.frechet_infinity(*moments, fake.features, **line)}


@dataclass(frozen=True)
class Kernel(MetricSpec):
    """Kernel distance (KID's estimators): of all samples, and as a mean over disjoint blocks.

    Args:
        block_size: largest number of samples in a block, lowered so that there are two blocks;
            None: no blocks.
    """

    block_size: int | None

    directions = {k: kernel.DIRECTIONS[k] for k in ("kernel", "kernel_blocks")}

    @property
    def required_samples(self) -> int:
        """Two blocks of two samples, or two samples without blocks."""
        return 2 if self.block_size is None else 4

    def names(self, reference: Reference) -> dict[str, str]:
        """Return score -> direction of the estimators that `block_size` asks for."""
        return self.directions if self.block_size is not None else {"kernel": "lower"}

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """Return {"kernel": value} and, with blocks, their mean and its standard error."""
        real = reference.real.features
        scores = {"kernel": kernel.kernel_distance(real, fake.features)}
        count = min(len(real), len(fake))
        if self.block_size is not None:
            # The order is canonical: contiguous blocks are random parts.
            blocks = kernel.disjoint_blocks(np.arange(count), min(self.block_size, count // 2))
            mean, error = kernel.kernel_blocks(real, fake.features, blocks, blocks)
            scores |= {"kernel_blocks": mean, "kernel_blocks.standard_error": error}
        return scores
