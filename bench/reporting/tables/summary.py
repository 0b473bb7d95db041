"""Compute a table: means over training seeds, their order, and a test of that order."""

import itertools
import math
import string
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from bench import stats
from bench.reporting.data.records import RunRecord
from bench.reporting.tables.methods import Method, TableGroup
from bench.stats import INTERVAL_RUNS

ALPHA = 0.05  # probability of one false difference or more in a table
LEVEL = 0.95  # of the intervals
RESAMPLES = 5000  # as for the study's budget curves, Lucic et al. 2018


@dataclass(frozen=True)
class Cell:
    """Statistics of one metric over the finished runs of one method.

    Args:
        sd: standard deviation with n - 1; None for one run.
        interval: bootstrap interval of the mean; None for fewer than INTERVAL_RUNS runs.
    """

    n: int
    mean: float
    sd: float | None
    low: float
    high: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class TableRow:
    """A method's row of a table; a metric that no run has is absent from `cells`."""

    method: Method
    cells: Mapping[str, Cell]

    @property
    def name(self) -> str:
        """Return the method's name."""
        return self.method.name


@dataclass(frozen=True)
class RankingTest:
    """Significance of the order by the first metric, as far as the number of seeds allows.

    Args:
        min_runs, max_runs: fewest and most outcomes (scored or diverged runs) of a method.
        runs_needed: outcomes per method below which no difference between so many methods can be
            significant.
        compared: methods with at least that many, in the table's order.
        letters: method -> letters; methods that share a letter do not differ significantly. Empty
            if fewer than two can be compared: then the order is no ranking.
        better_than_first: methods significantly better than the first by mean, which then owes
            its place to diverged runs, for these have no score.
    """

    min_runs: int
    max_runs: int
    runs_needed: int
    compared: tuple[str, ...]
    letters: Mapping[str, str]
    better_than_first: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table group with its numbers.

    Args:
        rows: by mean of the first metric, the better first; those without a number last.
        real_baseline: metric -> cell of real samples of another split; empty if not scored.
        split_half: metric -> cell of real samples against as many others of the same split.
    """

    group: TableGroup
    rows: tuple[TableRow, ...]
    real_baseline: Mapping[str, Cell]
    split_half: Mapping[str, Cell]
    ranking: RankingTest


def summarise(group: TableGroup, *, tested: bool = True) -> Table:
    """Order a group's methods by mean score and test the order.

    Args:
        tested: compare the methods, with intervals; False in a search, whose runs differ by more
            than their seeds.
    """
    rows = []
    for method in group.methods:
        scores = {m: [v for v, _ in method.scored_runs(m)] for m in group.metrics}
        rows.append(TableRow(method, _cells(scores, interval=tested)))
    rows.sort(key=lambda row: (_sort_key(row, group), row.name))
    real_baseline, split_half = (
        _cells({m: [b.scores[m] for b in baselines if m in b.scores] for m in group.metrics})
        for baselines in (group.real_baseline, group.split_half)
    )
    ranking = _test_ranking(group, rows if tested else [])
    return Table(group, tuple(rows), real_baseline, split_half, ranking)


def summarise_scores(values: Sequence[float], *, interval: bool = True) -> Cell:
    """Compute mean, spread, range and, from INTERVAL_RUNS values on, the bootstrap interval."""
    n, bounds = len(values), None
    if interval and n >= INTERVAL_RUNS:
        bounds = stats.bootstrap_mean(values, **bootstrap_settings())[1:]
    return Cell(
        n=n,
        mean=math.fsum(values) / n,
        sd=float(np.std(values, ddof=1)) if n > 1 else None,
        low=min(values),
        high=max(values),
        interval=bounds,
    )


def bootstrap_generator() -> np.random.Generator:
    """Return a generator in one fixed state, so that no interval depends on the order of them."""
    return np.random.Generator(np.random.PCG64(0))


def median_run(method: Method, metric: str) -> tuple[float, RunRecord] | None:
    """Return the run with the median score, the lower median of an even number; ties by run_id."""
    scored = sorted(method.scored_runs(metric), key=lambda pair: (pair[0], pair[1].run_id))
    return scored[(len(scored) - 1) // 2] if scored else None


def bootstrap_settings() -> dict[str, Any]:
    """Return level, resamples and generator of a table's bootstrap intervals."""
    return {"level": LEVEL, "resamples": RESAMPLES, "generator": bootstrap_generator()}


