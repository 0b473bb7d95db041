"""Handle Ctrl-C, SIGTERM and the signals of a scheduler, once for the whole process.

The first signal is a request: a training run stops after its current step with a checkpoint. Where
nothing can be saved (while scoring, for example) it interrupts at once, and so does a second Ctrl-C
or SIGTERM anywhere. Files are written atomically, so that even then none is left half-written.
"""

import atexit
import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

USER_SIGNALS = (signal.SIGINT, signal.SIGTERM)
SCHEDULER_SIGNALS = tuple(  # warn that a job will soon be ended or moved; Windows has neither
    getattr(signal, name) for name in ("SIGUSR1", "SIGUSR2") if hasattr(signal, name)
)
RELAY_SECONDS = 0.1  # between two searches for children that have installed a handler
PARENT_SECONDS = 1.0  # between two looks whether the parent process lives
Handler = Callable[[int, FrameType | None], object]


class InterruptState:
    """Record whether the process was asked to stop, and whether a request interrupts at once.

    Attributes:
        requested: a signal asked the process to stop.
        immediate: a request interrupts at once instead of waiting to be noticed.
        forced: there was a second request: nothing is waited for.
        relaying: SIGTERM is sent on to the processes that this one started.
    """

    def __init__(self) -> None:
        self.requested, self.immediate = False, False
        self.forced, self.relaying = False, False
        self._installed = False
        self._working = False  # within the block of `ending_with_parent`
        self._watcher: threading.Thread | None = None
        self._pending: int | None = None  # the scheduler's signal that `forward` will pass on
        self._previous: dict[int, Handler] = {}  # handlers before ours: submitit's, for example

    def __reduce__(self) -> str:
        """Pickle as the name of this process's state: submitit pickles functions with theirs."""
        return "INTERRUPT"

    def install(self) -> None:
        """Install the handlers; in worker threads, which cannot have any, do nothing."""
        with suppress(ValueError):  # not the main thread
            for number in (*USER_SIGNALS, *SCHEDULER_SIGNALS):
                previous = signal.signal(number, self._receive)
                if number in SCHEDULER_SIGNALS and callable(previous) and previous != self._receive:
                    self._previous[number] = previous
            self._installed = True

    def restore(self) -> None:
        """Put the handlers back in front of a library's, if `install` was called before.

        Lightning's own handler ends its loop after the batch in which SIGTERM came, also where the
        checkpoint of that step was not due: our request is noticed after the next step.
        """
        if self._installed:
            self.install()

    def acknowledge(self) -> None:
        """Forget a request that was answered: a caller who goes on may be asked again."""
        self.requested = False

    def ignore(self) -> None:
        """Ignore all signals from here on: the process is about to exit."""
        for number in (*USER_SIGNALS, *SCHEDULER_SIGNALS):
            signal.signal(number, signal.SIG_IGN)

    def forward(self) -> None:
        """Pass a scheduler's signal to the handler that was installed before ours.

        To be called after a run has stopped. submitit's handler puts the job back into the queue
        and ends the process; where it may not, it raises, and the run stays interrupted.
        """
        number, self._pending = self._pending, None
        if number is None or number not in self._previous:
            return
        self.ignore()
        try:
            self._previous[number](number, None)
        except Exception as error:
            print(f"not queued again: {error}", file=sys.stderr, flush=True)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        second = self.requested and number in USER_SIGNALS
        self.requested, self.forced = True, self.forced or second
        if number in SCHEDULER_SIGNALS:
            self._pending = number
        if self.relaying and number == signal.SIGTERM:  # the terminal sends Ctrl-C to children too
            signalled = _signal_children(number, set())
            threading.Thread(target=self._relay, args=(number, signalled), daemon=True).start()
        if second or self.immediate:
            raise KeyboardInterrupt

    def _relay(self, number: int, signalled: set[int]) -> None:
        """Signal children that install their handlers later."""
        while self.relaying:
            time.sleep(RELAY_SECONDS)
            signalled |= _signal_children(number, signalled)

    @contextmanager
    def ending_with_parent(self) -> Iterator[None]:
        """Do a job of a pool; when the pool's process is killed, stop as by SIGTERM, and exit.

        The process is joblib's worker, or submitit's on this machine, whose parent watches over it
        for the pool. Nothing is watched in another one.
        """
        pool = multiprocessing.parent_process()
        if pool is None and os.environ.get("SUBMITIT_EXECUTOR") != "local":
            yield
            return
        ancestors = _ancestors(2) if pool is None else [pool.pid or 0]
        if self._watcher is None:
            watch = threading.Thread(target=self._watch_parent, args=(ancestors,), daemon=True)
            self._watcher = watch
            watch.start()
        self._working = True
        try:
            yield
        finally:
            self._working = False
            if _ancestors(len(ancestors)) != ancestors:
                os._exit(130)

    def _watch_parent(self, ancestors: list[int]) -> None:
        while _ancestors(len(ancestors)) == ancestors:
            time.sleep(PARENT_SECONDS)
        _end_idle_workers()
        if not self.requested:
            os.kill(os.getpid(), signal.SIGTERM)
        while self._working:
            time.sleep(PARENT_SECONDS)
        os._exit(130)

    @contextmanager
    def interrupting(self, immediate: bool) -> Iterator[None]:
        """Have a first signal interrupt at once within the block, or wait to be noticed."""
        before, self.immediate = self.immediate, immediate
        try:
            yield
        finally:
            self.immediate = before


