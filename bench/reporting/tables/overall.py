"""Compare variants over several data sets: mean ranks, and multiples of the best score."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench import stats
from bench.reporting.tables import summary
from bench.reporting.tables.comparisons import Comparison
from bench.reporting.tables.methods import TableGroup
from bench.reporting.tables.summary import ALPHA, Table
from bench.stats import INTERVAL_RUNS

RESAMPLES = 2000
FEWEST = 2  # data sets, and variants on all of them


@dataclass(frozen=True)
class OverallRow:
    """A variant over all data sets.

    Args:
        rank: mean over data sets of its rank by median score, diverged runs last.
        times_best: interquartile mean of its runs' scores, each over the best median of its data
            set; infinite if more than a quarter diverged.
        interval: of `times_best`, from runs resampled within each data set; None for fewer than
            INTERVAL_RUNS runs on one of them.
        letters: variants that share a letter do not differ by rank; empty if not tested.
    """

    name: str
    rank: float
    times_best: float
    interval: tuple[float, float] | None
    letters: str


@dataclass(frozen=True)
class OverallRanking:
    """All variants that occur on every data set, by rank.

    Args:
        checkpoint: the checkpoint of all tables.
        p: p-value of Friedman's test; None for too few data sets to show any difference.
        datasets_needed: how many data sets could show a difference.
    """

    checkpoint: str
    datasets: tuple[str, ...]
    rows: tuple[OverallRow, ...]
    p: float | None
    datasets_needed: int


def compare_over_datasets(comparisons: Sequence[Comparison]) -> OverallRanking | None:
    """Rank variants over data sets, by each one's first comparison; None for one data set alone.

    Searches are left out. Scores of different data sets are different quantities: they are
    compared as ranks, and as multiples of the best median of their own data set.
    """
    tables: dict[str, Table] = {}
    for table in (c.main for c in comparisons if not c.stage.is_search):
        group = table.group
        chosen = [t.group for t in tables.values()]
        if all(_kind(g) == _kind(group) for g in chosen):
            tables.setdefault(group.dataset, table)
    costs = {dataset: _variant_costs(table) for dataset, table in tables.items()}
    costs = {dataset: by_variant for dataset, by_variant in costs.items() if by_variant}
    variants = [set(by_variant) for by_variant in costs.values()]
    names = sorted(set.intersection(*variants)) if variants else []
    if min(len(costs), len(names)) < FEWEST:
        return None
    medians = np.array([[np.median(c[name]) for name in names] for c in costs.values()])
    test = stats.friedman(medians)
    needed = stats.blocks_needed(len(names), alpha=ALPHA)
    letters: dict[str, str] = {}
    if len(costs) >= needed:
        scores = dict(zip(names, medians.T, strict=True))
        letters = summary.group_letters(stats.nemenyi_groups(scores, alpha=ALPHA))
    rows = [
        _row(name, rank, [c[name] for c in costs.values()], medians.min(1), letters)
        for name, rank in zip(names, test.ranks.tolist(), strict=True)
    ]
    return OverallRanking(
        checkpoint=next(iter(tables.values())).group.checkpoint,
        datasets=tuple(costs),
        rows=tuple(sorted(rows, key=lambda row: (row.rank, row.name))),
        p=test.p if letters else None,
        datasets_needed=needed,
    )


def _variant_costs(table: Table) -> dict[str, list[float]]:
    """Return variant -> outcome values; none if multiples of the best have no meaning.

    A variant that occurs with several settings is left out.
    """
    variants = [row.method.variant for row in table.rows]
    costs = {
        row.method.variant: summary.outcome_values(table.group, row.method)
        for row in table.rows
        if variants.count(row.method.variant) == 1
    }
    costs = {name: values for name, values in costs.items() if values}
    best = min((float(np.median(values)) for values in costs.values()), default=0.0)
    return costs if 0 < best < np.inf else {}


def _kind(group: TableGroup) -> tuple[str, str, bool]:
    """Return what the tables of all data sets have in common: score, checkpoint, conditional."""
    return group.first, group.checkpoint, group.conditional


def _row(
    name: str, rank: float, runs: list[list[float]], best: np.ndarray, letters: dict[str, str]
) -> OverallRow:
    times = {str(n): np.array(r) / b for n, (r, b) in enumerate(zip(runs, best, strict=True))}

    def interquartile_mean(strata: Sequence[np.ndarray]) -> float:
        return stats.interquartile_mean(np.concatenate(strata))

    bounds = None
    if min(map(len, runs)) >= INTERVAL_RUNS:
        level, generator = summary.LEVEL, summary.bootstrap_generator()
        bounds = stats.stratified_bootstrap(
            times, interquartile_mean, level=level, resamples=RESAMPLES, generator=generator
        )[1:]
    value = interquartile_mean(list(times.values()))
    return OverallRow(name, rank, value, bounds, letters.get(name, ""))
