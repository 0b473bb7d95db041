"""Whether a process works on a run: a small file that it touches every two seconds.

There is no lock: a process that dies leaves a file that grows old. Ages are measured by the file
system's own clock, so that hosts whose clocks differ agree.
"""

import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.core.files import read_json, write_json, writer_id
from bench.runs.folder import RunFolder

BEAT_SECONDS = 2.0  # between touches
STALE_SECONDS = 60.0  # a file that is older belongs to a process that died
MAX_WRITE_SECONDS = 3600  # no file takes longer to write
HEARTBEAT = {"host": str, "pid": int, "step?": int, "d_steps?": int, "phase?": str}


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
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:  # nameless: a kill leaves none
            return os.fstat(probe.fileno()).st_mtime
    except OSError:
        return time.time()


def archive_run(folder: RunFolder) -> Path | None:
    """Move a run's folder to earlier/RUN_ID-NUMBER, so that the run is trained anew; return that.

    Returns:
        None where there is no such folder.

    Raises:
        UserError: another process works on the run.
    """
    if not folder.path.is_dir():
        return None
    if (other := active_elsewhere(folder.heartbeat, file_clock(folder.root))) is not None:
        who = f"process {other['pid']} on {other['host']}"
        raise UserError(f"{who} works on run {folder.run_id}", fix="stop it, or let it end")
    earlier, number = folder.root / "earlier", 1
    while (archive := earlier / f"{folder.run_id}-{number}").exists():
        number += 1
    earlier.mkdir(exist_ok=True)
    os.replace(folder.path, archive)
    return archive


def active_elsewhere(path: Path, now: float) -> dict[str, Any] | None:
    """Return the heartbeat of another living process that works on a run; None without one.

    Args:
        now: time by `file_clock`, in seconds.
    """
    facts = read_heartbeat(path)
    try:
        age = now - path.stat().st_mtime
    except OSError:  # deleted
        return None
    if facts is None or abs(age) > STALE_SECONDS:  # from the future: the clock was set back
        return None
    here, pid = facts["host"] == socket.gethostname(), facts["pid"]
    return None if here and (pid == os.getpid() or not process_exists(pid)) else facts


def read_heartbeat(path: Path) -> dict[str, Any] | None:
    """Read a heartbeat's file; return None where there is none, or a damaged one."""
    try:
        return read_json(path, HEARTBEAT)
    except UserError:
        return None


def process_exists(pid: int) -> bool:
    """Return whether there is a process with this id on this machine."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return pid > 0


def remove_partial_files(folder: Path) -> None:
    """Delete what a killed process left half-written, but no file that another may be writing."""
    now, this_host = file_clock(folder), writer_id().rpartition("-")[0]
    for path in folder.rglob(".*.part"):
        host, _, pid = path.name.split(".")[-2].rpartition("-")[0].rpartition("-")
        dead = host == this_host and pid.isdigit() and not process_exists(int(pid))
        with suppress(OSError):
            if dead or now - path.stat().st_mtime > MAX_WRITE_SECONDS:
                path.unlink()
