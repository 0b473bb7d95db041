"""The description of a Hydra launcher, beside its preset in conf/hydra/launcher."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import joblib


@dataclass(frozen=True)
class LauncherSpec:
    """One launcher; its module in `bench.sweeping.launchers` has the name of the preset.

    Args:
        target: `_target_` of the preset: any preset with this target has this description.
        parallel_jobs: (`hydra.launcher` config, threads of a job) -> jobs that run at once.
        settings: the same arguments -> settings of the launcher to replace before it starts.
        executable: program that it needs on this machine; None if it needs none.
        outlives_process: its jobs go on when the process that launched them ends.
        extra: of pyproject.toml, which installs it; None if the suite itself does.
    """

    target: str
    parallel_jobs: Callable[[Any, int], int]
    settings: Callable[[Any, int], dict[str, Any]] = lambda launcher, threads: {}
    executable: str | None = None
    outlives_process: bool = False
    extra: str | None = None

    @property
    def package(self) -> str:
        """The plugin's package, hydra_plugins.NAME_OF_THE_DISTRIBUTION."""
        return ".".join(self.target.split(".")[:2])


def jobs_that_fit(threads: int, cores: int | None = None) -> int:
    """max(1, cores // threads), with this machine's cores where `cores` is None."""
    return max((joblib.cpu_count() if cores is None else cores) // threads, 1)


def one_at_a_time(launcher: Any, threads: int) -> int:
    """Return 1: how many jobs a launcher without a description is assumed to run at once."""
    return 1
