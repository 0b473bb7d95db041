"""`bench compare`: print what changed from one report to another, of folders or of git commits."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table as RichTable

from bench.core.errors import UserError
from bench.reporting.archive.read import Study, load
from bench.reporting.output import run_comparison
from bench.reporting.output.run_comparison import Change, ReportComparison, TablePair
from bench.reporting.tables import rounding
from bench.reporting.text import words
from bench.reporting.text.terminal import cell, plain


def show_changes(first: str, second: str, console: Console | None = None) -> ReportComparison:
    """Print what changed from one report to another.

    Args:
        first, second: folders of reports, or COMMIT:FOLDER as git names a folder at a commit.

    Raises:
        UserError: one of them is no report, git does not know it, or it has no scored run.
    """
    with study_at(first) as ours, study_at(second) as theirs:
        _check_not_empty((first, ours), (second, theirs))
        comparison = run_comparison.compare_reports(ours, theirs)
    console = console or Console()
    for pair in comparison.pairs:
        _print_tables(pair, console)
    if comparison.unmatched:
        lines = "\n".join(f"  {line}" for line in comparison.unmatched)
        console.print(plain(f"Not compared:\n{lines}"))
    return comparison


@contextmanager
def study_at(place: str) -> Iterator[Study]:
    """Load the report in a folder, or in a folder at a commit: COMMIT:FOLDER."""
    commit, colon, folder = place.partition(":")
    if not colon or Path(place).exists():
        yield load(place)
        return
    with tempfile.TemporaryDirectory(prefix="bench-compare-") as copy:
        command = ["git", "archive", "--format=tar", f"{commit}:./{folder}"]
        archive = subprocess.run(command, capture_output=True)
        if archive.returncode:
            lines = archive.stderr.decode(errors="replace").strip().splitlines()
            fix = "give a folder of results/, or COMMIT:FOLDER from inside the checkout"
            raise UserError(f"git has no {place}: {(lines or ['unknown error'])[-1]}", fix=fix)
        subprocess.run(["tar", "-x", "-C", copy], input=archive.stdout, check=True)
        try:
            study = load(copy)
        except UserError as error:
            message = error.message.replace(f"{copy}/", f"{place}/").replace(copy, place)
            raise UserError(message, fix=error.fix) from error
        yield study


def _check_not_empty(*studies: tuple[str, Study]) -> None:
    """Refuse to compare a report in which no run was scored or diverged."""
    names = [
        name
        for name, study in studies
        if not any(row.scores or row.status == "diverged" for row in study.rows)
    ]
    if names:
        message = f"there is nothing to compare: no run of {' and '.join(names)} has a score"
        raise UserError(message, fix="name a report with scored runs; see `bench runs`")


def _print_tables(pair: TablePair, console: Console) -> None:
    group = pair.after.group
    title = words.full_metric_title(group.first, group)
    direction = words.better_direction(group.first, group)
    console.print(plain(f"{group.slug}: {title}, {direction}\n", style="bold"))
    table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for head in ("variant", "runs", "first", "second", "P(better)", "p", ""):
        table.add_column(
            head, justify="left" if head in ("variant", "") else "right", overflow="fold"
        )
    decimals = rounding.decimals_by_metric(pair.after)[group.first]
    for change in pair.changes:
        table.add_row(*map(cell, _cells(change, group.first, decimals)))
    console.print(table)
    for report, names in (("first", pair.removed), ("second", pair.added)):
        if names:
            console.print(plain(f"Only in the {report}: {words.join_with_and(names)}."))
    same = sum(change.same_runs for change in pair.changes)
    equal = sum(change.equal for change in pair.changes)
    if same:
        rest = "" if same == equal else "; the others differ in bits, `bench verify` tells where"
        console.print(plain(f"{same} runs are in both, {equal} of them with equal scores{rest}."))
    console.print(plain("p of exact rank-sum tests, adjusted by Holm.\n"))


def _cells(change: Change, metric: str, decimals: int) -> list[str]:
    cells = [row.cells.get(metric) for row in (change.before, change.after)]
    spreads = ["-" if cell is None else rounding.format_mean_sd(cell, decimals) for cell in cells]
    runs = ", ".join(str(0 if cell is None else cell.n) for cell in cells)
    probability, p = "-", "-"
    if change.result != run_comparison.IDENTICAL and (interval := change.improvement) is not None:
        probability = f"{interval.value:.2f} [{interval.low:.2f}, {interval.high:.2f}]"
        p = p if change.p is None else f"{change.p:.2g}"
    ascii_spreads = (spread.replace(rounding.PLUS_MINUS, "+/-") for spread in spreads)
    return [change.name, runs, *ascii_spreads, probability, p, change.result]
