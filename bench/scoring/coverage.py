"""Metrics that separate fidelity from coverage: by neighbours, by clusters."""

from dataclasses import dataclass

from bench.metrics import prd, prdc
from bench.scoring.features import Features, Reference
from bench.scoring.metric_spec import MetricSpec, check_n_most, equal_parts


@dataclass(frozen=True)
class Neighbours(MetricSpec):
    """Precision, recall, density, coverage.

    Args:
        k: number of neighbours.
        strict: whether a sample on a sphere lies outside.
        n_most: largest number of real and of generated samples; None: all.
        max_bytes: memory of a block of distances.

    Real and generated samples are used in equal numbers.
    """

    k: int
    strict: bool
    n_most: int | None
    max_bytes: int

    directions = prdc.DIRECTIONS

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError(f"prdc: k must be 1 at least, found {self.k}")
        check_n_most("prdc", self.n_most, self.required_samples)

    @property
    def required_samples(self) -> int:
        """k + 1: a sample has k neighbours beside itself."""
        return self.k + 1

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """Return precision, recall, density and coverage by name."""
        sides = equal_parts(reference, fake, self.n_most)
        return prdc.prdc(*sides, k=self.k, strict=self.strict, max_bytes=self.max_bytes)


@dataclass(frozen=True)
class PrecisionRecallCurve(MetricSpec):
    """F8 and F1/8, the two summaries of the precision-recall curve of Sajjadi et al.

    Args:
        clusters, n_init, batch_size, angles: arguments of `bench.metrics.prd.prd_curve`.
        clusterings: number of clusterings, of seeds 0, 1, 2 ..., over which the curve is averaged.
        n_most: largest number of real and of generated samples, in equal numbers; None: all.
    """

    clusters: int
    n_init: int
    batch_size: int
    angles: int
    clusterings: int
    n_most: int | None

    directions = prd.DIRECTIONS

    def __post_init__(self) -> None:
        check_n_most("prd", self.n_most, self.required_samples)

    @property
    def required_samples(self) -> int:
        """One sample for each cluster."""
        return self.clusters

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """Return {"prd_f8": value, "prd_f1_8": value}: recall and precision, in this order."""
        curve = prd.prd_curve(
            *equal_parts(reference, fake, self.n_most),
            clusters=self.clusters,
            n_init=self.n_init,
            batch_size=self.batch_size,
            angles=self.angles,
            seeds=range(self.clusterings),
        )
        return prd.summary(curve)
