"""Intervals over seeds, the same for all statements."""

from collections.abc import Sequence

import numpy as np

from bench.core.seeds import numpy_generator
from bench.stats import bootstrap_mean
from bench.stats.intervals import percentiles
from bench.theory.experiment import Number

LEVEL, RESAMPLES = 0.95, 10_000


def mean_over_seeds(name: str, values: Sequence[float] | np.ndarray, known: str = "") -> Number:
    """Mean over seeds with its 95 % percentile bootstrap interval; values [seeds], all finite."""
    rng = numpy_generator(0, "score")
    found = bootstrap_mean(values, level=LEVEL, resamples=RESAMPLES, generator=rng)
    return Number(name, *map(float, found), known=known)


def median_over_seeds(name: str, values: Sequence[float] | np.ndarray, known: str = "") -> Number:
    """Median over seeds with its 95 % percentile bootstrap interval; infinity is allowed."""
    values = np.asarray(values, dtype=np.float64)
    draws = numpy_generator(0, "score").choice(values, size=(RESAMPLES, len(values)))
    low, high = percentiles(np.median(draws, axis=1), LEVEL)
    return Number(name, float(np.median(values)), float(low), float(high), known)
