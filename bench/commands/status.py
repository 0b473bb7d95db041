"""`bench status`: print the status of a sweep, read from its folder alone."""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bench.runs.folder import COMPLETED
from bench.runs.plans import Plan, PlannedRun, read_plan
from bench.runs.run_status import STATES, RunStatus, StatusReader, count_states

MAX_LISTED = 8  # running runs, and causes of failures, that are listed; the rest is counted

Statuses = dict[str, RunStatus]  # by run_id


def show_status(runs_root: Path, name: str, *, every: float | None) -> bool:
    """Print the status of a sweep; with `every` seconds again and again, until all is done.

    Return whether every run of the plan has its rows; UserError where there is no such plan.
    """
    reader, console = StatusReader(runs_root), Console(highlight=False)
    content, done = _build_content(runs_root, name, reader)
    if every is None:
        console.print(content)
        return done
    with Live(content, console=console, auto_refresh=False) as live:
        while not done:
            time.sleep(every)
            content, done = _build_content(runs_root, name, reader)
            live.update(content, refresh=True)
    return done


def _build_content(runs_root: Path, name: str, reader: StatusReader) -> tuple[Group, bool]:
    """Return what is to be printed, and whether every run of the plan has its rows."""
    plan = read_plan(runs_root, name)
    reader.refused = plan.refused
    runs = list({run.run_id: run for run in plan.runs}.values())
    statuses = dict(zip((run.run_id for run in runs), reader.read(runs), strict=True))
    n_done = sum(status.state in COMPLETED for status in statuses.values())
    parts: list[RenderableType] = [_build_table(plan, statuses), Text()]
    parts += [Text(line) for line in _lines(plan, runs, statuses, n_done)]
    return Group(*parts), n_done == len(runs) and not plan.waiting


def _build_table(plan: Plan, statuses: Statuses) -> Table:
    """Count runs by stage and variant, with a column for each state that occurs."""
    occurring = {status.state for status in statuses.values()}
    states = [state for state in STATES if state in occurring]
    table = Table(title=f"sweep {plan.name}", title_justify="left", box=None, pad_edge=False)
    for head in ("stage", "variant", "planned", *states):
        table.add_column(head, justify="left" if head in ("stage", "variant") else "right")
    for stage in plan.stages:
        for variant in dict.fromkeys(run.variant for run in stage.runs):
            members = [statuses[run.run_id] for run in stage.runs if run.variant == variant]
            counts = count_states(members)
            cells = [str(counts[state] or "") for state in states]
            table.add_row(stage.name, variant, str(len(members)), *cells)
    total = count_states(statuses.values())
    cells = [str(total[state]) for state in states]
    table.add_row("all", "", str(len(statuses)), *cells, style="bold")
    return table


def _lines(plan: Plan, runs: Sequence[PlannedRun], statuses: Statuses, n_done: int) -> list[str]:
    lines = []
    if plan.waiting:
        lines.append(f"planned later, from the rows of these: {', '.join(plan.waiting)}")
    running = [run for run in runs if statuses[run.run_id].state == "running"]
    for run in running[:MAX_LISTED]:
        heartbeat = statuses[run.run_id].heartbeat or {}
        step = f"step {heartbeat.get('step', 0):,} of {heartbeat.get('d_steps', 0):,}"
        place = f"{heartbeat.get('phase')}, {step}, on {heartbeat.get('host')}"
        lines.append(f"running: {_label(run)}: {place}")
    lines += _count_unlisted(len(running))
    not_run = [run for run in runs if statuses[run.run_id].state in ("failed", "refused")]
    for run in not_run[:MAX_LISTED]:
        status = statuses[run.run_id]
        lines.append(f"{status.state}: {_label(run)} ({run.run_id}): {status.cause}")
    lines += _count_unlisted(len(not_run))
    lines.append(f"{n_done} of {len(runs)} done")
    left = len(runs) - n_done
    facts = [status.facts for status in statuses.values() if status.state in COMPLETED]
    seconds = [fact["wall_seconds"] for fact in facts if "wall_seconds" in fact]
    if left and seconds and running:
        minutes = statistics.fmean(seconds) * left / len(running) / 60
        lines[-1] += f"; about {minutes:.0f} min of training left for {len(running)} processes"
    if left and not running:
        lines.append(f"no process is running; this command resumes the sweep: {plan.command}")
    return lines


def _label(run: PlannedRun) -> str:
    return f"{run.variant} on {run.dataset}, sample {run.sample}, seed {run.seed}"


def _count_unlisted(n_runs: int) -> list[str]:
    return [f"... and {n_runs - MAX_LISTED} more"] if n_runs > MAX_LISTED else []
