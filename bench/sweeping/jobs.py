"""What a launcher is handed: a job for each run that trains alone, a few for each kind of pack."""

from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig

from bench.runs.plans import PlannedRun


def jobs_of(entries: Sequence[PlannedRun], workers: int) -> list[list[PlannedRun]]:
    """The runs of each job: of a pack more than it has slots, where the workers are fewer.

    A slot that is free takes the job's next run, so that a pack stays full.

    Args:
        workers: how many jobs the launcher carries out at once.
    """
    kinds: dict[tuple[str, int], list[PlannedRun]] = {}
    for entry in entries:
        kinds.setdefault((entry.pack or entry.run_id, entry.slots), []).append(entry)
    jobs = []
    for (_, slots), members in kinds.items():
        packs = min(-(-len(members) // max(slots, 1)), workers)
        jobs += [members[place::packs] for place in range(packs)]
    return jobs


def overrides_of(job: Sequence[PlannedRun]) -> list[str]:
    """As a command line has them: those of the first run, and which others it brings along."""
    first, ids = job[0], ",".join(entry.run_id for entry in job)
    members = [f"pack_members=[{ids}]"] if first.pack else []
    return [*first.overrides, f"expected_run_id={first.run_id}", *members]


def workers_of(hydra_cfg: DictConfig, threads: int) -> int:
    """How many jobs the launcher of a config carries out at once.

    Args:
        hydra_cfg: the `hydra` part of a config.
        threads: of one job.
    """
    import joblib

    launcher: Any = hydra_cfg.launcher
    here = max(joblib.cpu_count() // threads, 1)
    kind = launcher._target_.rpartition(".")[2]
    if kind == "JoblibLauncher":
        return joblib.effective_n_jobs(launcher.n_jobs)
    if kind == "SlurmLauncher":
        return int(launcher.array_parallelism)
    if kind == "RayLauncher":
        cores = launcher.ray.init.num_cpus
        return here if cores is None else max(cores // threads, 1)
    return here if kind == "LocalLauncher" else 1
