"""Bootstrap intervals of means and of other statistics, for a handful of runs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import stdtrit

from bench.stats.checks import Values, finite, ordered, probability

# Fewest values with an interval: of 95 % percentile intervals of the mean of n normal values cover
# 80, 85, 88, 89, 93 % for n = 4, 6, 8, 10, 20 (benchmarks/coverage.py).
INTERVAL_RUNS = 10


class Interval(NamedTuple):
    """A statistic and the bounds of its confidence interval."""

    value: float
    low: float
    high: float


def bootstrap_mean(
    values: Values, *, level: float, resamples: int, generator: np.random.Generator
) -> Interval:
    """Mean with its percentile bootstrap interval: Efron and Tibshirani 1993, section 13.3.

    Args:
        values: one score per seed, [n].
        level: of confidence, 0.95 say.
        resamples: how often the n values are drawn with replacement.

    Returns:
        The interval; it is too narrow for few values, for n of normal ones by a factor near
        sqrt(1 - 1/n) besides the missing tails of Student's t. One value gives a point.

    Raises:
        ValueError: no value, one that is not finite, no resample, or a level outside (0, 1).
    """
    values = finite("bootstrap_mean", values)
    means = generator.choice(values, size=(resamples, len(values))).mean(1)
    low, high = percentiles(means, level)
    return Interval(float(values.mean()), float(low), float(high))


def t_interval(values: Values, *, level: float) -> Interval:
    """Mean with Student's interval, mean +- t s / sqrt(n): exact for normal values, however few.

    Args:
        values: one number per seed, [n]; scores as logarithms, which are nearer to normal.
        level: of confidence, 0.95 say.

    Raises:
        ValueError: fewer than two values, one that is not finite, or a level outside (0, 1).
    """
    values = finite("t_interval", values)
    probability("t_interval: level", level)
    if (n := len(values)) < 2:
        raise ValueError(f"t_interval: two values at least, found {n}")
    reach = stdtrit(n - 1, (1 + level) / 2) * values.std(ddof=1) / n**0.5
    mean = float(values.mean())
    return Interval(mean, float(mean - reach), float(mean + reach))


def percentiles(resampled: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Bounds between which the middle `level` of the resampled statistics lies, [...] of [R, ...].

    Linear between two of them; where some are infinite, the nearest one, for there is nothing
    halfway to infinity. ValueError for no resample, or a level outside (0, 1).
    """
    probability("level", level)
    tail = (1 - level) / 2
    if not len(resampled):
        raise ValueError("one resample at least")
    method: Literal["linear", "nearest"] = "linear" if np.isfinite(resampled).all() else "nearest"
    low, high = np.quantile(resampled, [tail, 1 - tail], axis=0, method=method)
    return low, high


def interquartile_mean(values: Values) -> float:
    """Mean of what is left without the n // 4 smallest and the n // 4 largest of n values.

    Agarwal et al. 2021 (arXiv:2108.13264), section 4, and as their library computes it
    (scipy.stats.trim_mean with 0.25): whole values are cut, none is weighed by a fraction.

    Args:
        values: [n]; infinity may stand for a diverged run. The mean is infinite when more than a
            quarter of the runs diverged.

    Raises:
        ValueError: no value, or NaN.
    """
    x = np.sort(ordered("interquartile_mean", values))
    cut = len(x) // 4
    middle = x[cut : len(x) - cut]
    if np.isneginf(middle[0]) and np.isposinf(middle[-1]):
        raise ValueError("interquartile_mean: infinities of both signs have no mean")
    return float(middle.mean())


def stratified_bootstrap(
    scores: Mapping[str, Values],
    statistic: Callable[[Sequence[np.ndarray]], float],
    *,
    level: float,
    resamples: int,
    generator: np.random.Generator,
) -> Interval:
    """Statistic over several data sets, with its interval: Agarwal et al. 2021, section 4.

    Every resample draws as many runs of each data set as it has, from its own: data sets are
    what they are, and only runs are a sample of something.

    Args:
        scores: data set -> one score per run, [n] each; infinity may stand for a diverged run
            where the statistic knows what to do with it. Distances of different data sets have
            different scales: bring them to one before.
        statistic: list of arrays, one a data set in the mapping's order, to a number.
        level: of confidence, 0.95 say.

    Raises:
        ValueError: no data set, one without a run, NaN, a statistic that turns out NaN, no
            resample, or a level outside (0, 1).
    """
    if not scores:
        raise ValueError("stratified_bootstrap: one data set at least")
    strata = [ordered(f"stratified_bootstrap, {name}", values) for name, values in scores.items()]
    resampled = ([generator.choice(x, size=len(x)) for x in strata] for _ in range(resamples))
    drawn = np.array([statistic(runs) for runs in resampled], dtype=np.float64)
    value = float(statistic(strata))
    if np.isnan(value) or np.isnan(drawn).any():
        raise ValueError("stratified_bootstrap: the statistic of a resample is NaN")
    low, high = percentiles(drawn, level)
    return Interval(value, float(low), float(high))
