"""Job arrays of a Slurm cluster, submitted by submitit."""

from bench.sweeping.launcher_spec import LauncherSpec

LAUNCHER = LauncherSpec(
    target="hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher",
    parallel_jobs=lambda launcher, threads: int(launcher.array_parallelism),
    executable="sbatch",
    outlives_process=True,
    extra="slurm",
)
