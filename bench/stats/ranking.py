"""Ranks of many contenders by their runs on one data set, with intervals."""

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np

from bench.stats.checks import Values, probability
from bench.stats.improvement import counts, resampled, wins


class RankInterval(NamedTuple):
    """A rank, 1 for the best, and the bounds of its interval; mid-ranks where some are equal."""

    rank: float
    low: float
    high: float


def rank_intervals(
    scores: Mapping[str, Values], *, level: float, resamples: int, generator: np.random.Generator
) -> dict[str, RankInterval]:
    """Ranks by the mean probability of improvement over the other contenders, with intervals.

    With as many runs of each this is the order of the mean ranks of the pooled scores; unlike
    that it gives a contender with more runs no more weight. Mean scores would not do: one
    diverged run has no number, and one bad run would outweigh all others.

    Args:
        scores: contender -> scores of its runs on one data set, lower is better, infinity for a
            diverged run.
        level: of confidence, 0.95 say, for each contender by itself.
        resamples: of the runs of every contender.
        generator: draws them, in the mapping's order.

    Returns:
        Contender -> rank in the runs that were made, and the percentiles of its ranks in the
        resamples. Ranks of all add up to K (K + 1) / 2. The true rank of contenders that hardly
        differ is covered too rarely or too often: Hall and Miller 2009 (Ann. Stat. 37, 3929).

    Raises:
        ValueError: fewer than two contenders, one without a run, NaN, or a level outside (0, 1).
    """
    from scipy.stats import rankdata  # takes a second to import

    if len(scores) < 2:
        raise ValueError(f"rank_intervals: two contenders at least, found {sorted(scores)}")
    probability("rank_intervals: level", level)
    names = list(scores)
    drawn = {name: counts(len(scores[name]), resamples, generator) for name in names}
    ahead = {name: np.zeros(resamples + 1) for name in names}  # the last place: the runs themselves
    for a, b in combinations(names, 2):
        won = wins(scores[a], scores[b])
        better = np.append(resampled(won, drawn[a], drawn[b]), won.mean())
        ahead[a] += better
        ahead[b] += 1 - better
    # equal sums may differ in their last bits: 12 digits tell all counts of wins apart
    ranks = rankdata(-np.round(np.stack([ahead[name] for name in names]), 12), axis=0)
    tails = [(1 - level) / 2, (1 + level) / 2]
    bounds = np.quantile(ranks[:, :-1], tails, axis=1, method="inverted_cdf")
    rows = np.column_stack([ranks[:, -1], *bounds]).tolist()
    return {name: RankInterval(*row) for name, row in zip(names, rows, strict=True)}
