"""Measures: metrics of floor 1 as parts that a protocol lists; `conf/metric/` has one yaml each.

A measure says what it gives (`directions`), what it needs and where it applies; where it does not,
its scores are absent. The metrics' own modules hold the equations. A name with a dot is a detail
beside a score: it has no better side.
"""

from typing import ClassVar

import numpy as np

from bench.scoring.features import Features, Reference


class MetricSpec:
    """Scores from real and generated features.

    Args of subclasses come from `conf/metric/` and stand in the protocol.
    """

    directions: ClassVar[dict[str, str]] = {}
    needs: ClassVar[frozenset[str]] = frozenset()  # of "train" and "sampler"
    noisy: ClassVar[bool] = True  # whether further latent seeds score it too

    @property
    def least(self) -> int:
        """How many samples it takes on either side."""
        return 2

    @property
    def n_images(self) -> int:
        """How many of the first images, real and generated, it looks at."""
        return 0

    def applies(self, reference: Reference) -> bool:
        """Whether it has a meaning for these data and this extractor."""
        return True

    def names(self, reference: Reference) -> dict[str, str]:
        """The scores that it gives for these data, with their directions."""
        return self.directions

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """Scores and details by name."""
        raise NotImplementedError


def is_points(reference: Reference) -> bool:
    """Whether the samples are points, which are their own features."""
    shape = getattr(reference.source, "shape", None)
    return shape is not None and len(shape) == 1


def check_most(name: str, n_most: int | None, least: int) -> None:
    """Refuse a limit below what the measure needs.

    Raises:
        ValueError: it is.
    """
    if n_most is not None and n_most < least:
        raise ValueError(f"{name}: n_most must be {least} at least, or null for all, not {n_most}")


def rng(seed: int) -> np.random.Generator:
    """A measure's own draws: of blocks and clusters, never of samples."""
    return np.random.Generator(np.random.PCG64(seed))
