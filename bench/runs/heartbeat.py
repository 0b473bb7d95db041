"""Whether somebody is at work on a run: a small file that is touched while it goes on.

No lock: a process that dies leaves a file that grows old. Ages are read off the file system's own
clock, so that hosts whose clocks differ agree.
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

BEAT = 10.0  # seconds between touches
STALE = 60.0  # seconds after which nobody is thought to be there


class Heartbeat:
    """What a run says of itself while it goes on; `step` may be set at any time."""

    def __init__(self, path: Path, d_steps: int) -> None:
        self.path, self.d_steps = path, d_steps
        self.step, self.phase = 0, "training"
        self._over = threading.Event()

    def facts(self) -> dict[str, Any]:
        """Who, where, how far."""
        return {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "step": self.step,
            "d_steps": self.d_steps,
            "phase": self.phase,
        }

    def _beat(self) -> None:
        while True:
            with suppress(UserError):  # a full disk is the run's to report
                write_json(self.path, self.facts())
            if self._over.wait(BEAT):
                return

    @contextmanager
    def running(self) -> Iterator["Heartbeat"]:
        """Touch the file while the block goes on, from a thread; take it away at its end."""
        thread = threading.Thread(target=self._beat, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            thread.join()
            with suppress(OSError):
                self.path.unlink(missing_ok=True)


def file_clock(folder: Path) -> float:
    """The time by the file system's own clock."""
    mark = folder / f".clock-{socket.gethostname()}-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mark.touch()
        now = mark.stat().st_mtime
        mark.unlink()
    except OSError:
        return time.time()
    return now


def active_elsewhere(path: Path, now: float) -> dict[str, Any] | None:
    """What another living process last said of a run; None where there is none.

    Args:
        path: of the pulse.
        now: as `file_clock` gives it.
    """
    try:
        age = now - path.stat().st_mtime
        facts = read_json(path)
    except (OSError, UserError):  # gone, or being replaced
        return None
    here = isinstance(facts, dict) and facts.get("host") == socket.gethostname()
    if not isinstance(facts, dict) or age > STALE or (here and facts.get("pid") == os.getpid()):
        return None
    if here and not exists(int(facts.get("pid", 0))):
        return None
    return facts


def exists(pid: int) -> bool:
    """Whether there is such a process on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0
