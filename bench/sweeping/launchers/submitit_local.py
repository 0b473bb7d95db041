"""Processes of submitit on this machine, which start all at once: as many as fit go well."""

from bench.sweeping.launcher_spec import LauncherSpec, jobs_that_fit

LAUNCHER = LauncherSpec(
    target="hydra_plugins.hydra_submitit_launcher.submitit_launcher.LocalLauncher",
    parallel_jobs=lambda launcher, threads: jobs_that_fit(threads),
    extra="slurm",
)