def notable_runs(group: TableGroup, method: Method) -> dict[str, tuple[float, RunRecord]]:
    """Return the "best", "median" and "worst" run by the first metric, as far as they differ.

    Of two scored runs none is the median; one run alone is "the only run".
    """
    scored = sorted(
        method.scored_runs(group.first), key=lambda pair: (group.sign * pair[0], pair[1].run_id)
    )
    if len(scored) < 2:
        return {"the only run": scored[0]} if scored else {}
    middle = median_run(method, group.first)
    median_of_many = {"median": middle} if middle is not None and len(scored) > 2 else {}
    return {"best": scored[0], **median_of_many, "worst": scored[-1]}


def median_fact(method: Method, fact: str) -> float | None:
    """Return the median of a fact of status.json over the finished runs."""
    runs = [m.run for m in method.runs if m.status == "finished"]
    values = [run.facts[fact] for run in runs if run.facts.get(fact) is not None]
    return median(values) if values else None


def outcome_values(group: TableGroup, method: Method) -> list[float]:
    """Return sign * first metric of each scored run, lower is better; infinity if diverged."""
    scores = [group.sign * value for value, _ in method.scored_runs(group.first)]
    return scores + [math.inf] * method.counts["diverged"]


def _cells(values: Mapping[str, Sequence[float]], *, interval: bool = True) -> dict[str, Cell]:
    return {n: summarise_scores(v, interval=interval) for n, v in values.items() if v}


def _sort_key(row: TableRow, group: TableGroup) -> float:
    cell = row.cells.get(group.first)
    return math.inf if cell is None else group.sign * cell.mean


def _test_ranking(group: TableGroup, rows: Sequence[TableRow]) -> RankingTest:
    """Run rank-sum tests between all methods with enough outcomes; a divergence ranks worst."""
    values_by_name = {row.name: outcome_values(group, row.method) for row in rows}
    counts = [len(values) for values in values_by_name.values()]
    needed = stats.runs_needed(len(rows), alpha=ALPHA)
    compared = {name: values for name, values in values_by_name.items() if len(values) >= needed}
    letters: dict[str, str] = {}
    better: list[str] = []
    if len(compared) > 1:
        first = next(iter(compared))
        different = stats.differences(compared, alpha=ALPHA)
        letters = group_letters(stats.groups(list(compared), different))
        better = select_better(compared, first, different)
    fewest, most = min(counts, default=0), max(counts, default=0)
    return RankingTest(fewest, most, needed, tuple(compared), letters, tuple(better))


def select_better(
    outcomes: Mapping[str, Sequence[float]], than: str, different: Container[frozenset[str]]
) -> list[str]:
    """Return the methods that differ from one, `than`, and are better in most pairs of runs."""
    others = [name for name in outcomes if frozenset({name, than}) in different]
    wins = {n: stats.probability_of_improvement(outcomes[n], outcomes[than]) for n in others}
    return [name for name, share in wins.items() if share > 0.5]


def group_letters(groups: Iterable[Iterable[str]]) -> dict[str, str]:
    """Return name -> letters of its groups: a ... z, A ... Z, then other single characters."""
    signs = itertools.chain(string.ascii_letters, map(chr, itertools.count(0x100)))
    letters: dict[str, str] = {}
    for names, sign in zip(groups, signs, strict=False):
        for name in names:
            letters[name] = letters.get(name, "") + sign
    return letters
