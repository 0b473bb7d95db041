"""Sweeps in joblib's worker processes: the same bits, killed workers, a GPU for each."""

import json
import os
import pty
import re

import pytest
from services.sweeps import (
    LONG,
    SHORT,
    SMALL,
    checkpointed,
    command,
    digests,
    kill,
    kill_parent,
    launch,
    processes,
    started,
    statuses,
    until,
)

pytestmark = pytest.mark.slow
TWO = "hydra.launcher.n_jobs=2"


def test_workers_give_the_bits_of_one_process(folder, short):
    done = launch(folder, "joblib", TWO, *SHORT)
    assert done.returncode == 0 and "4 planned, 4 finished" in done.stdout, done.stdout
    assert digests(folder) == short


def test_a_killed_worker_ends_the_pool_and_the_next_round_finishes(folder, long):
    sweep = started(folder, "joblib", TWO, *LONG)
    until(lambda: len(checkpointed(folder)) == 2)
    kill(workers(folder)[0])
    out, _ = sweep.communicate(timeout=600)
    assert "unexpectedly terminated" in out and "round 2 of 3" in out, out
    assert sweep.returncode == 0 and "2 planned, 2 finished" in out, out
    assert digests(folder) == long


def test_a_sweep_that_is_terminated_tells_its_workers_and_goes_on_later(folder, long):
    """SIGTERM to the sweep's own process alone, as a scheduler sends it."""
    sweep = started(folder, "joblib", TWO, *LONG)
    until(lambda: len(checkpointed(folder)) == 2)
    sweep.terminate()
    out, _ = sweep.communicate(timeout=600)
    assert sweep.returncode == 130 and "interrupted; the same command" in out, out
    assert {status["status"] for status in statuses(folder).values()} == {"interrupted"}
    again = launch(folder, "joblib", TWO, *LONG)
    assert again.returncode == 0 and "2 planned, 2 finished" in again.stdout, again.stdout
    assert digests(folder) == long


@pytest.mark.parametrize(("n_jobs", "seeds"), [(2, "0,1,2"), (4, "0,1")])
def test_workers_of_a_sweep_that_is_killed_write_checkpoints_and_end(folder, long, n_jobs, seeds):
    """A third run waits for its turn; two more workers wait for a run."""
    overrides = [f"hydra.launcher.n_jobs={n_jobs}", *LONG]
    overrides[overrides.index("seed=0,1")] = f"seed={seeds}"
    kill_parent(folder, "joblib", *overrides)
    again = launch(folder, "joblib", *overrides)
    assert again.returncode == 0 and "0 skipped" in again.stdout, again.stdout
    assert digests(folder).items() >= long.items()


def test_a_pack_that_is_terminated_among_idle_workers_writes_its_checkpoints(folder):
    """Three of four workers have nothing to do, and do not listen to signals yet."""
    packed = [*LONG, "pack=2"]
    sweep = started(folder, "joblib", "hydra.launcher.n_jobs=4", *packed)
    until(lambda: len(checkpointed(folder)) == 2)
    sweep.terminate()
    out, _ = sweep.communicate(timeout=600)
    assert sweep.returncode == 130 and "interrupted; the same command" in out, out
    assert {status["status"] for status in statuses(folder).values()} == {"interrupted"}
    again = launch(folder, "joblib", "hydra.launcher.n_jobs=4", *packed)
    assert again.returncode == 0 and "2 planned, 2 finished" in again.stdout, again.stdout
    alone = launch(folder, "basic", *packed, "runs_root=whole")
    assert alone.returncode == 0, alone.stdout
    found = {
        path.parent.name: json.loads(path.read_text())["digest"]
        for path in folder.glob("whole/*/status.json")
    }
    assert digests(folder) == found


def test_two_workers_share_one_display_on_a_terminal(folder):
    """Only a terminal shows whether the lines of two processes and the totals are drawn as one."""
    overrides = [o for o in LONG if o != "trainer.progress=false"]
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        words = command("joblib", TWO, *overrides)
        os.execvpe(words[0], words, {**os.environ, "COLUMNS": "80", "TERM": "xterm"})
    printed = b""
    while chunk := _read(terminal):
        printed += chunk
    text = printed.decode()
    assert os.waitpid(pid, 0)[1] == 0, text
    assert re.search(
        r"\nns_gan on ring, seed 0 .*of 1,500 .*\r\nns_gan on ring, seed 1 .*of 1,500 .*\r\n"
        r"sweep none: 0 of 2 done, 0 failed, 2 left\r",
        text,
    )
    assert "step/s" not in text and "it/s" not in text
    for seed in (0, 1):
        assert text.count(f"ns_gan on ring, seed {seed}: finished in ") == 1
    assert text.endswith("its report: bench report none\r\n")


def _read(terminal: int) -> bytes:
    """Return what a terminal shows next; empty once no process has it open."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def workers(folder) -> list[int]:
    return [
        pid
        for pid in processes(folder, "")
        if b"popen_loky_posix" in open(f"/proc/{pid}/cmdline", "rb").read()
    ]


SPY = """
import os, sys
from pathlib import Path
from bench.losses.nonsaturating import generator_loss as loss
Path(f"worker-{os.getpid()}").write_text(os.environ.get("CUDA_VISIBLE_DEVICES", "all"))
def generator_loss(fake_logits):
    return loss(fake_logits)
"""


def test_each_worker_sees_a_gpu_of_its_own(folder, monkeypatch):
    """The GPUs are simulated; the workers are real, and so is what each would let CUDA see."""
    (folder / "sitecustomize.py").write_text("import torch\ntorch.cuda.device_count = lambda: 2\n")
    (folder / "spy.py").write_text(SPY)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    settings = [s for s in SMALL if "accelerator" not in s] + ["seed=0,1", "d_steps=300"]
    settings.append("trainer.accelerator=auto")  # a sweep would say cpu: there is no GPU
    loss = "loss.generator._target_=spy.generator_loss"
    done = launch(folder, "joblib", TWO, *settings, loss)
    assert done.returncode == 0 and "2 planned, 2 finished" in done.stdout, done.stdout
    assert sorted(p.read_text() for p in folder.glob("worker-*")) == [
        "0",
        "1",
        "all",
    ]  # the process that plans acquires none
