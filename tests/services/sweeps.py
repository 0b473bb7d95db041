"""Helpers that launch small sweeps from the command line and read what they leave."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

SMALL = [
    "dataset=ring", "network.width=8", "network.depth=2", "score.n_fake=60", "score.n_real=100",
    "trainer.accelerator=cpu", "trainer.progress=false", "trainer.pictures=0", "log_every=2",
]  # fmt: skip
SHORT = ["variant=ns_gan,wgan_gp", "seed=0,1", "d_steps=20", *SMALL]
SUBMITTED = f"{sys.executable} -u -m submitit.core._submit"  # how a job's own process begins
LONG = ["variant=ns_gan", "seed=0,1", "d_steps=1500", "trainer.checkpoint_every=50", *SMALL]


def command(launcher: str, *overrides: str) -> list[str]:
    return [sys.executable, "-m", "bench.train", "-m", f"hydra/launcher={launcher}", *overrides]


def launch(folder: Path, launcher: str, *overrides: str) -> subprocess.CompletedProcess:
    """Run a sweep to its end; its stdout holds all that was printed."""
    return subprocess.run(
        command(launcher, *overrides), cwd=folder, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=600,
    )  # fmt: skip


def started(folder: Path, launcher: str, *overrides: str) -> subprocess.Popen:
    """Start a sweep in the background, in a process group of its own."""
    return subprocess.Popen(
        command(launcher, *overrides), cwd=folder, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


def statuses(folder: Path) -> dict[str, dict]:
    """Return run_id -> content of status.json, in order of seeds."""
    runs = sorted(folder.glob("runs/*/status.json"), key=_seed)
    return {path.parent.name: json.loads(path.read_text()) for path in runs}


def _seed(path: Path) -> int:
    return int(re.search(r"^seed: (\d+)", path.with_name("config.yaml").read_text(), re.M)[1])


def digests(folder: Path) -> dict[str, str]:
    """Return run_id -> digest of the weights; all runs must have finished."""
    by_run_id = statuses(folder)
    assert {status["status"] for status in by_run_id.values()} == {"finished"}, by_run_id
    return {run_id: status["digest"] for run_id, status in by_run_id.items()}


def until(condition: Callable[[], object], seconds: float = 300) -> object:
    """Wait until a condition returns something true, and return that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"still not so after {seconds:.0f} s: {condition}")


def checkpointed(folder: Path) -> list[str]:
    """Return running runs that have a checkpoint to resume from, in order of seeds."""
    status_by_run = statuses(folder).items()
    running = [run_id for run_id, status in status_by_run if status["status"] == "running"]
    return [r for r in running if list((folder / f"runs/{r}/checkpoints").glob("*.ckpt"))]


def processes(folder: Path, command: str, variable: str = "") -> list[int]:
    """Return ids of processes in a folder whose command begins so and that have a variable."""
    pids = []
    for proc in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (proc / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if (proc / "cwd").resolve() != folder or not words.startswith(command):
                continue
            if f"\0{variable}".encode() in b"\0" + (proc / "environ").read_bytes():
                pids.append(int(proc.name))
    return pids


def kill(*pids: int) -> None:
    """Kill processes with SIGKILL."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def kill_parent(folder: Path, launcher: str, *overrides: str) -> None:
    """Kill a sweep's own process once two runs have a checkpoint; both stop with another one."""
    sweep = started(folder, launcher, *overrides)
    until(lambda: len(checkpointed(folder)) == 2)
    kill(sweep.pid)
    sweep.communicate(timeout=60)
    until(lambda: not processes(folder, ""), 20)
    assert [status["status"] for status in statuses(folder).values()] == ["interrupted"] * 2
