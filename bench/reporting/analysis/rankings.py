"""Rank methods by their runs, and compute the probability of improvement of each pair."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench import stats
from bench.reporting.tables.summary import Table, bootstrap_settings, outcome_values
from bench.stats.ranking import RankInterval


@dataclass(frozen=True)
class ImprovementMatrix:
    """P(a run of the row's method is better than one of the column's).

    Args:
        names: of rows and columns, in the table's order, K of them.
        shares: the probabilities, [K, K]; 1/2 on the diagonal.
        significant: where the interval of LEVEL excludes 1/2, [K, K]; nowhere with too few runs.
    """

    names: tuple[str, ...]
    shares: np.ndarray
    significant: np.ndarray


def outcomes_by_method(table: Table) -> dict[str, list[float]]:
    """Return compared method -> its scores, lower is better, infinity for a diverged run."""
    rows = (row for row in table.rows if row.name in table.ranking.compared)
    return {row.name: outcome_values(table.group, row.method) for row in rows}


def has_intervals(table: Table) -> bool:
    """Return whether every compared method has runs enough for a bootstrap interval."""
    counts = [len(scores) for scores in outcomes_by_method(table).values()]
    return min(counts, default=0) >= stats.INTERVAL_RUNS


def rank_methods(table: Table) -> dict[str, RankInterval]:
    """Return method -> rank with its interval, the best first; empty where nothing is compared."""
    outcomes = outcomes_by_method(table)
    if len(outcomes) < 2:
        return {}
    ranks = stats.rank_intervals(outcomes, **bootstrap_settings())
    return dict(sorted(ranks.items(), key=lambda item: item[1].rank))


def improvement_interval(ours: Sequence[float], theirs: Sequence[float]) -> stats.Interval:
    """Return P(a run of ours is better than one of theirs), from outcomes, with its interval."""
    return stats.improvement_interval(ours, theirs, **bootstrap_settings())


def improvement_matrix(table: Table) -> ImprovementMatrix | None:
    """Compare all pairs of compared methods; None for fewer than two."""
    outcomes = outcomes_by_method(table)
    if len(outcomes) < 2:
        return None
    names, size = tuple(outcomes), len(outcomes)
    shares, significant = np.full((size, size), 0.5), np.zeros((size, size), dtype=bool)
    settings, intervals = bootstrap_settings(), has_intervals(table)
    for i in range(size):
        for j in range(i):
            ours, theirs = outcomes[names[i]], outcomes[names[j]]
            shares[i, j] = stats.probability_of_improvement(ours, theirs)
            shares[j, i] = 1 - shares[i, j]
            if intervals:
                _, low, high = stats.improvement_interval(ours, theirs, **settings)
                significant[i, j] = significant[j, i] = low > 0.5 or high < 0.5
    return ImprovementMatrix(names, shares, significant)
