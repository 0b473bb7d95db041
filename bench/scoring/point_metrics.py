"""Measures of points: modes of a mixture, and distances for which points need no features."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.metrics import kernel, modes, transport
from bench.scoring.features import Features, Reference
from bench.scoring.metric_spec import MetricSpec, check_most, is_points


@dataclass(frozen=True)
class Modes(MetricSpec):
    """Modes covered and share of high-quality samples; the features are the points themselves.

    Args:
        min_samples: that cover a mode.
    """

    min_samples: int

    directions = {k: modes.DIRECTIONS[k] for k in ("modes_covered", "high_quality")}

    def applies(self, reference: Reference) -> bool:
        """Where the data are a mixture with known centres."""
        return getattr(reference.source, "modes", None) is not None

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """{"modes_covered": number, "high_quality": share}."""
        centres, radius = reference.source.modes.centres, reference.source.modes.radius
        points = fake.features
        covered = modes.modes_covered(points, centres, radius=radius, min_samples=self.min_samples)
        share = modes.high_quality(points, centres, radius=radius)
        return {"modes_covered": float(covered), "high_quality": share}


@dataclass(frozen=True)
class Transport(MetricSpec):
    """Exact Wasserstein distances between equally many points.

    Args:
        n_most: points a side; the time grows with the cube.
    """

    n_most: int

    directions = transport.DIRECTIONS

    def __post_init__(self) -> None:
        check_most("transport", self.n_most, 2)

    def applies(self, reference: Reference) -> bool:
        """For points."""
        return is_points(reference)

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """{"wasserstein_1": value, "wasserstein_2": value}."""
        count = min(len(reference.real), len(fake), self.n_most)
        real, drawn = reference.real.features[:count], fake.features[:count]
        return {
            "wasserstein_1": transport.wasserstein_1(real, drawn),
            "wasserstein_2": transport.wasserstein_2(real, drawn),
        }


@dataclass(frozen=True)
class Mmd(MetricSpec):
    """Squared maximum mean discrepancy under a sum of Gaussian kernels.

    Args:
        factors: bandwidths over the median distance between real points.
        n_most: points a side.
    """

    factors: Sequence[float]
    n_most: int

    directions = {"mmd": kernel.DIRECTIONS["mmd"]}

    def __post_init__(self) -> None:
        check_most("mmd", self.n_most, 2)

    def applies(self, reference: Reference) -> bool:
        """For points."""
        return is_points(reference)

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """{"mmd": value}; unbiased, so that it may lie below 0."""
        count = min(len(reference.real), len(fake), self.n_most)
        real = reference.real.features[:count].astype(np.float64)
        some = real[:1000]  # a median of half a million pairs will not move
        pairs = np.linalg.norm(some[:, None] - some, axis=2)[np.triu_indices(len(some), 1)]
        median = float(np.median(pairs))
        bandwidths = [factor * median for factor in self.factors]
        return {"mmd": kernel.mmd(real, fake.features[:count], bandwidths)}
