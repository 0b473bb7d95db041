"""Sweeps as submitit's processes on this machine: the same bits, preempted or killed."""

import os
import signal
import sys

import pytest
from services.sweeps import (
    LONG,
    SHORT,
    SUBMITTED,
    checkpointed,
    digests,
    kill,
    kill_parent,
    launch,
    processes,
    started,
    until,
)

pytestmark = pytest.mark.slow


def test_processes_give_the_bits_of_one_process(folder, short):
    done = launch(folder, "submitit_local", *SHORT)
    assert done.returncode == 0 and "4 planned, 4 finished" in done.stdout, done.stdout
    assert digests(folder) == short


def jobs(folder) -> list[int]:
    """Return ids of the processes that train, in the order in which their jobs were started."""
    controllers = sorted(processes(folder, f"{sys.executable} -m submitit.local._local"))
    variables = [f"SUBMITIT_LOCAL_JOB_ID={pid}\0" for pid in controllers]
    return [processes(folder, SUBMITTED, variable)[0] for variable in variables]


def test_a_preempted_job_goes_on_and_a_killed_one_is_launched_again(folder, long):
    sweep = started(folder, "submitit_local", *LONG)
    until(lambda: len(checkpointed(folder)) == 2)
    first, second = jobs(folder)
    os.kill(first, signal.SIGUSR2)
    kill(second)
    out, _ = sweep.communicate(timeout=600)
    assert sweep.returncode == 0 and "2 planned, 2 finished" in out, out
    assert "has not produced any output" in out, out
    assert "round 2 of 3: 1 runs have no row" in out, out
    log = "".join(p.read_text() for p in folder.glob("runs/.hydra/.submitit/*/*_log.*"))
    assert log.count("Requeued job") == 1
    assert digests(folder) == long


def test_jobs_of_a_sweep_that_is_killed_write_checkpoints_and_end(folder, long):
    kill_parent(folder, "submitit_local", *LONG)
    again = launch(folder, "submitit_local", *LONG)
    assert again.returncode == 0 and "0 skipped" in again.stdout, again.stdout
    assert digests(folder) == long
