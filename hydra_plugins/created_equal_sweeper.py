"""The sweeper as Hydra finds it: it plans explicit runs, launches what has no row, and counts.

Hydra imports every module of this namespace when it starts, so nothing heavy is imported here.
"""

from collections.abc import Sequence
from typing import Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, read_write


class CreatedEqualSweeper(Sweeper):
    """`hydra/sweeper=created_equal`, the suite's default.

    Args:
        params: choices whose product is run, as in Hydra's own sweeper.
        stages: stages of a sweep file, see docs/sweeps.md; with them, `params` is left out.
        rounds: how often runs that have no row are launched.
        chunk: how many runs the launcher is given at once.
        plan_only: write the plan and launch nothing.
        claims: whether the report assesses claims.
        published: folder of a report whose runs count as done, or None.
    """

    def __init__(
        self,
        params: Any,
        stages: Any,
        rounds: int,
        chunk: int,
        plan_only: bool,
        claims: bool,
        published: str | None,
    ) -> None:
        self.params, self.stages = params, stages
        self.rounds, self.chunk, self.plan_only = rounds, chunk, plan_only
        self.claims, self.published = claims, published
        self.hydra_context: HydraContext | None = None
        self.config: DictConfig | None = None
        self.launcher: Any = None

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Check and instantiate the launcher that the config names."""
        from hydra.core.plugins import Plugins

        from bench.sweeping.launchers import check_launcher, find_launcher

        check_launcher(config.hydra)
        launcher = config.hydra.launcher
        with read_write(launcher):  # Hydra has locked its own part of the config
            launcher.update(find_launcher(config.hydra).settings(launcher, config.threads))
        self.hydra_context, self.config = hydra_context, config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Sequence[Any]:
        """Plan, launch and count the runs of a multirun."""
        from bench.sweeping.sweep import launch_sweep

        launch_sweep(self, arguments)
        return []
