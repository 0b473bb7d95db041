"""Memorised samples: Alaa et al. 2022 (arXiv:2102.08921), section 3, authenticity = 1 - memorised.

A sample is memorised if it is nearer to a training sample than that one's nearest other
training sample. Many real samples that were not trained on are so too, 2/3 of them on a line,
fewer in more dimensions: a share says something only beside theirs, in the same features.
"""

from typing import NamedTuple

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


def memorised(samples: np.ndarray, train: np.ndarray, *, max_bytes: int) -> Memorised:
    """d(x, t) < d(t, t') with t nearest to x and t' nearest to t in the training set.

    Args:
        samples: features of generated or held-out samples, [M, F].
        train: features of all training samples, [N, F].
        max_bytes: distances are held in blocks of this size.

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
    first, _ = distinct(train)
    if len(first) < 2:
        raise ValueError(f"memorised: two different training samples at least, found {len(first)}")
    different = train[first]
    near, squares = Distances(samples, different, max_bytes=max_bytes).nearest(1, ignore=None)
    # Only those that are somebody's nearest need their own nearest.
    used, place = np.unique(near[:, 0], return_inverse=True)
    own = Distances(different[used], different, max_bytes=max_bytes).nearest(1, ignore=used)[1]
    spacing = own[place, 0]
    return Memorised(
        squares[:, 0] < spacing, first[near[:, 0]], np.sqrt(squares[:, 0]), np.sqrt(spacing)
    )