def _children(of: int) -> list[int]:
    """Return the ids of a process's children; on Linux only."""
    processes = (int(path.name) for path in Path("/proc").glob("[0-9]*"))
    return [process for process in processes if _parent(process) == of]


def _parent(process: int) -> int:
    """Return the id of a process's parent; 0 where it is not known."""
    with suppress(OSError):
        stat = Path(f"/proc/{process}/stat").read_text(errors="replace")
        return int(stat.rpartition(")")[2].split()[1])
    return 0


def _ancestors(generations: int) -> list[int]:
    """Return the ids of this process's parent, of the parent's, and so on."""
    ancestors = [os.getppid()]
    while len(ancestors) < generations:
        ancestors.append(_parent(ancestors[-1]))
    return ancestors


def _signal_children(number: int, signalled: set[int]) -> set[int]:
    """Signal the children that handle the signal and are not in `signalled`; return their ids.

    A child without a handler is an idle worker, or has not started its first run: the signal
    would kill it, and a pool that loses a worker kills those that are writing a checkpoint.
    """
    children = set(_children(os.getpid())) - signalled
    listening = {child for child in children if _handles_signal(child, number)}
    for child in listening:
        with suppress(OSError):
            os.kill(child, number)
    return listening


def _end_idle_workers() -> None:
    """End the other orphans of this process's pool that have no job: they would wait for minutes.

    They are children of the same process now, in the same group, and handle no signal yet.
    """
    for process in _children(os.getppid()):
        with suppress(OSError):
            is_worker = b"popen_loky" in Path(f"/proc/{process}/cmdline").read_bytes()
            of_group = is_worker and os.getpgid(process) == os.getpgid(0)
            if of_group and not _handles_signal(process, signal.SIGTERM):
                os.kill(process, signal.SIGTERM)


def _handles_signal(process: int, number: int) -> bool:
    """Return whether a process has a handler of its own for a signal; on Linux only."""
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{process}/status").read_text(errors="replace").splitlines()
        caught = next(line for line in lines if line.startswith("SigCgt:"))
        return bool(int(caught.split()[1], 16) >> (number - 1) & 1)
    return False


INTERRUPT = InterruptState()


def leave_quickly() -> None:
    """Leave out the search for garbage among all modules at the end of the process, of a second.

    Threads are joined, exit functions called and streams flushed as ever.
    """
    atexit.register(gc.freeze)
    atexit.register(gc.disable)
