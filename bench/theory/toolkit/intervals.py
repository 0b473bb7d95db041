"""95 % percentile bootstrap intervals over seeds, the same for all experiments."""

import numpy as np

from bench.core.seeds import numpy_generator
from bench.stats import bootstrap_mean
from bench.stats.intervals import Values, percentiles
from bench.theory.experiment import Quantity

LEVEL, RESAMPLES = 0.95, 10_000


def mean_over_seeds(name: str, values: Values, expected: str = "") -> Quantity:
    """Mean over seeds with its bootstrap interval; values [seeds], all finite."""
    rng = numpy_generator(0, "score")
    mean, low, high = bootstrap_mean(values, level=LEVEL, resamples=RESAMPLES, generator=rng)
    return Quantity(name, float(mean), float(low), float(high), expected)


def mean_or_nan(name: str, values: Values, expected: str = "") -> Quantity:
    """Mean over seeds with its interval; NaN, which satisfies no rule, if a value is not finite."""
    if not np.isfinite(values).all():
        return Quantity(name, np.nan, np.nan, np.nan, expected)
    return mean_over_seeds(name, values, expected)


def median_over_seeds(name: str, values: Values, expected: str = "") -> Quantity:
    """Median over seeds with its bootstrap interval; values [seeds], infinity is allowed."""
    values = np.asarray(values, dtype=np.float64)
    draws = numpy_generator(0, "score").choice(values, size=(RESAMPLES, len(values)))
    low, high = percentiles(np.median(draws, axis=1), LEVEL)
    return Quantity(name, float(np.median(values)), float(low), float(high), expected)
