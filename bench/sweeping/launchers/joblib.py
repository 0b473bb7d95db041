"""Worker processes of joblib on this machine."""

from typing import Any

import joblib

from bench.sweeping.launcher_spec import LauncherSpec, jobs_that_fit


def parallel_jobs(launcher: Any, threads: int) -> int:
    """Return the number of workers; -1 stands for as many as have cores for their threads."""
    fitting = jobs_that_fit(threads)
    return fitting if launcher.n_jobs == -1 else joblib.effective_n_jobs(launcher.n_jobs)


LAUNCHER = LauncherSpec(
    target="hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher",
    parallel_jobs=parallel_jobs,
    settings=lambda launcher, threads: {"n_jobs": parallel_jobs(launcher, threads)},
)
