"""Modes of a mixture found by a generator: Srivastava et al. 2017 (VEEGAN, arXiv:1705.07761).

A sample is of high quality if it lies within `radius` of its nearest centre, three standard
deviations there and in Lin et al. 2018 (PacGAN, arXiv:1712.04086), section 4.1. A mode is
covered if `min_samples` such samples are nearest to it, one in both papers.
"""

import numpy as np
from scipy.spatial.distance import cdist

DIRECTIONS = {"modes_covered": "higher", "high_quality": "higher"}
UNITS = {"modes_covered": "modes", "high_quality": "share of samples, 0 to 1"}


def modes_covered(
    samples: np.ndarray, centres: np.ndarray, *, radius: float, min_samples: int
) -> int:
    """Number of centres [K, D] with at least `min_samples` high-quality samples [N, D].

    Raises:
        ValueError: no sample, a coordinate is not finite, or `min_samples` is below 1.
    """
    if min_samples < 1:
        raise ValueError(f"modes_covered: min_samples must be 1 at least, found {min_samples}")
    nearest, distance = _nearest(samples, centres)
    found = np.bincount(nearest[distance <= radius], minlength=len(centres))
    return int((found >= min_samples).sum())


def high_quality(samples: np.ndarray, centres: np.ndarray, *, radius: float) -> float:
    """Share of samples [N, D] within `radius` of their nearest centre [K, D].

    Raises:
        ValueError: no sample, or a coordinate is not finite.
    """
    return float((_nearest(samples, centres)[1] <= radius).mean())


def _nearest(samples: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    samples = np.asarray(samples, dtype=np.float64)
    if samples.ndim != 2 or not len(samples) or not np.isfinite(samples).all():
        raise ValueError("modes: samples must be finite points [N, D], one at least")
    distances = cdist(samples, centres)
    nearest = distances.argmin(1)
    return nearest, distances[np.arange(len(samples)), nearest]
