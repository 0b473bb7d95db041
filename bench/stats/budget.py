"""The best score under a budget: the smallest of k runs drawn from the n that were made.

Lucic et al. 2018 (arXiv:1711.10337) draw k of their runs 5,000 times; the exact answer is a sum
over order statistics. Dodge et al. 2019 (arXiv:1909.03004) have it for draws with
replacement, where it is biased towards too little progress with k; Tang et al. 2020
(arXiv:2004.13705) drop the replacement, and the estimate of the expectation is unbiased.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bench.stats.checks import Values, finite, whole

CELLS = 2_000_000  # numbers of one block of resamples: 16 MB, whatever n


class Resampled(NamedTuple):
    """Mean and standard deviation (divided by the resamples) of the best score, both [K]."""

    mean: np.ndarray
    sd: np.ndarray


def expected_best(
    scores: Values, k: int | Sequence[int] | np.ndarray, *, by: Values | None = None
) -> np.ndarray:
    """E[min of k of the n scores] = sum_i x_(i) C(n - i, k - 1) / C(n, k), without replacement.

    Tang et al. 2020, turned from the largest to the smallest: an unbiased estimate of the same
    expectation over new runs. A search that chooses by one split and reports another finds not
    the smallest score but that of the run with the smallest `by`: x_(i) are then the scores in
    that order.

    Args:
        scores: of n runs, [n], lower is better. Infinity is refused: for a diverged run put the
            score of the untrained generator, which is what that run leaves behind.
        k: budgets, whole numbers in [1, n], of any shape.
        by: what chooses, [n], the lowest first and the earliest of equals; the scores themselves
            where it is not given.

    Returns:
        Of the shape of k; the mean of the scores for k = 1, the smallest for k = n.

    Raises:
        ValueError: no score, one that is not finite, another number of values in `by`, or a
            budget outside [1, n].
    """
    x = in_order("expected_best", scores, by)
    budgets = whole("expected_best", k, largest=len(x))
    return np.array([order_weights(len(x), b) @ x for b in budgets.flat]).reshape(budgets.shape)


def in_order(name: str, scores: Values, by: Values | None) -> np.ndarray:
    """Scores in the order in which runs would be chosen, [n]; raises as `places_of`."""
    return finite(name, scores)[places_of(name, scores, by)]


def places_of(name: str, scores: Values, by: Values | None) -> np.ndarray:
    """Runs in the order in which they would be chosen, [n].

    Raises:
        ValueError: no value, one that is not finite, or not as many in `by`; begins with `name`.
    """
    x = finite(name, scores)
    chooses = x if by is None else finite(f"{name}, by", by)
    if len(chooses) != len(x):
        raise ValueError(f"{name}: {len(x)} scores, but {len(chooses)} values choose")
    return np.argsort(chooses, kind="stable")


def order_weights(n: int, k: int) -> np.ndarray:
    """P(min of k of n is x_(i)) = C(n - i, k - 1) / C(n, k) for i = 1 to n, [n].

    That is P(min > x_(i - 1)) k / (n - i + 1), and P(min > x_(i)) = C(n - i, k) / C(n, k) is a
    product of (n - k - j) / (n - j) over j < i: every factor has one rounding, so that the
    relative error stays below 2 n eps.
    """
    j = np.arange(n - 1)
    exceeding = np.concatenate([[1.0], np.cumprod(np.clip(n - k - j, 0, None) / (n - j))])
    return exceeding * (k / np.arange(n, 0, -1))


def best_quantile(
    scores: Values, k: int, q: float | Values, *, by: Values | None = None
) -> np.ndarray:
    """Smallest score below or at which the best of k lies with a probability of q at least.

    Args:
        scores: of n runs, [n], finite, lower is better.
        k: budget, in [1, n].
        q: probabilities, in [0, 1], of any shape; 0.5 for the median.
        by: as in `expected_best`.

    Returns:
        Scores that occur, of the shape of q: no interpolation.

    Raises:
        ValueError: as `expected_best`, or q outside [0, 1].
    """
    x = in_order("best_quantile", scores, by)
    n, budget = len(x), int(whole("best_quantile", [k], largest=len(x))[0])
    levels = np.asarray(q, dtype=np.float64)
    if not (levels.size and (levels >= 0).all() and (levels <= 1).all()):
        raise ValueError(f"best_quantile: q from 0 to 1, found {q}")
    order = np.argsort(x, kind="stable")
    # P(best > each score in ascending order), summed from the far end, where it is smallest
    exceeding = np.append(np.cumsum(order_weights(n, budget)[order][:0:-1])[::-1], 0.0)
    rounding = 1 + 4 * n * np.finfo(float).eps  # so that the median of 4 is the second for k = 1
    # exceeding falls: the first place at which it is 1 - q or less
    places = np.searchsorted(-exceeding, -(1 - levels) * rounding, side="left")
    return x[order][places]


def resampled_best(
    scores: Values,
    ks: Sequence[int] | np.ndarray,
    *,
    resamples: int,
    replace: bool,
    generator: np.random.Generator,
    by: Values | None = None,
) -> Resampled:
    """Mean and deviation of the smallest of k drawn runs: the study's way, by simulation.

    A resample is one order of drawn runs; its first k are its draw for the budget k. Without
    replacement the mean estimates `expected_best`. With it, sum_i x_(i) ((1 - (i - 1) / n)^k -
    (1 - i / n)^k): Dodge et al. 2019, turned likewise.

    Args:
        scores: of n runs, [n], finite, lower is better.
        ks: budgets in [1, n], [K].
        resamples: 5,000 in the study.
        replace: whether a run may be drawn twice.
        by: as in `expected_best`.

    Returns:
        Mean and standard deviation, [K]. The deviation is that of the best score of one draw
        from these runs, no error of the mean; without replacement it is 0 for k = n.

    Raises:
        ValueError: as `expected_best`, or no resample.
    """
    x = in_order("resampled_best", scores, by)
    budgets = whole("resampled_best", list(ks), largest=len(x))
    found = []
    for size in blocks(resamples, len(x)):
        places = np.broadcast_to(np.arange(len(x)), (size, len(x)))
        if replace:
            drawn = generator.integers(len(x), size=places.shape)
        else:
            drawn = generator.permuted(places, axis=1)
        found.append(x[np.minimum.accumulate(drawn, axis=1)[:, budgets - 1]])
    best = np.concatenate(found)
    return Resampled(best.mean(0), best.std(0))


def blocks(resamples: int, n: int) -> list[int]:
    """Sizes of the blocks in which resamples of n values are made; ValueError for no resample."""
    if resamples < 1:
        raise ValueError(f"one resample at least, found {resamples}")
    size = max(1, CELLS // n)
    return [min(size, resamples - start) for start in range(0, resamples, size)]
