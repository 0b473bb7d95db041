"""Workers of a Ray cluster, this machine's own or one that runs already."""

from bench.sweeping.launcher_spec import LauncherSpec, jobs_that_fit

LAUNCHER = LauncherSpec(
    target="hydra_plugins.hydra_ray_launcher.ray_launcher.RayLauncher",
    parallel_jobs=lambda launcher, threads: jobs_that_fit(threads, launcher.ray.init.num_cpus),
    extra="ray",
)
