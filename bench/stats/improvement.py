"""Which of two is better, pair by pair of runs: the probability of improvement.

Agarwal et al. 2021 (arXiv:2108.13264), section 4. Scores are only compared, never added, so that
infinity may stand for a diverged run: worse than any number, and as bad as another diverged one.
A bootstrap over runs repeats the pairs as counts, m_i of run i: P = sum_ij m_i w_ij m_j / n^2.
"""

from collections.abc import Mapping

import numpy as np

from bench.stats.checks import Values, ordered
from bench.stats.intervals import Interval, percentiles


def probability_of_improvement(ours: Values, theirs: Values) -> float:
    """P(ours < theirs) + P(ours = theirs) / 2 over all pairs of runs; lower scores are better.

    Args:
        ours, theirs: scores of runs on one data set, [n] and [m].

    Returns:
        In [0, 1]; 1/2 where neither is better. It is U / (n m) of Mann and Whitney 1947.

    Raises:
        ValueError: a side has no run, or a score is NaN.
    """
    return float(wins(ours, theirs).mean())


def improvement_interval(
    ours: Values, theirs: Values, *, level: float, resamples: int, generator: np.random.Generator
) -> Interval:
    """`probability_of_improvement` with runs of both resampled; raises as `mean_improvement`."""
    sides = {"": ours}, {"": theirs}
    return mean_improvement(*sides, level=level, resamples=resamples, generator=generator)


def mean_improvement(
    ours: Mapping[str, Values],
    theirs: Mapping[str, Values],
    *,
    level: float,
    resamples: int,
    generator: np.random.Generator,
) -> Interval:
    """Mean over data sets of the probability of improvement, runs resampled within each.

    Args:
        ours, theirs: data set -> scores of its runs; the same data sets on both sides.
        level: of confidence, 0.95 say.

    Returns:
        The interval is a point where one side is better in every pair: no resample can show what
        no run has shown. Of normal scores shifted by 0, 1, 2 deviations (P = 0.5, 0.76, 0.92) one
        of 95 % covers 94, 93, 85 % with 10 runs of a side, and 92, 88, 61 % with 5
        (benchmarks/coverage.py): draw none for fewer than INTERVAL_RUNS.

    Raises:
        ValueError: no data set, not the same ones, a side without a run, NaN, or a level outside
            (0, 1).
    """
    if not ours or ours.keys() != theirs.keys():
        raise ValueError(
            f"mean_improvement: the same data sets, found {sorted(ours)} and {sorted(theirs)}"
        )
    won = [wins(ours[name], theirs[name]) for name in ours]
    drawn = [resampled(w, *(counts(n, resamples, generator) for n in w.shape)) for w in won]
    low, high = percentiles(np.mean(drawn, axis=0), level)
    return Interval(float(np.mean([w.mean() for w in won])), float(low), float(high))


def wins(ours: Values, theirs: Values) -> np.ndarray:
    """1 where ours is smaller, 1/2 where they are equal, else 0, [n, m]."""
    first, second = ordered("ours", ours)[:, None], ordered("theirs", theirs)
    return (first < second) + (first == second) / 2


def counts(n: int, resamples: int, generator: np.random.Generator) -> np.ndarray:
    """Draw how often each of n runs occurs in n draws with replacement, [resamples, n]."""
    if n < 1 or resamples < 1:
        raise ValueError(f"one run and one resample at least, found {n} and {resamples}")
    return generator.multinomial(n, np.full(n, 1 / n), size=resamples)


def resampled(won: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Mean of what is won [n, m] with runs counted as often as drawn, [R] of [R, n] and [R, m]."""
    return ((ours @ won) * theirs).sum(1) / won.size
