"""Whether a process works on a run: a small file that it touches every ten seconds.

There is no lock: a process that dies leaves a file that grows old. Ages are measured by the file
system's own clock, so that hosts whose clocks differ agree.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.core.files import read_json, write_json

BEAT_SECONDS = 10.0  # between touches
STALE_SECONDS = 60.0  # a file that is older belongs to a process that died


class Heartbeat:
    """Report the progress of a run while it trains; `step` and `phase` may be set at any time.

    Args:
        d_steps: budget of the run, in discriminator steps.
    """

    def __init__(self, path: Path, d_steps: int) -> None:
        self.path, self.d_steps = path, d_steps
        self.step, self.phase = 0, "training"
        self._stop = threading.Event()

    def facts(self) -> dict[str, Any]:
        """Return host, process and progress, as the file holds them."""
        process = {"host": socket.gethostname(), "pid": os.getpid()}
        return {**process, "step": self.step, "d_steps": self.d_steps, "phase": self.phase}

    def _beat(self) -> None:
        while True:
            with suppress(UserError):  # the run itself reports a full disk
                write_json(self.path, self.facts())
            if self._stop.wait(BEAT_SECONDS):
                return

    @contextmanager
    def running(self) -> Iterator["Heartbeat"]:
        """Touch the file from a thread until the block ends; then delete it."""
        thread = threading.Thread(target=self._beat, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()
            with suppress(OSError):
                self.path.unlink(missing_ok=True)


def file_clock(folder: Path) -> float:
    """Return the file system's time in seconds; this host's if the folder is read-only."""
    probe = folder / f".clock-{socket.gethostname()}-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        now = probe.stat().st_mtime
        probe.unlink()
    except OSError:
        return time.time()
    return now


def active_elsewhere(path: Path, now: float) -> dict[str, Any] | None:
    """Return the heartbeat of another living process that works on a run; None without one.

    Args:
        now: time by `file_clock`, in seconds.
    """
    try:
        age = now - path.stat().st_mtime
        facts = read_json(path)
    except (OSError, UserError):  # deleted, or being replaced
        return None
    if not isinstance(facts, dict) or age > STALE_SECONDS:
        return None
    here, pid = facts.get("host") == socket.gethostname(), facts.get("pid", 0)
    if here and (pid == os.getpid() or not process_exists(int(pid))):
        return None
    return facts


def process_exists(pid: int) -> bool:
    """Return whether there is a process with this id on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0
