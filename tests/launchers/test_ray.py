"""Sweeps on a real Ray, of this machine alone and of a cluster that is there already."""

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from services.slurm import free_ports
from services.sweeps import (
    LONG,
    SHORT,
    checkpointed,
    digests,
    kill,
    launch,
    processes,
    started,
    statuses,
    until,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.service,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="extra ray not installed"),
]
TWO = "hydra.launcher.ray.init.num_cpus=2"


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A Ray of two cores that was started elsewhere, with temporary files of its own."""
    with tempfile.TemporaryDirectory(prefix="ray-") as temporary:  # sockets want short paths
        monkeypatch.setenv("RAY_TMPDIR", temporary)
        away = tmp_path / "away"
        away.mkdir()
        ray = Path(sys.executable).with_name("ray")
        port = f"--port={free_ports(1)[0]}"
        command = [ray, "start", "--head", port, "--num-cpus=2", "--include-dashboard=false"]
        try:
            subprocess.run(command, cwd=away, check=True, capture_output=True, timeout=200)
            yield
        finally:
            kill(*processes(away, ""))


def test_a_cluster_that_runs_already_gives_the_bits_of_one_process(folder, cluster, short):
    """Its workers start in another folder: runs_root is absolute."""
    root = f"runs_root={folder / 'runs'}"
    done = launch(folder, "ray", "hydra.launcher.ray.init.address=auto", root, *SHORT)
    assert "Connected to Ray cluster" in done.stdout, done.stdout
    assert done.returncode == 0 and "4 planned, 4 finished" in done.stdout, done.stdout
    assert digests(folder) == short


def test_a_run_whose_worker_is_killed_goes_on_in_another(folder, long):
    sweep = started(folder, "ray", TWO, *LONG)
    until(lambda: len(checkpointed(folder)) == 2)
    kill(processes(folder, "ray::_run_job")[0])
    assert {status["status"] for status in statuses(folder).values()} == {"running"}
    out, _ = sweep.communicate(timeout=600)
    assert sweep.returncode == 0 and "2 planned, 2 finished" in out, out
    assert digests(folder) == long


def test_a_cluster_that_does_not_run_is_one_sentence(folder, monkeypatch):
    monkeypatch.setenv("RAY_TMPDIR", str(folder))
    done = launch(folder, "ray", "hydra.launcher.ray.init.address=auto", *SHORT)
    assert done.returncode == 2 and "Traceback" not in done.stdout, done.stdout
    assert "error: Could not find any running Ray instance" in done.stdout
    assert "fix: start it first" in done.stdout
