"""Contenders against each other by their runs: ranks and probabilities of improvement."""

import math
from dataclasses import dataclass

import numpy as np

from bench import stats
from bench.reporting.tables.summary import LEVEL, RESAMPLES, Table
from bench.stats.ranking import RankInterval


@dataclass(frozen=True)
class Improvement:
    """P(a run of the row's contender is better than one of the column's).

    Args:
        names: of rows and columns, in the table's order.
        shares: [K, K]; 1/2 on the diagonal.
        sure: where the interval of LEVEL excludes 1/2, [K, K]; nowhere with too few runs.
        fewest: runs that a contender has.
    """

    names: tuple[str, ...]
    shares: np.ndarray
    sure: np.ndarray
    fewest: int


def outcomes_of(table: Table) -> dict[str, list[float]]:
    """Compared contender -> its scores, lower is better, infinity for what diverged."""
    group = table.group
    return {
        line.name: [group.sign * value for value, _ in line.contender.scored(group.first)]
        + [math.inf] * line.contender.counts["diverged"]
        for line in table.lines
        if line.name in table.verdict.compared
    }


def ranks_of(table: Table) -> dict[str, RankInterval]:
    """Contender -> rank with its interval, the best first; empty where nothing is compared."""
    outcomes = outcomes_of(table)
    if len(outcomes) < 2:
        return {}
    found = stats.rank_intervals(outcomes, level=LEVEL, resamples=RESAMPLES, generator=_generator())
    return dict(sorted(found.items(), key=lambda item: item[1].rank))


def improvement_of(table: Table) -> Improvement | None:
    """All pairs of compared contenders; None for fewer than two."""
    outcomes = outcomes_of(table)
    if len(outcomes) < 2:
        return None
    names, size = tuple(outcomes), len(outcomes)
    fewest = min(len(scores) for scores in outcomes.values())
    shares, sure = np.full((size, size), 0.5), np.zeros((size, size), dtype=bool)
    generator = _generator()
    for i in range(size):
        for j in range(i):
            ours, theirs = outcomes[names[i]], outcomes[names[j]]
            shares[i, j] = stats.probability_of_improvement(ours, theirs)
            shares[j, i] = 1 - shares[i, j]
            if fewest >= stats.INTERVAL_RUNS:
                _, low, high = stats.improvement_interval(
                    ours, theirs, level=LEVEL, resamples=RESAMPLES, generator=generator
                )
                sure[i, j] = sure[j, i] = low > 0.5 or high < 0.5
    return Improvement(names, shares, sure, fewest)


def _generator() -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(0))
