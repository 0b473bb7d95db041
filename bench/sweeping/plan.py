"""A Hydra callback: the plan of a multirun on disk before its first job, the counts at its end."""

import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from bench.runs.folder import read_status
from bench.runs.plans import read_plan, start_plan

ORDER = ("finished", "diverged", "failed", "interrupted", "missing")


def explicit_runs(sweeper: DictConfig, overrides: list[str]) -> list[list[str]]:
    """What Hydra's basic sweeper is about to launch: the product of all choices.

    Args:
        sweeper: hydra.sweeper of the config, whose `params` come first.
        overrides: of the command line.
    """
    params = [f"{k}={v}" for k, v in (sweeper.get("params") or {}).items()]
    parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
    return BasicSweeper.split_arguments(parser.parse_overrides(params + overrides), None)[0]


def counts(runs_root: Path, name: str) -> Counter[str]:
    """How many runs of a plan ended how; "planned" is all of them, "missing" have no status."""
    plan = read_plan(runs_root, name)
    ended = Counter({"planned": plan.planned})
    for run_id in (entry.run_id for entry in plan.entries):
        status = read_status(runs_root / run_id)
        ended[status["status"] if status else "missing"] += 1
    ended["missing"] += plan.planned - len(plan.entries)
    return ended


class PlanCallback(Callback):
    """Starts the plan; each job joins it when it knows its run_id."""

    failures = 0  # of the last multirun of this process; the exit status depends on it

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Write plan.json with the command and the number of runs."""
        planned = len(explicit_runs(config.hydra.sweeper, list(config.hydra.overrides.task)))
        command = shlex.join(["python", "-m", "bench.train", *sys.argv[1:]])
        name = self._name(config)
        start_plan(Path(config.runs_root), name, command, planned)
        print(f"sweep {name}: {planned} runs planned", flush=True)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Print how many runs were planned and what became of them."""
        name = self._name(config)
        ended = counts(Path(config.runs_root), name)
        shown = ", ".join(f"{ended[word]} {word}" for word in ORDER if ended[word])
        print(f"sweep {name}: {ended['planned']} planned, {shown}")
        if name != "none":
            print(f"its report: bench report {name}")
        PlanCallback.failures = ended["failed"] + ended["missing"]

    @staticmethod
    def _name(config: DictConfig) -> str:
        return str(config.hydra.runtime.choices["sweeps"])
