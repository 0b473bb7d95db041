"""Jobs for a launcher: one for each run without a pack, a few for each kind of pack."""

from collections.abc import Sequence

from bench.config.override_text import quote
from bench.runs.plans import PlannedRun


def make_jobs(runs: Sequence[PlannedRun], parallel_jobs: int) -> list[list[PlannedRun]]:
    """Return the runs of each job; jobs of packs have more runs than slots where jobs are scarce.

    A slot that becomes free takes the job's next run, so that a pack stays full.

    Args:
        runs: runs to launch; those with the same `pack` and `slots` can share a pack.
        parallel_jobs: how many jobs the launcher runs at once, from 1 on.
    """
    runs_by_pack: dict[tuple[str, int], list[PlannedRun]] = {}
    for run in runs:
        runs_by_pack.setdefault((run.pack or run.run_id, run.slots), []).append(run)
    jobs = []
    for (_, slots), members in runs_by_pack.items():
        n_jobs = min(-(-len(members) // max(slots, 1)), parallel_jobs)
        jobs += [members[first::n_jobs] for first in range(n_jobs)]
    return jobs


def job_overrides(job: Sequence[PlannedRun]) -> list[str]:
    """Return the command line of a job: the overrides of its first run, and the run_ids of all."""
    first, ids = job[0], [quote(run.run_id) for run in job]  # one like 12e45 would be a number
    members = [f"pack_members=[{','.join(ids)}]"] if first.pack else []
    return [*first.overrides, f"expected_run_id={ids[0]}", *members]
