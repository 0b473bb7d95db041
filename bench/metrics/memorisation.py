"""Memorised samples: Alaa et al. 2022 (arXiv:2102.08921), section 3, authenticity = 1 - memorised.

A sample is memorised if it is nearer to a training sample than that one's nearest other
training sample. Many real samples that were not trained on are so too, 2/3 of them on a line,
fewer in more dimensions: a share says something only beside theirs, in the same features.
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from bench.metrics.neighbours import Distances, distinct, floats

DIRECTIONS = {"memorised": "lower"}
UNITS = {"memorised": "share of generated samples, 0 to 1"}
TITLES = {"memorised": "memorised share"}
POSITIONS = {"memorised": 60}


class Memorised(NamedTuple):
    """Distances of M samples to the training samples, and which of them are memorised."""

    mask: np.ndarray  # [M], whether distance < spacing
    nearest: np.ndarray  # [M], row of the nearest training sample
    distance: np.ndarray  # [M], to it
    spacing: np.ndarray  # [M], from it to its nearest other training sample, above 0

    @property
    def share(self) -> float:
        """Memorised samples over all."""
        return float(self.mask.mean())

    def worst(self, count: int) -> np.ndarray:
        """Samples with the smallest distance / spacing, in ascending order: rows [count]."""
        return np.argsort(self.distance / self.spacing, kind="stable")[:count]


@dataclass(frozen=True)
class Spacings:
    """Squared distances of training samples to their nearest others, computed when first needed.

    They depend on the training samples alone: kept between calls they save time and change no bit.

    Args:
        first: rows of the U different training samples, ascending, [U].
        squares: squared distances [U], filled in place; NaN where not computed yet.
    """

    first: np.ndarray
    squares: np.ndarray

    @classmethod
    def of(cls, train: np.ndarray) -> Self:
        """Return spacings of training samples [N, F], none of them computed yet."""
        first, _ = distinct(floats(train))
        return cls(first, np.full(len(first), np.nan))

    def fill(self, used: np.ndarray, different: np.ndarray, *, max_bytes: int) -> None:
        """Compute those of the samples `used` that are missing.

        Args:
            used: places among the different samples, [n], none twice.
            different: the different training samples, [U, F].
        """
        missing = used[np.isnan(self.squares[used])]
        if len(missing):
            distances = Distances(different[missing], different, max_bytes=max_bytes)
            self.squares[missing] = distances.nearest(1, ignore=missing)[1][:, 0]


def memorised(
    samples: np.ndarray, train: np.ndarray, *, max_bytes: int, spacings: Spacings | None = None
) -> Memorised:
    """d(x, t) < d(t, t') with t nearest to x and t' nearest to t in the training set.

    Args:
        samples: features of generated or held-out samples, [M, F].
        train: features of all training samples, [N, F].
        max_bytes: distances are held in blocks of this size.
        spacings: of `train`, as an earlier call left them; None: `Spacings.of(train)`.

    Returns:
        All of the samples are memorised where they are copies of training samples.

    Raises:
        ValueError: no sample, fewer than two different training samples, the widths differ, or a
            feature is not finite.

    Deviation: a training sample that occurs twice is one. In the paper its nearest other sample
    is its copy, at distance 0, and what a generator copies from it counts as authentic.
    """
    samples, train = floats(samples), floats(train)
    if samples.ndim != 2 or train.ndim != 2 or samples.shape[1] != train.shape[1]:
        raise ValueError(
            f"memorised: features [M, F] and [N, F], found {samples.shape}, {train.shape}"
        )
    if not len(samples) or not (np.isfinite(samples).all() and np.isfinite(train).all()):
        raise ValueError("memorised: one sample at least, and neither NaN nor infinity")
    spacings = Spacings.of(train) if spacings is None else spacings
    first = spacings.first
    if len(first) < 2:
        raise ValueError(f"memorised: two different training samples at least, found {len(first)}")
    different = train if len(first) == len(train) else train[first]
    near, squares = Distances(samples, different, max_bytes=max_bytes).nearest(1, ignore=None)
    nearest, distance = near[:, 0], squares[:, 0]
    # Only those that are somebody's nearest need their own nearest.
    spacings.fill(np.unique(nearest), different, max_bytes=max_bytes)
    spacing = spacings.squares[nearest]
    return Memorised(distance < spacing, first[nearest], np.sqrt(distance), np.sqrt(spacing))
