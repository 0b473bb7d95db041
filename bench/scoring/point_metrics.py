"""Metrics of points: modes of a mixture, and distances for which points need no features."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.metrics import kernel, modes, transport
from bench.scoring.features import Features, Reference
from bench.scoring.metric_spec import MetricSpec, check_n_most, equal_parts, is_points


@dataclass(frozen=True)
class Modes(MetricSpec):
    """Modes covered and share of high-quality samples; the features are the points themselves.

    Args:
        min_samples: number of high-quality samples from which on a mode is covered.
    """

    min_samples: int

    directions = {k: modes.DIRECTIONS[k] for k in ("modes_covered", "high_quality")}

    def applies(self, reference: Reference) -> bool:
        """Return whether the data are a mixture with known centres."""
        return getattr(reference.source, "modes", None) is not None

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """Return {"modes_covered": number, "high_quality": share}."""
        centres, radius = reference.source.modes.centres, reference.source.modes.radius
        points = fake.features
        covered = modes.modes_covered(points, centres, radius=radius, min_samples=self.min_samples)
        share = modes.high_quality(points, centres, radius=radius)
        return {"modes_covered": float(covered), "high_quality": share}


class PointMetric(MetricSpec):
    """Base class of the metrics that compare points, which are their own features."""

    n_most: int

    def __post_init__(self) -> None:
        check_n_most(type(self).__name__.lower(), self.n_most, 2)

    def applies(self, reference: Reference) -> bool:
        """Return whether the samples are points."""
        return is_points(reference)


@dataclass(frozen=True)
class Transport(PointMetric):
    """Exact Wasserstein distances between equally many points.

    Args:
        n_most: largest number of points a side; the time grows with its cube.
    """

    n_most: int

    directions = transport.DIRECTIONS

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """Return {"wasserstein_1": value, "wasserstein_2": value}."""
        real, generated = equal_parts(reference, fake, self.n_most)
        first = transport.wasserstein_1(real, generated)
        return {"wasserstein_1": first, "wasserstein_2": transport.wasserstein_2(real, generated)}


@dataclass(frozen=True)
class Mmd(PointMetric):
    """Squared maximum mean discrepancy under a sum of Gaussian kernels.

    Args:
        factors: bandwidths, as multiples of the median distance between real points.
        n_most: largest number of points a side.
    """

    factors: Sequence[float]
    n_most: int

    directions = {"mmd": kernel.DIRECTIONS["mmd"]}

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """Return {"mmd": value}; unbiased, so that it may lie below 0."""
        points, generated = equal_parts(reference, fake, self.n_most)
        real = points.astype(np.float64)
        first = real[:1000]  # half a million pairs: more would hardly move their median
        distances = np.linalg.norm(first[:, None] - first, axis=2)
        median = float(np.median(distances[np.triu_indices(len(first), 1)]))
        bandwidths = [factor * median for factor in self.factors]
        return {"mmd": kernel.mmd(real, generated, bandwidths)}
