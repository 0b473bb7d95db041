"""Two reports, contender by contender: what got better or worse, and whether the seeds say so."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench import stats
from bench.reporting.archive.read import Study
from bench.reporting.data.protocols import differing
from bench.reporting.tables.comparisons import comparisons_of
from bench.reporting.tables.methods import Method
from bench.reporting.tables.summary import (
    ALPHA,
    LEVEL,
    RESAMPLES,
    Table,
    TableRow,
    generator,
    outcomes,
)
from bench.stats import Interval

IDENTICAL, BETTER, WORSE = "identical", "better", "worse"
ALIKE, FEW = "no difference that the seeds support", "not enough runs"


@dataclass(frozen=True)
class Change:
    """A contender in both reports.

    Args:
        before, after: its line in the first and in the second.
        improvement: probability that a run of the second is better than one of the first.
        p: of the rank-sum test, adjusted over all that were tested; None where it was not.
        verdict: one of the words above.
        same_runs, equal: runs in both by run_id, and how many of them have equal scores.
    """

    name: str
    before: TableRow
    after: TableRow
    improvement: Interval
    p: float | None
    verdict: str
    same_runs: int
    equal: int


@dataclass(frozen=True)
class Pair:
    """Two tables under one protocol.

    Args:
        changes: in the order of the second.
        lost, added: contenders of the first or the second alone.
    """

    before: Table
    after: Table
    changes: tuple[Change, ...]
    lost: tuple[str, ...]
    added: tuple[str, ...]


@dataclass(frozen=True)
class Compared:
    """Two reports.

    Args:
        pairs: what can be compared.
        apart: sentences on tables that cannot.
    """

    pairs: tuple[Pair, ...]
    apart: tuple[str, ...]


def compare(first: Study, second: Study) -> Compared:
    """Pair the tables of two reports by data set, checkpoint and protocol."""
    ours, theirs = (_tables(study) for study in (first, second))
    matches, apart = [], []
    for table in theirs:
        candidates = [t for t in ours if _kind(t) == _kind(table)]
        same = [t for t in candidates if not differing(t.group.protocol, table.group.protocol)]
        if same:
            matches.append((same[0], table))
            continue
        said = "only in the second"
        if candidates:
            reasons = differing(candidates[0].group.protocol, table.group.protocol)
            said = f"not the same quantity in both: {', '.join(reasons)}"
        apart.append(f"{table.group.slug}: {said}")
    kinds = {_kind(table) for table in theirs}
    apart += [f"{t.group.slug}: only in the first" for t in ours if _kind(t) not in kinds]
    return Compared(tuple(_pair(a, b) for a, b in matches), tuple(apart))


def _tables(study: Study) -> list[Table]:
    comparisons = [c for c in comparisons_of(study.stages) if not c.stage.searches]
    return [table for comparison in comparisons for table in comparison.tables]


def _kind(table: Table) -> tuple[str, str]:
    return table.group.dataset, table.group.checkpoint


def _pair(before: Table, after: Table) -> Pair:
    known = {id(line): _match(line, before, after) for line in after.lines}
    matched = [(old, line) for line in after.lines if (old := known[id(line)]) is not None]
    p_values = _adjusted(before, matched)
    changes = [
        _change(before, old, new, p) for (old, new), p in zip(matched, p_values, strict=True)
    ]
    used = {id(old) for old, _ in matched}
    return Pair(
        before,
        after,
        tuple(changes),
        tuple(line.name for line in before.lines if id(line) not in used),
        tuple(line.name for line in after.lines if known[id(line)] is None),
    )


def _match(line: TableRow, before: Table, after: Table) -> TableRow | None:
    """The same contender; or the only one of its variant in both, whatever its settings."""
    same = [old for old in before.lines if old.name == line.name]
    of_variant = [old for old in before.lines if old.contender.variant == line.contender.variant]
    ours = [new for new in after.lines if new.contender.variant == line.contender.variant]
    alone = len(of_variant) == len(ours) == 1
    return same[0] if same else of_variant[0] if alone else None


def _adjusted(before: Table, pairs: Sequence[tuple[TableRow, TableRow]]) -> list[float | None]:
    """Holm-adjusted p of the pairs that have enough runs on both sides."""
    costs = [tuple(outcomes(before.group, li.contender) for li in pair) for pair in pairs]
    enough = [min(map(len, both)) >= stats.MIN_RUNS for both in costs]
    raw = [stats.mann_whitney(*both) for both, can in zip(costs, enough, strict=True) if can]
    adjusted = iter(stats.holm(raw))
    return [next(adjusted) if can else None for can in enough]


def _change(table: Table, old: TableRow, new: TableRow, p: float | None) -> Change:
    before, after = (outcomes(table.group, line.contender) for line in (old, new))
    improvement = Interval(0.5, 0.0, 1.0)
    if before and after:
        improvement = stats.improvement_interval(
            after, before, level=LEVEL, resamples=RESAMPLES, generator=generator()
        )
    scores, others = (_scores(line.contender, table.group.first) for line in (old, new))
    shared = scores.keys() & others.keys()
    equal = sum(scores[run_id] == others[run_id] for run_id in shared)
    verdict = ALIKE
    if equal == len(scores) == len(others) and equal and _diverged(old) == _diverged(new):
        verdict = IDENTICAL
    elif p is None:
        verdict = FEW
    elif p <= ALPHA:
        verdict = BETTER if improvement.value > 0.5 else WORSE
    return Change(new.name, old, new, improvement, p, verdict, len(shared), equal)


def _diverged(line: TableRow) -> set[str]:
    members = line.contender.members
    return {member.run.run_id for member in members if member.status == "diverged"}


def _scores(contender: Method, metric: str) -> dict[str, float]:
    return {run.run_id: value for value, run in contender.scored(metric)}
