"""`bench claims` in a terminal: progress, verdicts, and where the page lies."""

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from bench.core.errors import UserError
from bench.theory.catalogue import select
from bench.theory.experiment import Experiment, Outcome
from bench.theory.report import headline, read_report, write_report
from bench.theory.runner import Task, outcomes, tasks_of


def show_claims(
    ids: list[str],
    *,
    quick: bool,
    runs_root: Path,
    to: Path | None,
    written: Path | None,
    processes: int,
) -> None:
    """Measure statements, or read them from a written report; report and print them.

    Raises:
        UserError: an unknown id, less than one process, a damaged result.
    """
    if processes < 1:
        raise UserError(f"{processes} processes", fix="--processes 1 or more")
    console = Console()
    if written is not None:
        if ids or quick:
            raise UserError("--from reads a whole report", fix="leave the ids and --quick out")
        found = read_report(written)
    else:
        wanted = select(ids)
        if not ids:
            wanted = _with_their_files(wanted, console)
        found = _measured(wanted, console, quick, runs_root, processes)
    to = to or runs_root / "reports" / ("claims-quick" if found[0].quick else "claims")
    page = write_report(found, to)
    _print(found, console)
    console.print(Text(headline(found)))
    console.print(Text(str(page)), soft_wrap=True)


def _with_their_files(statements: Sequence[Experiment], console: Console) -> list[Experiment]:
    """Those that can be measured here; says which are left out, before hours are spent."""
    lacking = [one for one in statements if one.needs is not None and not one.needs.is_file()]
    for one in lacking:
        line = f"{one.id} is left out: it reads {one.needs}, which a checkout has"
        console.print(Text(line), soft_wrap=True)
    return [one for one in statements if one not in lacking]


def show_list(statements: Sequence[Experiment]) -> None:
    """Ids, titles and budgets, and their sums."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for head in ("", "statement", "full", "quick"):
        shown.add_column(head, justify="right" if head in ("full", "quick") else "left")
    for one in statements:
        shown.add_row(one.id, one.text, f"{one.minutes.full:g}", f"{one.minutes.quick:g}")
    console = Console()
    console.print(shown)
    full, quick = (
        sum(getattr(one.minutes, name) for one in statements) for name in ("full", "quick")
    )
    console.print(Text(f"Minutes of one core: {full:.0f} in full, {quick:.1f} with --quick."))


def _measured(
    statements: Sequence[Experiment],
    console: Console,
    quick: bool,
    runs_root: Path,
    processes: int,
) -> list[Outcome]:
    tasks = tasks_of(statements, quick=quick, runs_root=runs_root)
    missing = [task for task in tasks if not task.path.exists()]
    if len(missing) < len(tasks):
        console.print(Text(f"{len(tasks) - len(missing)} of {len(tasks)} parts are there already"))
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("parts"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    total = sum(task.minutes for task in missing)
    with Progress(*columns, console=console, disable=not missing) as progress:
        said = f"about {total / processes:.0f} min" if total >= 1 else ""
        bar = progress.add_task("measuring", total=len(missing), left=said)
        done = [0.0, 0.0]  # minutes planned and seconds taken, of parts that are through

        def tell(task: Task, seconds: float) -> None:
            done[0] += task.minutes
            done[1] += seconds
            left = (total - done[0]) * done[1] / done[0] / processes
            progress.update(bar, advance=1, left=f"{_clock(left)} left")
            line = f"{task.statement.id} {task.part}: {seconds:.0f} s"
            progress.console.print(Text(line), highlight=False)

        return outcomes(
            statements, quick=quick, runs_root=runs_root, processes=processes, tell=tell
        )


def _clock(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def _print(found: Sequence[Outcome], console: Console) -> None:
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for head in ("", "statement", "verdict", "found"):
        shown.add_column(head, vertical="top")
    for outcome in found:
        one = outcome.statement
        shown.add_row(one.id, one.title, outcome.verdict, Text(outcome.finding.found))
    console.print(shown)
