"""Compare two reports method by method: what got better or worse, and is it significant."""

from dataclasses import dataclass

from bench import stats
from bench.reporting.analysis.rankings import improvement_interval
from bench.reporting.archive.read import Study
from bench.reporting.data.protocols import describe_differences
from bench.reporting.tables.comparisons import build_comparisons
from bench.reporting.tables.methods import Method
from bench.reporting.tables.summary import ALPHA, Table, TableRow, outcome_values
from bench.stats import Interval

IDENTICAL, BETTER, WORSE = "identical", "better", "worse"
NO_DIFFERENCE, TOO_FEW_RUNS = "no difference that the seeds support", "not enough runs"
EMPTY = "nothing to compare: no scored run in the"


@dataclass(frozen=True)
class Change:
    """A method that both reports have.

    Args:
        before, after: its row in the first and in the second report.
        improvement: probability that a run of the second is better than one of the first; None
            where one of them has no run that was scored or diverged.
        p: p-value of the rank-sum test, adjusted over all tests; None if it was not tested.
        result: one of the constants above; EMPTY with "first", "second" or both.
        same_runs, equal: runs in both by run_id, and how many of them have equal scores.
    """

    name: str
    before: TableRow
    after: TableRow
    improvement: Interval | None
    p: float | None
    result: str
    same_runs: int
    equal: int


@dataclass(frozen=True)
class TablePair:
    """Two tables of one data set, protocol and checkpoint.

    Args:
        changes: in the order of the second table.
        removed, added: methods that only the first or only the second table has.
    """

    before: Table
    after: Table
    changes: tuple[Change, ...]
    removed: tuple[str, ...]
    added: tuple[str, ...]


@dataclass(frozen=True)
class ReportComparison:
    """Two reports.

    Args:
        pairs: tables that can be compared.
        unmatched: sentences on tables that cannot.
    """

    pairs: tuple[TablePair, ...]
    unmatched: tuple[str, ...]


def compare_reports(first: Study, second: Study) -> ReportComparison:
    """Pair the tables of two reports by data set, checkpoint and protocol, and compare each."""
    old_tables, new_tables = (_tables(study) for study in (first, second))
    matches, unmatched = [], []
    for table in new_tables:
        protocol = table.group.protocol
        candidates = [t for t in old_tables if _kind(t) == _kind(table)]
        same = [t for t in candidates if not describe_differences(t.group.protocol, protocol)]
        if same:
            matches.append((same[0], table))
            continue
        reason = "only in the second"
        if candidates:
            differences = describe_differences(candidates[0].group.protocol, protocol)
            reason = f"not the same quantity in both: {', '.join(differences)}"
        unmatched.append(f"{table.group.slug}: {reason}")
    kinds = {_kind(table) for table in new_tables}
    unmatched += [f"{t.group.slug}: only in the first" for t in old_tables if _kind(t) not in kinds]
    return ReportComparison(tuple(_compare_tables(a, b) for a, b in matches), tuple(unmatched))


def _tables(study: Study) -> list[Table]:
    return [t for c in build_comparisons(study.stages) if not c.stage.is_search for t in c.tables]


def _kind(table: Table) -> tuple[str, str]:
    return table.group.dataset, table.group.checkpoint


def _compare_tables(before: Table, after: Table) -> TablePair:
    matches = {id(row): _find_match(row, before, after) for row in after.rows}
    pairs = [(old, row) for row in after.rows if (old := matches[id(row)]) is not None]
    p_values = _adjusted_p_values(before, pairs)
    changes = [_build_change(before, *pair, p) for pair, p in zip(pairs, p_values, strict=True)]
    matched = {id(old) for old, _ in pairs}
    removed = tuple(row.name for row in before.rows if id(row) not in matched)
    added = tuple(row.name for row in after.rows if matches[id(row)] is None)
    return TablePair(before, after, tuple(changes), removed, added)


def _find_match(row: TableRow, before: Table, after: Table) -> TableRow | None:
    """Find the row of that name, or the variant's if it has one row in both, whatever its name."""
    if same_name := [old for old in before.rows if old.name == row.name]:
        return same_name[0]
    variant = row.method.variant
    old, new = ([r for r in t.rows if r.method.variant == variant] for t in (before, after))
    return old[0] if len(old) == len(new) == 1 else None


def _adjusted_p_values(before: Table, pairs: list[tuple[TableRow, TableRow]]) -> list[float | None]:
    """Compute Holm-adjusted p-values of the pairs that have enough runs on both sides."""
    outcomes = [tuple(outcome_values(before.group, row.method) for row in pair) for pair in pairs]
    testable = [min(map(len, both)) >= stats.MIN_RUNS for both in outcomes]
    raw = [stats.mann_whitney(*both) for both, can in zip(outcomes, testable, strict=True) if can]
    adjusted = iter(stats.holm(raw))
    return [next(adjusted) if can else None for can in testable]


def _build_change(table: Table, old: TableRow, new: TableRow, p: float | None) -> Change:
    before, after = (outcome_values(table.group, row.method) for row in (old, new))
    improvement = improvement_interval(after, before) if before and after else None
    old_scores, new_scores = (_scores(row.method, table.group.first) for row in (old, new))
    shared = old_scores.keys() & new_scores.keys()
    equal = sum(old_scores[run_id] == new_scores[run_id] for run_id in shared)
    result = NO_DIFFERENCE
    if equal == len(old_scores) == len(new_scores) and equal and _diverged(old) == _diverged(new):
        result = IDENTICAL
    elif improvement is None:
        sides = (("first", before), ("second", after))
        result = f"{EMPTY} {' and the '.join(side for side, values in sides if not values)}"
    elif p is None:
        result = TOO_FEW_RUNS
    elif p <= ALPHA:
        result = BETTER if improvement.value > 0.5 else WORSE
    return Change(new.name, old, new, improvement, p, result, len(shared), equal)


def _diverged(row: TableRow) -> set[str]:
    return {m.run.run_id for m in row.method.runs if m.status == "diverged"}


def _scores(method: Method, metric: str) -> dict[str, float]:
    return {run.run_id: value for value, run in method.scored_runs(metric)}
