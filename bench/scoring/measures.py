"""Measures: metrics of floor 1 as parts that a protocol lists; `conf/metric/` has one yaml each.

A measure says what it gives (`directions`) and where it applies; where it does not, its scores are
absent. The metrics' own modules hold the equations.
"""

from dataclasses import dataclass
from typing import Protocol

from bench.metrics import frechet, inception_score, modes, prdc
from bench.scoring.features import Features, Reference


class Measure(Protocol):
    """Scores from real and generated features."""

    directions: dict[str, str]

    def applies(self, reference: Reference) -> bool:
        """Whether it has a meaning for these data and this extractor."""

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """Scores by name."""


@dataclass(frozen=True)
class Frechet:
    """Frechet distance between Gaussians fitted to the features, squared."""

    directions = frechet.DIRECTIONS

    def applies(self, reference: Reference) -> bool:
        """Always."""
        return True

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """{"frechet": value}."""
        real_moments = frechet.moments(reference.seen.features)
        return {"frechet": frechet.frechet_distance(*real_moments, *frechet.moments(fake.features))}


@dataclass(frozen=True)
class InceptionScore:
    """The Inception Score's formula on the extractor's class probabilities."""

    directions = inception_score.DIRECTIONS

    def applies(self, reference: Reference) -> bool:
        """Where the extractor classifies."""
        return reference.seen.logits is not None

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """{"inception_score": value}, of the generated samples alone."""
        assert fake.logits is not None
        return {"inception_score": inception_score.inception_score(fake.logits)}


@dataclass(frozen=True)
class Neighbours:
    """Precision, recall, density, coverage.

    Args:
        k: neighbours.
        strict: whether a sample on a sphere lies outside.
        max_bytes: memory of a block of distances.

    Real and generated samples are used in equal numbers, the first of each.
    """

    k: int
    strict: bool
    max_bytes: int

    directions = prdc.DIRECTIONS

    def applies(self, reference: Reference) -> bool:
        """Always."""
        return True

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """The four scores by name."""
        real = reference.seen.features
        count = min(len(real), len(fake.features))
        return prdc.prdc(
            real[:count],
            fake.features[:count],
            k=self.k,
            strict=self.strict,
            max_bytes=self.max_bytes,
        )


@dataclass(frozen=True)
class Modes:
    """Modes covered and share of high-quality samples; the features are the points themselves.

    Args:
        min_samples: that cover a mode.
    """

    min_samples: int

    directions = modes.DIRECTIONS

    def applies(self, reference: Reference) -> bool:
        """Where the data are a mixture with known centres."""
        return reference.modes is not None

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """{"modes_covered": number, "high_quality": share}."""
        centres, radius = reference.modes.centres, reference.modes.radius
        points = fake.features
        covered = modes.modes_covered(points, centres, radius=radius, min_samples=self.min_samples)
        share = modes.high_quality(points, centres, radius=radius)
        return {"modes_covered": float(covered), "high_quality": share}
