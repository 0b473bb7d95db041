"""Several data sets together: what holds on more than one of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench import stats
from bench.reporting.tables.comparisons import Comparison
from bench.reporting.tables.summary import ALPHA, LEVEL, Table, generator, outcomes
from bench.stats import INTERVAL_RUNS

RESAMPLES = 2000
FEWEST = 2  # data sets, and variants on all of them


@dataclass(frozen=True)
class OverallRow:
    """A variant over all data sets.

    Args:
        rank: mean over data sets of its rank by median score, diverged runs last.
        times: interquartile mean of its runs' scores, each over the best median of its data set;
            infinite where more than a quarter diverged.
        interval: of that, from runs drawn anew within each data set; None for fewer than
            INTERVAL_RUNS on one of them.
        letters: who shares one does not differ by rank; empty where that was not tested.
    """

    name: str
    rank: float
    times: float
    interval: tuple[float, float] | None
    letters: str


@dataclass(frozen=True)
class Overall:
    """All variants that stand on every data set, by rank.

    Args:
        checkpoint: of the tables.
        p: of Friedman's test; None where so few data sets could not show a difference.
        needed: data sets with which they could.
    """

    checkpoint: str
    datasets: tuple[str, ...]
    lines: tuple[OverallRow, ...]
    p: float | None
    needed: int


def overall_of(comparisons: Sequence[Comparison]) -> Overall | None:
    """Of the first comparison of each data set that is no search; None for one data set alone.

    Scores of different data sets are different quantities: they meet as ranks, and as multiples
    of the best median of their own data set.
    """
    tables: dict[str, Table] = {}
    for table in (c.main for c in comparisons if not c.stage.searches):
        group = table.group
        same = [t.group for t in tables.values()]
        if all((g.first, g.checkpoint) == (group.first, group.checkpoint) for g in same):
            tables.setdefault(group.dataset, table)
    costs = {dataset: _costs(table) for dataset, table in tables.items()}
    costs = {dataset: found for dataset, found in costs.items() if found}
    shared = [set(found) for found in costs.values()]
    names = sorted(set.intersection(*shared)) if shared else []
    if min(len(costs), len(names)) < FEWEST:
        return None
    medians = np.array([[np.median(found[name]) for name in names] for found in costs.values()])
    found = stats.friedman(medians)
    needed = stats.blocks_needed(len(names), alpha=ALPHA)
    letters = _letters(names, medians) if len(costs) >= needed else {}
    lines = [
        _line(name, rank, [c[name] for c in costs.values()], medians.min(1), letters)
        for name, rank in zip(names, found.ranks.tolist(), strict=True)
    ]
    return Overall(
        checkpoint=next(iter(tables.values())).group.checkpoint,
        datasets=tuple(costs),
        lines=tuple(sorted(lines, key=lambda line: (line.rank, line.name))),
        p=found.p if letters else None,
        needed=needed,
    )


def _costs(table: Table) -> dict[str, list[float]]:
    """Outcomes of variants that occur once; none where no multiple of the best has a meaning."""
    variants = [line.contender.variant for line in table.lines]
    found = {
        line.contender.variant: outcomes(table.group, line.contender)
        for line in table.lines
        if variants.count(line.contender.variant) == 1
    }
    found = {name: costs for name, costs in found.items() if costs}
    best = min((float(np.median(costs)) for costs in found.values()), default=0.0)
    return found if 0 < best < np.inf else {}


def _letters(names: Sequence[str], medians: np.ndarray) -> dict[str, str]:
    scores = dict(zip(names, medians.T, strict=True))
    letters: dict[str, str] = {}
    for letter, members in zip(
        "abcdefghijklmnopqrstuvwxyz", stats.nemenyi_groups(scores, alpha=ALPHA), strict=False
    ):
        for name in members:
            letters[name] = letters.get(name, "") + letter
    return letters


def _line(
    name: str, rank: float, runs: list[list[float]], best: np.ndarray, letters: dict[str, str]
) -> OverallRow:
    times = {str(n): np.array(r) / b for n, (r, b) in enumerate(zip(runs, best, strict=True))}

    def middle(strata: Sequence[np.ndarray]) -> float:
        return stats.interquartile_mean(np.concatenate(strata))

    interval = None
    if min(map(len, runs)) >= INTERVAL_RUNS:
        found = stats.stratified_bootstrap(
            times, middle, level=LEVEL, resamples=RESAMPLES, generator=generator()
        )
        interval = (found.low, found.high)
    value = middle(list(times.values()))
    return OverallRow(name, rank, value, interval, letters.get(name, ""))
