"""Show a running sweep: on a terminal a line for each worker and the totals, else plain lines.

While the display is on, what jobs on this machine print goes to a file, whose path is in an
environment variable that they inherit; the sweep's own process prints it above the display.
"""

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import IO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from bench.core.text import printable
from bench.runs.folder import COMPLETED
from bench.runs.plans import PlannedRun
from bench.runs.run_status import RunStatus, StatusReader, count_states

VARIABLE = "BENCH_SWEEP_MESSAGES"  # path of the file that takes what jobs print
LINE_SECONDS = 60.0  # between two plain lines
DISPLAY_SECONDS = 1.0  # between two looks at the folders of the runs
MAX_WORKERS = 12  # that have a line; the others are counted


class SweepProgress:
    """Say how far a sweep is, from the folders of its runs.

    Args:
        name: name of the sweep.
        runs: those of the stage that is launched.
    """

    def __init__(self, name: str, root: Path, runs: Sequence[PlannedRun]) -> None:
        self.name, self.runs, self.reader = name, runs, StatusReader(root)
        self.started_at = time.monotonic()
        self.n_before = sum(status.state in COMPLETED for status in self.reader.read(runs))

    def line(self) -> str:
        """Return how many runs are done, failed and left, and for how long still."""
        return self._line(self.reader.read(self.runs))

    def _line(self, statuses: Sequence[RunStatus]) -> str:
        counts = count_states(statuses)
        n_done = sum(counts[state] for state in COMPLETED)
        n_failed = counts["failed"] + counts["refused"]
        left = len(self.runs) - n_done - n_failed
        rate = (n_done - self.n_before) / (time.monotonic() - self.started_at)
        estimate = f"; about {max(left / rate / 60, 1):.0f} min" if rate > 0 and left else ""
        shown = f"{n_done} of {len(self.runs)} done, {n_failed} failed, {left} left"
        return f"sweep {self.name}: {shown}{estimate}"

    def render(self) -> Group:
        """Return the lines of the runs that train, and the totals below them."""
        statuses = self.reader.read(self.runs)
        pairs = zip(self.runs, statuses, strict=True)
        running = [(run, status.heartbeat or {}) for run, status in pairs if status.heartbeat]
        table = Table.grid(padding=(0, 1))
        table.add_column(no_wrap=True, overflow="ellipsis", max_width=36)
        table.add_column(width=14)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(no_wrap=True)
        for run, beat in running[:MAX_WORKERS]:
            step, budget = beat.get("step", 0), beat.get("d_steps", 0)
            bar = ProgressBar(total=max(budget, 1), completed=step, width=14)
            steps = f"{step:,} of {budget:,}"
            table.add_row(Text(_label(run)), bar, steps, Text(printable(beat.get("phase", ""))))
        parts: list[RenderableType] = [table] if running else []
        if more := len(running) - MAX_WORKERS:
            parts += [Text(f"and {more} more")] if more > 0 else []
        return Group(*parts, Text(self._line(statuses)))


def _label(run: PlannedRun) -> str:
    sample = f", sample {run.sample}" if run.sample else ""
    return printable(f"{run.variant} on {run.dataset}{sample}, seed {run.seed}")


@contextmanager
def showing_progress(
    progress: SweepProgress, *, on_terminal: bool, collect: bool
) -> Iterator[None]:
    """Show progress during the block, from a thread.

    Args:
        on_terminal: show the display on standard error; else a plain line now and then on
            standard output.
        collect: take what the jobs print, to show it above the display.
    """
    with _display(progress, collect) if on_terminal else _plain_lines(progress):
        yield


@contextmanager
def _plain_lines(progress: SweepProgress) -> Iterator[None]:
    stop = threading.Event()

    def report() -> None:
        while not stop.wait(LINE_SECONDS):
            print(progress.line(), flush=True)

    with _thread(report, stop):
        yield


@contextmanager
def _display(progress: SweepProgress, collect: bool) -> Iterator[None]:
    stop, console = threading.Event(), Console(file=sys.stderr, highlight=False)
    live = Live(
        progress.render(), console=console, auto_refresh=False, transient=True,
        redirect_stdout=sys.stdout.isatty(),
    )  # fmt: skip
    with tempfile.NamedTemporaryFile("r", encoding="utf-8", errors="replace") as messages, live:
        out = sys.stdout  # a job in this process puts another one into its place

        def refresh() -> None:
            while not stop.wait(DISPLAY_SECONDS):
                print(_read_lines(messages), end="", file=out, flush=True)
                live.update(progress.render(), refresh=True)

        if collect:
            os.environ[VARIABLE] = messages.name
        try:
            with _thread(refresh, stop):
                yield
        finally:
            os.environ.pop(VARIABLE, None)
            print(_read_lines(messages), end="", file=out, flush=True)


def _read_lines(file: IO[str]) -> str:
    """Return the whole lines that were added to a file, without control characters."""
    start, lines = file.tell(), []
    while (line := file.readline()).endswith("\n"):
        lines.append(f"{printable(line[:-1])}\n")
        start = file.tell()
    file.seek(start)
    return "".join(lines)


@contextmanager
def _thread(call: Callable[[], None], stop: threading.Event) -> Iterator[None]:
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def printing_for_display() -> Iterator[None]:
    """Hand what is printed in the block to the display of the sweep, if it shows one."""
    path = os.environ.get(VARIABLE)
    if not path:
        yield
        return
    with (
        open(path, "a", buffering=1, encoding="utf-8") as file,
        redirect_stdout(file),
        redirect_stderr(file),
    ):
        yield
