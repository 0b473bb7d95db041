"""Base class of the metrics that a protocol lists; `conf/metric/` has one yaml for each.

To add a metric: write its formula in `bench/metrics`, with the declarations that `bench.metrics`
names; a subclass of `MetricSpec` here, which says what the formula needs and where it applies; a
yaml in `conf/metric/`; and a paragraph in `docs/scores.md`. A score whose metric does not apply is
absent. A name with a dot, such as "frechet.expected_bias", is a detail beside a score and has no
direction.
"""

from typing import ClassVar

import numpy as np

from bench.scoring.features import Features, Reference


class MetricSpec:
    """Scores from real and generated features.

    Subclasses are frozen dataclasses; their fields come from `conf/metric/`, stand in the protocol
    and are hashed into it.
    """

    directions: ClassVar[dict[str, str]] = {}
    needs: ClassVar[frozenset[str]] = frozenset()  # of "train", "sampler", "labels"
    noisy: ClassVar[bool] = True  # whether further latent seeds score it too

    @property
    def required_samples(self) -> int:
        """Smallest number of real, and of generated, samples that the metric can work on."""
        return 2

    @property
    def n_images(self) -> int:
        """Number of the first images, real and generated, whose pixels the metric reads."""
        return 0

    def applies(self, reference: Reference) -> bool:
        """Return whether the metric is defined for these data and this extractor."""
        return True

    def names(self, reference: Reference) -> dict[str, str]:
        """Return score -> direction ("lower" or "higher") of the scores it has for these data."""
        return self.directions

    def __call__(self, reference: Reference, fake: Features) -> dict[str, float]:
        """Return scores and details by name."""
        raise NotImplementedError


def is_points(reference: Reference) -> bool:
    """Return whether the samples are points [D], which are their own features."""
    shape = getattr(reference.source, "shape", None)
    return shape is not None and len(shape) == 1


def check_n_most(name: str, n_most: int | None, required: int) -> None:
    """Refuse an upper limit on samples below the number that the metric needs.

    Raises:
        ValueError: `n_most` is below `required`.
    """
    if n_most is not None and n_most < required:
        message = f"{name}: n_most must be {required} at least, or null for all, not {n_most}"
        raise ValueError(message)


def equal_parts(reference: Reference, fake: Features, n_most: int | None) -> list[np.ndarray]:
    """Return the first real and generated features, equally many: `n_most` at most; None: all."""
    sides = [reference.real.features, fake.features]
    count = min(*map(len, sides), *([] if n_most is None else [n_most]))
    return [side[:count] for side in sides]


def rng(seed: int) -> np.random.Generator:
    """Return the generator of a metric's own draws: of blocks and clusters, never of samples."""
    return np.random.Generator(np.random.PCG64(seed))
