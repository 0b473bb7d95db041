"""Measures: metrics of floor 1 as parts that a protocol lists; `conf/metric/` has one yaml each.

A measure says what it gives (`directions`), what it needs and where it applies; where it does not,
its scores are absent. The metrics' own modules hold the equations. A name with a dot is a detail
beside a score: it has no better side.
"""

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.errors import Caution
from bench.metrics import frechet, inception_score, kernel, prd, prdc
from bench.scoring.features import Features, Reference


class Measure:
    """Scores from real and generated features.

    Args of subclasses come from `conf/metric/` and stand in the protocol.
    """

    directions: ClassVar[dict[str, str]] = {}
    needs: ClassVar[frozenset[str]] = frozenset()  # of "train" and "sampler"
    least: int = 2  # samples on either side
    n_images: int = 0  # how many of the first images, real and generated, it looks at
    noisy: ClassVar[bool] = True  # whether further latent seeds score it too

    def applies(self, reference: Reference) -> bool:
        """Whether it has a meaning for these data and this extractor."""
        return True

    def names(self, reference: Reference) -> dict[str, str]:
        """The scores that it gives for these data, with their directions."""
        return self.directions

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """Scores and details by name."""
        raise NotImplementedError


def of_points(reference: Reference) -> bool:
    """Whether the samples are points, which are their own features."""
    shape = getattr(reference.source, "shape", None)
    return shape is not None and len(shape) == 1


def rng(seed: int) -> np.random.Generator:
    """A measure's own draws: of blocks and clusters, never of samples."""
    return np.random.Generator(np.random.PCG64(seed))


@dataclass(frozen=True)
class Frechet(Measure):
    """Frechet distance between Gaussians fitted to the features, squared.

    Beside it stands what sampling alone adds to it, to leading order.
    """

    directions = {"frechet": frechet.DIRECTIONS["frechet"]}

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """{"frechet": value, "frechet.expected_bias": value}."""
        real_mean, real_cov = frechet.moments(reference.real.features)
        n_real, n_fake = len(reference.real), len(fake)
        bias = frechet.expected_bias(real_cov, n_fake, n_real)
        width = len(real_mean)
        if min(n_real, n_fake) <= width:
            warnings.warn(
                f"Frechet distance of {n_real:,} real and {n_fake:,} generated samples in "
                f"{width:,} features: sampling alone adds about {bias:.3g}; take more samples",
                Caution,
                stacklevel=2,
            )
        value = frechet.frechet_distance(real_mean, real_cov, *frechet.moments(fake.features))
        return {"frechet": value, "frechet.expected_bias": bias}


@dataclass(frozen=True)
class InceptionScore(Measure):
    """The Inception Score's formula on the extractor's class probabilities.

    Args:
        splits: of which the mean is taken beside the score of all samples at once; None: no splits.
    """

    splits: int | None

    directions = inception_score.DIRECTIONS

    @property
    def least(self) -> int:  # type: ignore[override]
        """One for each split."""
        return self.splits or 2

    def names(self, reference: Reference) -> dict[str, str]:
        """Without splits the score of all samples alone."""
        return self.directions if self.splits is not None else {"inception_score": "higher"}

    def applies(self, reference: Reference) -> bool:
        """Where the extractor classifies."""
        return reference.real.logits is not None

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """{"inception_score": value} and, with splits, their mean and its spread."""
        assert fake.logits is not None
        found = {"inception_score": inception_score.inception_score(fake.logits)}
        if self.splits is not None:
            mean, sd = inception_score.inception_score_splits(fake.logits, self.splits)
            found |= {"inception_score_splits": mean, "inception_score_splits.sd": sd}
        return found


@dataclass(frozen=True)
class Neighbours(Measure):
    """Precision, recall, density, coverage.

    Args:
        k: neighbours.
        strict: whether a sample on a sphere lies outside.
        n_most: of real and of generated samples; None: all.
        max_bytes: memory of a block of distances.

    Real and generated samples are used in equal numbers.
    """

    k: int
    strict: bool
    n_most: int | None
    max_bytes: int

    directions = prdc.DIRECTIONS

    @property
    def least(self) -> int:  # type: ignore[override]
        """A sample has k others."""
        return self.k + 1

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """The four scores by name."""
        real = reference.real.features
        count = min(len(real), len(fake), self.n_most or len(real))
        return prdc.prdc(
            real[:count],
            fake.features[:count],
            k=self.k,
            strict=self.strict,
            max_bytes=self.max_bytes,
        )


@dataclass(frozen=True)
class FrechetInfinity(Measure):
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

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """{"frechet_infinity": value}, which may be below 0."""
        sizes = np.linspace(self.smallest * len(fake), len(fake), self.points).round().astype(int)
        if sizes[0] < 2 or len(set(sizes)) < 2:  # a handful of samples has no line
            return {}
        moments = frechet.moments(reference.real.features)
        value = frechet.frechet_infinity(
            *moments, fake.features, sizes=sizes.tolist(), rng=rng(self.seed)
        )
        return {"frechet_infinity": value}


@dataclass(frozen=True)
class Kernel(Measure):
    """Kernel distance (KID's estimators): of all samples, and as a mean over disjoint blocks.

    Args:
        block_size: at most, and such that there are two; None: no blocks.
    """

    block_size: int | None

    directions = {k: kernel.DIRECTIONS[k] for k in ("kernel", "kernel_blocks")}

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


@dataclass(frozen=True)
class PrecisionRecallCurve(Measure):
    """The two summaries of the curve of Sajjadi et al.

    Args:
        clusters, n_init, batch_size, angles: see `bench.metrics.prd`.
        clusterings: over which the curve is averaged; their seeds are 0, 1, 2 ...
        n_most: of real and of generated samples, in equal numbers; None: all.
    """

    clusters: int
    n_init: int
    batch_size: int
    angles: int
    clusterings: int
    n_most: int | None

    directions = prd.DIRECTIONS

    @property
    def least(self) -> int:  # type: ignore[override]
        """One for each cluster."""
        return self.clusters

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """{"prd_f8": value, "prd_f1_8": value}: recall and precision, in this order."""
        real = reference.real.features
        count = min(len(real), len(fake), self.n_most or len(real))
        found = prd.prd_curve(
            real[:count],
            fake.features[:count],
            clusters=self.clusters,
            n_init=self.n_init,
            batch_size=self.batch_size,
            angles=self.angles,
            seeds=range(self.clusterings),
        )
        return prd.summary(found)
