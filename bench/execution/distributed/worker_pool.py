"""Start the processes of one run with signals blocked, a device each and a pipe to the parent."""

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
from bench.execution.distributed.worker import run_worker
from bench.training.job import Job

POLL_SECONDS = 0.2  # between two checks whether a signal has come
GRACE_SECONDS = 2.0  # for the others to report what they met when one broke, and to exit in order


class WorkerPool:
    """Hold the processes of one run, which meet by the file `rendezvous`, and a pipe to each."""

    def __init__(self, job: Job, rendezvous: Path) -> None:
        context, size = get_context("spawn"), job.trainer_settings.devices
        self.pipes: list[Connection] = []
        self.processes: list[Any] = []
        for rank in range(size):
            pipe, worker_pipe = context.Pipe()
            arguments = (rank, size, job.plain, job.folder.run_id, rendezvous, worker_pipe)
            process = context.Process(target=run_worker, args=arguments)
            self.pipes.append(pipe)
            self.processes.append(process)
            with _signals_blocked(), _own_device(job.trainer_settings.device, rank):
                process.start()
            worker_pipe.close()

    def wait_for_report(self, on_poll: Callable[[], None]) -> dict[str, Any]:
        """Wait for the reports of all processes, and pass a request to stop on to them meanwhile.

        Args:
            on_poll: called every `POLL_SECONDS` or more often.

        Returns:
            The report of process 0, see `bench.execution.distributed.worker.run_worker`; or that of
            the process that broke first.
        """
        reports: dict[int, dict[str, Any]] = {}
        stop_sent, until = False, float("inf")
        while len(reports) < len(self.pipes) and time.monotonic() < until:
            on_poll()
            if INTERRUPT.requested and not stop_sent:
                stop_sent = True
                self._send_stop()
            ready = wait([p for r, p in enumerate(self.pipes) if r not in reports], POLL_SECONDS)
            for rank, pipe in enumerate(self.pipes):
                if pipe in ready:
                    reports[rank] = self._receive(rank)
            if until == float("inf") and any("error" in report for report in reports.values()):
                until = time.monotonic() + GRACE_SECONDS
        broken = [report for report in reports.values() if "error" in report]
        for process in () if broken else self.processes:
            process.join(GRACE_SECONDS)
        return min(broken, key=lambda report: report["at"]) if broken else reports[0]

    def kill(self) -> None:
        """Kill the processes that still run, and close the pipes."""
        for process in self.processes:
            if process.pid is not None:
                process.kill()
                process.join()
        for pipe in self.pipes:
            pipe.close()

    def _send_stop(self) -> None:
        for pipe in self.pipes:
            with suppress(OSError):  # a process that has ended; if it died, `_receive` notices
                pipe.send("stop")

    def _receive(self, rank: int) -> dict[str, Any]:
        """Return a process's report; if it died without one, an error dated before all others."""
        try:
            return self.pipes[rank].recv()
        except (EOFError, OSError):
            process = self.processes[rank]
            process.join(GRACE_SECONDS)
            code = process.exitcode or 0
            reason = signal.Signals(-code).name if code < 0 else f"exit status {code}"
            error = RuntimeError(f"process {rank} of {len(self.processes)} died ({reason})")
            return {"error": error, "traceback": "it sent no report", "at": 0.0}


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Start processes that never receive the terminal's or the scheduler's signals."""
    ensure_running()  # multiprocessing's resource tracker would unblock them if it started inside
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _own_device(device: torch.device, rank: int) -> Iterator[None]:
    """Start processes that see one GPU: the rank-th of those that are visible here."""
    if device.type != "cuda":
        yield
        return
    name = "CUDA_VISIBLE_DEVICES"
    before = os.environ.get(name)
    visible = before.split(",") if before else [str(n) for n in range(torch.cuda.device_count())]
    os.environ[name] = visible[rank].strip()
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
