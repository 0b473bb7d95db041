"""What `bench status` shows: how a sweep stands, from its folder alone."""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bench.runs.plans import Plan, PlannedRun, read_plan
from bench.runs.run_status import ENDED, ORDER, RunStatus, StatusReader, count_states

SHOWN = 8  # causes and runs at work that are listed; the rest is counted


def show_status(runs_root: Path, name: str, *, every: float | None) -> bool:
    """Print how a sweep stands; with `every` seconds again and again, until all is done.

    Returns:
        Whether every run of the plan has its rows.

    Raises:
        UserError: there is no such plan.
    """
    watch, console = StatusReader(runs_root), Console(highlight=False)
    if every is None:
        shown, done = _picture(runs_root, name, watch)
        console.print(shown)
        return done
    shown, done = _picture(runs_root, name, watch)
    with Live(shown, console=console, auto_refresh=False) as live:
        while not done:
            time.sleep(every)
            shown, done = _picture(runs_root, name, watch)
            live.update(shown, refresh=True)
    return done


def _picture(runs_root: Path, name: str, watch: StatusReader) -> tuple[Group, bool]:
    plan = read_plan(runs_root, name)
    watch.refused = plan.refused
    entries = list({entry.run_id: entry for entry in plan.entries}.values())
    standings = dict(zip((e.run_id for e in entries), watch.read(entries), strict=True))
    done = sum(standings[e.run_id].state in ENDED for e in entries)
    parts = [_table(plan, standings), Text()]
    parts += [Text(line) for line in _lines(plan, entries, standings, done)]
    return Group(*parts), done == len(entries) and not plan.waiting


def _table(plan: Plan, standings: dict[str, RunStatus]) -> Table:
    """A line for each stage and variant; columns of words that occur."""
    there = {standing.state for standing in standings.values()}
    words = [word for word in ORDER if word in there]
    table = Table(title=f"sweep {plan.name}", title_justify="left", box=None, pad_edge=False)
    table.add_column("stage")
    table.add_column("variant")
    table.add_column("planned", justify="right")
    for word in words:
        table.add_column(word, justify="right")
    for stage in plan.stages:
        for variant in dict.fromkeys(entry.variant for entry in stage.entries):
            mine = [standings[e.run_id] for e in stage.entries if e.variant == variant]
            counts = count_states(mine)
            cells = [str(counts[word] or "") for word in words]
            table.add_row(stage.name, variant, str(len(mine)), *cells)
    total = count_states(standings.values())
    cells = [str(total[word]) for word in words]
    table.add_row("all", "", str(len(standings)), *cells, style="bold")
    return table


def _lines(
    plan: Plan, entries: Sequence[PlannedRun], standings: dict[str, RunStatus], done: int
) -> list[str]:
    lines = []
    if plan.waiting:
        lines.append(f"planned later, from the rows of these: {', '.join(plan.waiting)}")
    working = [e for e in entries if standings[e.run_id].state == "running"]
    for entry in working[:SHOWN]:
        heartbeat = standings[entry.run_id].heartbeat or {}
        lines.append(
            f"at work: {_label(entry)}: {heartbeat.get('phase')}, "
            f"step {heartbeat.get('step', 0):,} of {heartbeat.get('d_steps', 0):,}, "
            f"on {heartbeat.get('host')}"
        )
    lines += _rest(len(working))
    troubled = [e for e in entries if standings[e.run_id].state in ("failed", "refused")]
    for entry in troubled[:SHOWN]:
        standing = standings[entry.run_id]
        lines.append(f"{standing.state}: {_label(entry)} ({entry.run_id}): {standing.cause}")
    lines += _rest(len(troubled))
    seconds = [
        standing.facts["wall_seconds"]
        for standing in standings.values()
        if standing.state in ENDED and "wall_seconds" in standing.facts
    ]
    left = len(entries) - done
    if left and seconds and working:
        minutes = statistics.fmean(seconds) * left / len(working) / 60
        lines.append(
            f"{done} of {len(entries)} done; about {minutes:.0f} min of training left for "
            f"{len(working)} processes"
        )
    else:
        lines.append(f"{done} of {len(entries)} done")
    if left and not working:
        lines.append(f"nobody is at work; it goes on with: {plan.command}")
    return lines


def _label(entry: PlannedRun) -> str:
    return f"{entry.variant} on {entry.dataset}, sample {entry.sample}, seed {entry.seed}"


def _rest(number: int) -> list[str]:
    return [f"... and {number - SHOWN} more"] if number > SHOWN else []
