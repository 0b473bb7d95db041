"""Numbers of a table: means over training seeds, their order, and what may be said of it."""

import math
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from bench import stats
from bench.reporting.data.records import RunRecord
from bench.reporting.tables.methods import Group, Method
from bench.stats import INTERVAL_RUNS

ALPHA = 0.05  # probability of one false difference or more in a table
LEVEL = 0.95  # of the intervals
RESAMPLES = 5000  # as the study's budget curves, Lucic et al. 2018


@dataclass(frozen=True)
class Cell:
    """One score of one contender over its finished runs.

    Args:
        sd: with n - 1; None for one run.
        interval: of the mean, bootstrapped over the runs; None for fewer than INTERVAL_RUNS.
    """

    n: int
    mean: float
    sd: float | None
    low: float
    high: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class TableRow:
    """A contender's line in the table; a score that no run has is absent from `cells`."""

    contender: Method
    cells: Mapping[str, Cell]

    @property
    def name(self) -> str:
        """The contender's."""
        return self.contender.name


@dataclass(frozen=True)
class RankingTest:
    """What the number of seeds allows to say about the order by the first metric.

    Args:
        fewest, most: outcomes (scored or diverged runs) that a contender has.
        needed: outcomes with which a difference between this many contenders can be shown at all.
        compared: contenders with that many, in the table's order.
        letters: contender -> letters; who shares one does not differ significantly. Empty where
            fewer than two can be compared: then the order is no ranking.
        ahead: those that are significantly better than the first by mean, which then owes its
            place to runs that diverged and have no score.
    """

    fewest: int
    most: int
    needed: int
    compared: tuple[str, ...]
    letters: Mapping[str, str]
    ahead: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A group with its numbers.

    Args:
        lines: by mean of the first metric, the better first; those without a number last.
        floor: metric -> cell of real samples of another split; empty where not scored.
        bias: the same of real samples against others of the same split, as many on either side.
    """

    group: Group
    lines: tuple[TableRow, ...]
    floor: Mapping[str, Cell]
    bias: Mapping[str, Cell]
    verdict: RankingTest


def summarise(group: Group, *, tested: bool = True) -> Table:
    """Order the group's contenders and say what the order is worth.

    Args:
        tested: compare them, with intervals; not in a search, whose runs differ by more than
            their seeds.
    """
    lines = []
    for contender in group.contenders:
        scores = {m: [v for v, _ in contender.scored(m)] for m in group.metrics}
        lines.append(TableRow(contender, _cells(scores, interval=tested)))
    lines.sort(key=lambda line: (_place(line, group), line.name))
    floor, bias = (
        _cells({m: [f.scores[m] for f in rows if m in f.scores] for m in group.metrics})
        for rows in (group.floor, group.bias)
    )
    return Table(group, tuple(lines), floor, bias, _verdict(group, lines if tested else []))


def cell_of(values: Sequence[float], *, interval: bool = True) -> Cell:
    """Mean, spread, range and, from INTERVAL_RUNS values on, the bootstrap interval."""
    n, bounds = len(values), None
    if interval and n >= INTERVAL_RUNS:
        _, *bounds = stats.bootstrap_mean(
            values, level=LEVEL, resamples=RESAMPLES, generator=generator()
        )
    return Cell(
        n=n,
        mean=math.fsum(values) / n,
        sd=float(np.std(values, ddof=1)) if n > 1 else None,
        low=min(values),
        high=max(values),
        interval=None if bounds is None else (bounds[0], bounds[1]),
    )


def generator() -> np.random.Generator:
    """The same draws for every interval of a report, so that it does not depend on their order."""
    return np.random.Generator(np.random.PCG64(0))


def median_run(contender: Method, metric: str) -> tuple[float, RunRecord] | None:
    """The run with the median score, the lower median of an even number; ties by run_id."""
    scored = sorted(contender.scored(metric), key=lambda pair: (pair[0], pair[1].run_id))
    return scored[(len(scored) - 1) // 2] if scored else None


def middle(contender: Method, fact: str) -> float | None:
    """Median of a fact of status.json over the finished runs."""
    runs = [m.run for m in contender.members if m.status == "finished"]
    values = [run.facts[fact] for run in runs if run.facts.get(fact) is not None]
    return median(values) if values else None


def outcomes(group: Group, contender: Method) -> list[float]:
    """Scores by the first metric turned so that lower is better; infinity for each divergence."""
    scores = [group.sign * value for value, _ in contender.scored(group.first)]
    return scores + [math.inf] * contender.counts["diverged"]


def _cells(values: Mapping[str, Sequence[float]], *, interval: bool = True) -> dict[str, Cell]:
    return {n: cell_of(scores, interval=interval) for n, scores in values.items() if scores}


def _place(line: TableRow, group: Group) -> float:
    cell = line.cells.get(group.first)
    return math.inf if cell is None else group.sign * cell.mean


def _verdict(group: Group, lines: Sequence[TableRow]) -> RankingTest:
    """Rank-sum tests between all contenders with enough outcomes; diverged is worst of all."""
    found = {line.name: outcomes(group, line.contender) for line in lines}
    counts = [len(values) for values in found.values()]
    needed = stats.runs_needed(len(lines), alpha=ALPHA)
    compared = {name: values for name, values in found.items() if len(values) >= needed}
    letters: dict[str, str] = {}
    ahead: list[str] = []
    if len(compared) > 1:
        first = next(iter(compared))
        different = stats.differences(compared, alpha=ALPHA)
        for letter, members in enumerate(stats.groups(list(compared), different)):
            for name in members:
                letters[name] = letters.get(name, "") + _letter(letter)
        others = [name for name in compared if frozenset({first, name}) in different]
        ahead = [name for name in others if _wins(compared[name], compared[first]) > 0]
    fewest, most = min(counts, default=0), max(counts, default=0)
    return RankingTest(fewest, most, needed, tuple(compared), letters, tuple(ahead))


def _wins(ours: Sequence[float], theirs: Sequence[float]) -> int:
    """Pairs of runs in which ours is smaller, less those in which theirs is."""
    pairs = np.less.outer(ours, theirs).astype(int) - np.greater.outer(ours, theirs)
    return int(pairs.sum())


def _letter(index: int) -> str:
    """a ... z, A ... Z, and further signs of one character, for letters are looked up singly."""
    letters = string.ascii_letters
    return letters[index] if index < len(letters) else chr(0x100 + index - len(letters))
