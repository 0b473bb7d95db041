"""Sweeps on a real Slurm: job arrays, preemption, killed jobs."""

import re
import subprocess

import pytest
from services.slurm import Unavailable, slurm
from services.sweeps import (
    LONG,
    SHORT,
    SUBMITTED,
    checkpointed,
    digests,
    kill,
    launch,
    processes,
    started,
    statuses,
    until,
)

pytestmark = [pytest.mark.slow, pytest.mark.service]
SMALL_JOBS = "hydra.launcher.mem_gb=1"  # four fit into the simulated nodes


@pytest.fixture(scope="module", autouse=True)
def cluster():
    try:
        with slurm():
            yield
    except Unavailable as error:
        pytest.skip(str(error))


def output_of(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def submitted(folder) -> str:
    """Return the number of the latest job array."""
    scripts = until(lambda: list((folder / "runs/.hydra/.submitit").glob("*/*_submission.sh")))
    return max((path.parent.name for path in scripts), key=int)


def states(job: str) -> dict[str, str]:
    """Return the state of each task of an array."""
    lines = output_of("sacct", "-X", "-n", "-P", "-o", "JobID,State", "-j", job).split()
    return dict(line.split("|") for line in lines)


def test_a_job_array_gives_the_bits_of_one_process(folder, short):
    done = launch(folder, "slurm", SMALL_JOBS, *SHORT)
    assert done.returncode == 0 and "4 planned, 4 finished" in done.stdout, done.stdout
    assert digests(folder) == short
    job = submitted(folder)
    wanted = {f"{job}_{task}": "COMPLETED" for task in range(4)}
    until(lambda: states(job) == wanted)


def test_a_preempted_job_writes_a_checkpoint_is_queued_again_and_goes_on(folder, long):
    sweep = started(folder, "slurm", SMALL_JOBS, *LONG)
    first = next(iter(long))
    until(lambda: first in checkpointed(folder))
    job = submitted(folder)
    output_of("scancel", "--signal=USR2", f"{job}_0")
    until(lambda: statuses(folder)[first]["status"] == "interrupted")
    assert 50 < statuses(folder)[first]["d_steps"] < 1500
    until(lambda: "PENDING" in output_of("scontrol", "show", "job", f"{job}_0"))
    until(lambda: not processes(folder, SUBMITTED, "SLURM_ARRAY_TASK_ID=0\0"))
    output_of("scontrol", "update", f"JobId={job}_0", "StartTime=now")  # instead of in two minutes
    out, _ = sweep.communicate(timeout=600)
    assert sweep.returncode == 0 and "2 planned, 2 finished" in out, out
    assert digests(folder) == long
    assert re.search(r"Restarts=1\b", output_of("scontrol", "show", "job", f"{job}_0"))


def test_killed_and_cancelled_jobs_are_launched_again_and_the_rest_goes_on(folder, long):
    sweep = started(folder, "slurm", SMALL_JOBS, *LONG, "seed=0,1,2")
    until(lambda: len(checkpointed(folder)) == 3)
    job, (_, _, whole) = submitted(folder), statuses(folder)
    (victim,) = processes(folder, SUBMITTED, "SLURM_ARRAY_TASK_ID=0\0")
    kill(victim)
    output_of("scancel", f"{job}_1")
    until(lambda: statuses(folder)[whole]["status"] == "finished")
    settled = (folder / "runs" / whole / "status.json").stat().st_mtime_ns
    out, _ = sweep.communicate(timeout=600)
    assert sweep.returncode == 0 and "3 planned, 3 finished" in out, out
    assert f"Job {job}_0" in out and "round 2 of 3: 2 runs have no row" in out, out
    assert digests(folder).items() >= long.items()
    assert (folder / "runs" / whole / "status.json").stat().st_mtime_ns == settled
