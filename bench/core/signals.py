"""Ctrl-C, SIGTERM and the signals of a scheduler, said once for the whole process.

The first one asks: a training run ends after its step with a checkpoint. Where nothing can be saved
(while scoring, say) it interrupts at once, and so does a second Ctrl-C or SIGTERM anywhere. Files
are written whole or not at all, so that even then nothing is left half-written.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

PERSONS = (signal.SIGINT, signal.SIGTERM)
SCHEDULERS = tuple(  # that a job will soon be ended or moved; Windows has neither
    getattr(signal, name) for name in ("SIGUSR1", "SIGUSR2") if hasattr(signal, name)
)
RELAY_SECONDS = 0.1  # between two looks for a child that listens now
Handler = Callable[[int, FrameType | None], object]


class InterruptState:
    """Whether the process was asked to stop, and whether asking interrupts at once."""

    def __init__(self) -> None:
        self.requested, self.immediate = False, False
        self.forced = False  # asked twice: nothing is waited for
        self.relaying = False  # SIGTERM goes on to the processes that this one started
        self._owed: int | None = None  # the scheduler's signal that was answered here
        self._before: dict[int, Handler] = {}  # who answered it before: submitit, say

    def install(self) -> None:
        """Take the signals; worker threads leave them to the main one."""
        try:
            for number in (*PERSONS, *SCHEDULERS):
                before = signal.signal(number, self._receive)
                if number in SCHEDULERS and callable(before) and before != self._receive:
                    self._before[number] = before
        except ValueError:  # not the main thread
            return

    def acknowledge(self) -> None:
        """Forget a request that was answered: a caller who goes on may be asked again."""
        self.requested = False

    def ignore(self) -> None:
        """The process is leaving: a further signal would only interrupt its last words."""
        for number in (*PERSONS, *SCHEDULERS):
            signal.signal(number, signal.SIG_IGN)

    def forward(self) -> None:
        """Once a run is left: a scheduler's signal goes to the handler that was there before ours.

        submitit's puts the job back into the queue and ends the process; where it may not, it
        raises, and the run stays interrupted.
        """
        number, self._owed = self._owed, None
        if number is None or number not in self._before:
            return
        self.ignore()
        try:
            self._before[number](number, None)
        except Exception as error:
            print(f"not queued again: {error}", file=sys.stderr, flush=True)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        second = self.requested and number in PERSONS
        self.requested, self.forced = True, self.forced or second
        if number in SCHEDULERS:
            self._owed = number
        if self.relaying and number == signal.SIGTERM:  # Ctrl-C reaches them from the terminal
            told = _tell(number, set())
            threading.Thread(target=self._relay, args=(number, told), daemon=True).start()
        if second or self.immediate:
            raise KeyboardInterrupt

    def _relay(self, number: int, told: set[int]) -> None:
        """Tell those that come to listen later."""
        while self.relaying:
            time.sleep(RELAY_SECONDS)
            told |= _tell(number, told)

    @contextmanager
    def interrupting(self, immediate: bool) -> Iterator[None]:
        """Within the block a first signal interrupts at once, or waits to be noticed."""
        before, self.immediate = self.immediate, immediate
        try:
            yield
        finally:
            self.immediate = before


def _children() -> list[int]:
    """Processes that this one started, where Linux tells."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = path.read_text(errors="replace").rpartition(")")[2].split()[1]
            if int(parent) == os.getpid():
                found.append(int(path.parent.name))
    return found


def _tell(number: int, told: set[int]) -> set[int]:
    """Signal the children that listen and were not told; returns them.

    One that does not listen is an idle worker, or has not come to its first run yet: the signal
    would kill it, and a pool that loses a worker kills those that are writing a checkpoint.
    """
    found = {child for child in _children() if child not in told and _listens(child, number)}
    for child in found:
        with suppress(OSError):
            os.kill(child, number)
    return found


def _listens(process: int, number: int) -> bool:
    """Whether a process has a handler of its own for a signal, as Linux tells."""
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{process}/status").read_text(errors="replace").splitlines()
        caught = next(line for line in lines if line.startswith("SigCgt:"))
        return bool(int(caught.split()[1], 16) >> (number - 1) & 1)
    return False


INTERRUPT = InterruptState()
