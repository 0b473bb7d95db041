"""Launch sweeps from a process that has torch already, and compare what they leave."""

import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

from execution.test_survival import leavings

from bench import train
from bench.runs.folder import RunFolder
from bench.runs.rows import read_rows

POLL_SECONDS = 0.01
SMALL = [
    "log_every=2", "score.n_fake=60", "score.n_real=100", "score.metrics.prd.clusterings=1",
    "trainer.pictures=1", "trainer.accelerator=cpu", "trainer.progress=false",
]  # fmt: skip


@dataclass
class Launch:
    """A process that carries out a sweep in a folder, in a process group of its own.

    It is forked from this one, which has torch already: a start from nothing takes most of a
    launch's time.

    Args:
        folder: where it runs; `runs` is created there, and `printed`, what all launches printed.
        words: what follows `python -m bench.train`.
        prepare: called in the new process first.
    """

    folder: Path
    words: list[str]
    prepare: Callable[[], object] = lambda: None
    seen: dict[str, int] = field(default_factory=dict)
    changes: int = 0
    status: int | None = None  # exit status, of a signal the negative number; None while it runs

    def __post_init__(self) -> None:
        self.look()
        self.changes = 0
        self.pid = os.fork()
        if self.pid == 0:
            self._carry_out()

    def _carry_out(self) -> NoReturn:
        os.setsid()
        os.chdir(self.folder)
        sys.stdout = sys.stderr = printed = open("printed", "a", buffering=1)  # noqa: SIM115
        os.dup2(printed.fileno(), 1)
        os.dup2(printed.fileno(), 2)
        sys.argv, status = ["bench.train", *self.words], 1
        try:
            self.prepare()
            train.main()
        except SystemExit as left:
            status = left.code or 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)

    def look(self) -> None:
        """Count the files that appeared or changed since the last look."""
        now = {}
        for folder, folders, files in os.walk(self.folder / "runs"):  # passes over what has gone
            for path in (os.path.join(folder, name) for name in (*folders, *files)):
                with suppress(OSError):
                    now[path] = os.stat(path).st_mtime_ns
        self.changes += len(now.items() - self.seen.items())
        self.seen = now

    def ended(self) -> bool:
        """Return whether the process has ended."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = os.waitstatus_to_exitcode(status) if pid else None
        return self.status is not None

    def wait_for(self, changes: int, delay: float) -> bool:
        """Wait until so many files have changed, and for the delay; False: it ended before."""
        while self.changes < changes and not self.ended():
            time.sleep(POLL_SECONDS)
            self.look()
        deadline = time.monotonic() + delay
        while not self.ended() and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, POLL_SECONDS))
        return not self.ended()

    def wait(self) -> int | None:
        """Wait for its end, and count the changes meanwhile; return the exit status."""
        self.wait_for(sys.maxsize, 0)
        return self.status


def results(root: Path) -> dict[str, Any]:
    """Return all that must come out the same, however often a sweep was killed."""
    folders = [p.parent for p in root.glob("*/status.json")]
    runs = {p.name: leavings(SimpleNamespace(folder=RunFolder(root, p.name))) for p in folders}
    rows = [asdict(row) for row in read_rows(root, sorted(p.name for p in root.iterdir()))]
    files = sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())
    shown = [name for name in files if not name.startswith(".hydra/")]
    return {"runs": runs, "rows": rows, "files": shown}


def differences(found: dict[str, Any], expected: dict[str, Any]) -> Iterator[str]:
    """Name what differs, a few words each."""
    for name in ("extra", "missing"):
        first, second = (found, expected) if name == "extra" else (expected, found)
        for file in sorted(set(first["files"]) - set(second["files"])):
            yield f"{name} file {file}"
    if found["rows"] != expected["rows"]:
        yield "rows"
    for run_id, parts in expected["runs"].items():
        other = found["runs"].get(run_id, {})
        yield from (f"{name} of run {run_id}" for name in parts if other.get(name) != parts[name])
