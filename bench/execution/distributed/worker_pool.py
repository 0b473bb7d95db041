"""The processes of one run: started deaf to signals, each with its own device and a line to it."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.resource_tracker import ensure_running
from pathlib import Path
from typing import Any

import torch

from bench.core.signals import INTERRUPT
from bench.training.job import Job

LISTEN_SECONDS = 0.2  # between two looks for a signal
GRACE_SECONDS = 2.0  # for the others to say what they saw when one broke, and to leave in order


class WorkerPool:
    """The processes of one run, and a line to each.

    Args:
        job: of the run.
        meeting: a file that does not exist yet.
    """

    def __init__(self, job: Job, meeting: Path) -> None:
        from bench.execution.distributed.worker import (
            main,  # which needs `run`, which needs this module
        )

        context, size = get_context("spawn"), job.trainer_settings.devices
        self.lines: list[Connection] = []
        self.processes: list[Any] = []
        for rank in range(size):
            ours, theirs = context.Pipe()
            told = (rank, size, job.plain, job.folder.run_id, meeting, theirs)
            process = context.Process(target=main, args=told)
            self.lines.append(ours)
            self.processes.append(process)
            with _signals_blocked(), _own_device(job.trainer_settings.device, rank):
                process.start()
            theirs.close()

    def listen(self, meanwhile: Callable[[], None]) -> dict[str, Any]:
        """Wait until all have said how it ended, and pass a signal on to them meanwhile.

        Args:
            meanwhile: called again and again.

        Returns:
            The message of process 0, see `bench.execution.distributed.worker.main`; or that of the
            process that broke first.
        """
        said: dict[int, dict[str, Any]] = {}
        told, until = False, float("inf")
        while len(said) < len(self.lines) and time.monotonic() < until:
            meanwhile()
            if INTERRUPT.requested and not told:
                told = True
                self._tell("stop")
            waiting = {line: rank for rank, line in enumerate(self.lines) if rank not in said}
            for line in wait(list(waiting), LISTEN_SECONDS):
                said[waiting[line]] = self._heard(waiting[line])
            if until == float("inf") and any("error" in one for one in said.values()):
                until = time.monotonic() + GRACE_SECONDS
        broken = [one for one in said.values() if "error" in one]
        for process in () if broken else self.processes:
            process.join(GRACE_SECONDS)
        return min(broken, key=lambda one: one["at"]) if broken else said[0]

    def end(self) -> None:
        """End those that still run."""
        for process in self.processes:
            if process.pid is not None:
                process.kill()
                process.join()
        for line in self.lines:
            line.close()

    def _tell(self, word: str) -> None:
        for line in self.lines:
            with suppress(OSError):  # one that has ended; if it died, that is heard elsewhere
                line.send(word)

    def _heard(self, rank: int) -> dict[str, Any]:
        """What a process says; what it died of where it says nothing, before all consequences."""
        try:
            return self.lines[rank].recv()
        except (EOFError, OSError):
            process = self.processes[rank]
            process.join(GRACE_SECONDS)
            code = process.exitcode or 0
            how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
            error = RuntimeError(f"process {rank} of {len(self.processes)} died ({how})")
            return {"error": error, "traceback": "it left no word", "at": 0.0}


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """What is started in the block never hears the terminal's or the scheduler's signals."""
    ensure_running()  # multiprocessing's own helper would open its ears again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _own_device(device: torch.device, rank: int) -> Iterator[None]:
    """What is started in the block sees one GPU alone, the rank-th of those seen here."""
    if device.type != "cuda":
        yield
        return
    name = "CUDA_VISIBLE_DEVICES"
    before = os.environ.get(name)
    seen = before.split(",") if before else [str(n) for n in range(torch.cuda.device_count())]
    os.environ[name] = seen[rank].strip()
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
