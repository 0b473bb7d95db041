"""Worker processes of joblib on this machine."""

import joblib

from bench.sweeping.launcher_spec import LauncherSpec

LAUNCHER = LauncherSpec(
    target="hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher",
    parallel_jobs=lambda launcher, threads: joblib.effective_n_jobs(launcher.n_jobs),
)
