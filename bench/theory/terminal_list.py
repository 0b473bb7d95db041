"""`bench claims` in a terminal: progress, verdicts, and the path of the page."""

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
from bench.theory.runner import Task, list_tasks, run_experiments


def show_claims(
    ids: list[str],
    *,
    quick: bool,
    runs_root: Path,
    to: Path | None,
    written: Path | None,
    processes: int,
) -> None:
    """Run experiments, or read them from a written report; write the report and print verdicts.

    Args:
        to: folder of the report; None for one under `runs_root`.
        written: folder of a written report to read the measurements from; None to measure.

    Raises:
        UserError: an unknown id, less than one process, a damaged result.
    """
    if processes < 1:
        raise UserError(f"{processes} processes", fix="--processes 1 or more")
    console = Console()
    if written is not None:
        if ids or quick:
            raise UserError("--from reads a whole report", fix="leave the ids and --quick out")
        outcomes = read_report(written)
    else:
        experiments = select(ids)
        outcomes = _run_with_progress(experiments, console, quick, runs_root, processes)
    to = to or runs_root / "reports" / ("claims-quick" if outcomes[0].quick else "claims")
    page = write_report(outcomes, to)
    _print_verdicts(outcomes, console)
    console.print(Text(headline(outcomes)))
    console.print(Text(str(page)), soft_wrap=True)


def show_list(experiments: Sequence[Experiment]) -> None:
    """Print ids, statements and minutes, and the sums of the minutes."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for head in ("", "statement", "minutes", "--quick"):
        table.add_column(head, justify="right" if head in ("minutes", "--quick") else "left")
    for one in experiments:
        table.add_row(one.id, one.statement, f"{one.minutes.full:g}", f"{one.minutes.quick:g}")
    console = Console()
    console.print(table)
    full = sum(one.minutes.full for one in experiments)
    quick = sum(one.minutes.quick for one in experiments)
    console.print(Text(f"Minutes of one core: {full:.0f} in full, {quick:.1f} with --quick."))


def _run_with_progress(
    experiments: Sequence[Experiment],
    console: Console,
    quick: bool,
    runs_root: Path,
    processes: int,
) -> list[Outcome]:
    tasks = list_tasks(experiments, quick=quick, runs_root=runs_root)
    missing = [task for task in tasks if not task.path.exists()]
    if len(missing) < len(tasks):
        console.print(
            Text(f"{len(tasks) - len(missing)} of {len(tasks)} parts were measured before")
        )
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
        estimate = f"about {total / processes:.0f} min" if total >= 1 else ""
        bar = progress.add_task("measuring", total=len(missing), left=estimate)
        planned_minutes = measured_seconds = 0.0  # of the parts that are done

        def on_part_done(task: Task, seconds: float) -> None:
            nonlocal planned_minutes, measured_seconds
            planned_minutes += task.minutes
            measured_seconds += seconds
            pace = measured_seconds / planned_minutes / processes
            left = (total - planned_minutes) * pace
            progress.update(bar, advance=1, left=f"{_format_duration(left)} left")
            line = f"{task.experiment.id} {task.part}: {seconds:.0f} s"
            progress.console.print(Text(line), highlight=False)

        return run_experiments(
            experiments,
            quick=quick,
            runs_root=runs_root,
            processes=processes,
            on_part_done=on_part_done,
        )


def _format_duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def _print_verdicts(outcomes: Sequence[Outcome], console: Console) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for head in ("", "statement", "verdict", "found"):
        table.add_column(head, vertical="top")
    for outcome in outcomes:
        one = outcome.experiment
        table.add_row(one.id, one.title, outcome.verdict, Text(outcome.result.summary))
    console.print(table)
