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

from bench.errors import UserError
from bench.runs.folder import read_status
from bench.runs.plans import Entry, join_plan, plan_started, read_plan, start_plan
from bench.sweeping.launchers import check_launcher

ORDER = ("finished", "diverged", "failed", "refused", "interrupted", "running", "missing")


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
    for entry in plan.entries:
        status = read_status(runs_root / entry.run_id) if entry.run_id else {"status": "refused"}
        ended[status["status"] if status else "missing"] += 1
    ended["missing"] += plan.planned - len(plan.entries)
    return ended


def join(hydra_cfg: DictConfig, cfg: DictConfig, run_id: str, error: str) -> str:
    """Join the plan of the multirun; returns "[n/N] " for the terminal."""
    root, name = Path(cfg.runs_root), str(hydra_cfg.runtime.choices["sweeps"])
    entry = Entry(
        index=hydra_cfg.job.num,
        overrides=tuple(hydra_cfg.overrides.task),
        run_id=run_id,
        variant=str(cfg.names.variant),
        seed=cfg.seed,
        error=error,
    )
    join_plan(root, name, entry)
    planned = read_plan(root, name).planned
    return f"[{entry.index + 1:>{len(str(planned))}}/{planned}] "


def seconds_left(hydra_cfg: DictConfig, cfg: DictConfig) -> float:
    """An estimate from the pace of the multirun so far; 0 where all is done."""
    root, name = Path(cfg.runs_root), str(hydra_cfg.runtime.choices["sweeps"])
    ended, seconds = counts(root, name), plan_started(root, name)
    done = sum(ended[word] for word in ("finished", "diverged", "failed", "refused"))
    return seconds * (ended["planned"] - done) / max(done, 1)


class PlanCallback(Callback):
    """Starts the plan; each job joins it when it knows its run_id.

    Hydra turns what a callback raises into a warning, so nothing is raised here: `exit_status`
    says it to the command.
    """

    exit_status = 0  # of the last multirun of this process

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Write plan.json with the command and the number of runs."""
        planned = len(explicit_runs(config.hydra.sweeper, list(config.hydra.overrides.task)))
        command = shlex.join(["python", "-m", "bench.train", *sys.argv[1:]])
        name = self._name(config)
        try:
            check_launcher(config.hydra)
            start_plan(Path(config.runs_root), name, command, planned)
        except UserError as error:
            print(error, file=sys.stderr)
            sys.exit(2)
        print(f"sweep {name}: {planned} runs planned", flush=True)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Print how many runs were planned and what became of them."""
        name = self._name(config)
        try:
            ended = counts(Path(config.runs_root), name)
        except UserError as error:
            print(error, file=sys.stderr)
            PlanCallback.exit_status = 2
            return
        shown = ", ".join(f"{ended[word]} {word}" for word in ORDER if ended[word])
        print(f"sweep {name}: {ended['planned']} planned, {shown}")
        print(f"its report: bench report {name}")
        if ended["refused"]:
            PlanCallback.exit_status = 2
        elif ended["failed"] + ended["missing"] + ended["running"]:
            PlanCallback.exit_status = 1

    @staticmethod
    def _name(config: DictConfig) -> str:
        return str(config.hydra.runtime.choices["sweeps"])
