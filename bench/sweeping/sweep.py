"""A sweep from its file to its counts: what the Hydra plugin calls."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from bench.core.errors import UserError
from bench.core.signals import INTERRUPT
from bench.runs.plans import PlannedRun, StagePlan, forget_refusals, plan_folder, stages_of
from bench.runs.run_status import ENDED, RunStatus, as_text, count_states
from bench.sweeping.jobs import workers_of
from bench.sweeping.launch_rounds import LaunchRounds
from bench.sweeping.packing import Packing
from bench.sweeping.planning import entries_of, estimated, keep_plan, plan_stage
from bench.sweeping.run_id_templates import RunIdTemplates
from bench.sweeping.run_spec import AXES, narrowed, split_choices
from bench.sweeping.stage import Stage, full_name
from bench.sweeping.stages import parse_stages

LATEST = {"status": 0}  # exit status of the last sweep of this process


@dataclass(frozen=True)
class Settings:
    """`conf/hydra/sweeper/created_equal.yaml`, checked.

    Raises:
        UserError: a number is outside its range.
    """

    params: Mapping[str, str]
    stages: Mapping[str, Any]
    rounds: int
    chunk: int
    plan_only: bool

    def __post_init__(self) -> None:
        for name in ("rounds", "chunk"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise UserError(
                    f"hydra.sweeper.{name} is {value!r}", fix="set it to a whole number from 1 on"
                )


class Sweep:
    """One launch of a sweep.

    Args:
        config: Hydra's, of the multirun.
        config_loader: Hydra's.
        launcher: Hydra's, any.
        settings: of the sweeper.
    """

    def __init__(
        self, config: DictConfig, config_loader: Any, launcher: Any, settings: Settings
    ) -> None:
        self.config, self.loader, self.settings = config, config_loader, settings
        self.root, self.name = Path(config.runs_root), str(config.hydra.runtime.choices.sweeps)
        self.command = shlex.join(["python", "-m", "bench.train", *sys.argv[1:]])
        asked = OmegaConf.select(config, "hydra.launcher.gpus_per_node")
        workers = workers_of(config.hydra, config.threads)
        known = stages_of(self.root, self.name)
        self.packing = Packing(
            config.pack,
            RunIdTemplates(self._compose, gpus=bool(asked)),
            known[0].get("packs", {}) if known else {},
            workers,
        )
        self.rounds = LaunchRounds(
            launcher,
            self.root,
            self.name,
            rounds=settings.rounds,
            chunk=settings.chunk,
            workers=workers,
        )
        self.planned: dict[str, StagePlan] = {}
        self.standings: dict[str, RunStatus] = {}
        self.skipped = 0

    def _compose(self, overrides: list[str]) -> DictConfig:
        return self.loader.load_sweep_config(self.config, overrides)

    def run(self, arguments: Sequence[str]) -> None:
        """Plan and carry out every stage, and end with the counts.

        Args:
            arguments: overrides of the command line.
        """
        arguments = self._without_pack(arguments)
        if self.settings.stages:
            self._run_stages(arguments)
        else:
            params = [f"{key}={value}" for key, value in self.settings.params.items()]
            overrides = self._parsed([*params, *arguments])
            choices = BasicSweeper.split_arguments(overrides, None)[0]
            runs = [split_choices(choice) for choice in choices]
            self._carry_out(StagePlan("all", entries_of("all", runs, self.packing)), [])
        self._tell()

    def _without_pack(self, arguments: Sequence[str]) -> list[str]:
        """The command line's overrides without that which says how runs are launched."""
        kept = []
        for text, override in zip(arguments, self._parsed(list(arguments)), strict=True):
            key = override.get_key_element().lstrip("+")
            if key == "pack" and override.is_sweep_override():
                raise UserError("pack has several values", fix="give it one: off, auto or N")
            if key == "packed" and self.packing.asked:
                raise UserError(
                    "packed= and pack= both say how runs are packed", fix="leave packed= out"
                )
            if key != "pack":
                kept.append(text)
        return kept

    def _parsed(self, overrides: list[str]) -> list[Any]:
        return OverridesParser.create(config_loader=self.loader).parse_overrides(overrides)

    def _run_stages(self, arguments: Sequence[str]) -> None:
        stages = parse_stages(self.settings.stages)
        chosen, constant = self._split(arguments, stages)
        by_name = {stage.name: narrowed(stage, chosen) for stage in stages}
        for place, stage in enumerate(by_name.values()):
            waiting = [later.name for later in stages[place + 1 :]]
            plan = plan_stage(stage, self.planned, by_name, constant, self.packing, self.root)
            self._carry_out(plan, waiting)
            if INTERRUPT.requested or (self.settings.plan_only and waiting):
                break
            unfinished = [e for e in plan.entries if self.standings[e.run_id].state not in ENDED]
            if unfinished and waiting:
                print(
                    f"stage {stage.name}: {len(unfinished)} of {len(plan.entries)} runs have no "
                    f"row; {', '.join(waiting)} must wait for them",
                    flush=True,
                )
                break

    def _split(
        self, arguments: Sequence[str], stages: Sequence[Stage]
    ) -> tuple[dict[str, list[str]], dict[str, str]]:
        """Choices that narrow a sweep with stages, and overrides that hold for all its runs."""
        chosen: dict[str, list[str]] = {}
        constant: dict[str, str] = {}
        drawn = {"seed"}
        for stage in stages:
            for configurations in (stage.configurations or {}).values():
                drawn |= {full_name(name) for values in configurations for name in values}
        for override in self._parsed(list(arguments)):
            key = override.get_key_element()
            several = override.is_sweep_override()
            if key in AXES:
                found = override.sweep_string_iterator() if several else [override.value()]
                chosen[key] = [str(name) for name in found]
            elif several:
                raise UserError(
                    f"{key} has several values and the sweep {self.name!r} has stages of its own",
                    fix=f"give it one value, or write a sweep file; {' and '.join(AXES)} may "
                    "narrow the sweep",
                )
            elif key.lstrip("+") in drawn:
                raise UserError(
                    f"{key} is what the sweep {self.name!r} varies itself",
                    fix="leave it out, or write a sweep file of your own",
                )
            else:
                constant[key] = override.get_value_element_as_str()
        return chosen, constant

    def _carry_out(self, plan: StagePlan, waiting: Sequence[str]) -> None:
        watch = self.rounds.watch
        before = watch.read(plan.entries)
        entries = estimated(plan.entries, before)
        plan = StagePlan(plan.name, entries, plan.rule, plan.chosen)
        self.planned[plan.name] = plan
        stages, packs = list(self.planned.values()), self.packing.choices
        said = keep_plan(self.root, self.name, self.command, stages, waiting, packs)
        forget_refusals(self.root, self.name)
        if said:
            print(said, flush=True)
        skipped = sum(standing.state in ENDED for standing in before)
        self.skipped += skipped
        print(
            f"sweep {self.name}{'' if plan.name == 'all' else f', stage {plan.name}'}: "
            f"{len(entries)} runs planned, {skipped} skipped{_cost(entries, before)}",
            flush=True,
        )
        standings = before if self.settings.plan_only else self.rounds.run(entries)
        self.standings |= {e.run_id: s for e, s in zip(entries, standings, strict=True)}

    def _tell(self) -> None:
        """The counts, and the exit status that follows from them."""
        counts = count_states(self.standings.values())
        skipped = f" ({self.skipped} skipped)" if self.skipped else ""
        print(f"sweep {self.name}: {len(self.standings)} planned, {as_text(counts)}{skipped}")
        entries: list[PlannedRun] = [e for plan in self.planned.values() for e in plan.entries]
        for entry in entries:
            standing = self.standings[entry.run_id]
            if standing.state in ("failed", "refused"):
                label = f"{entry.variant} on {entry.dataset}, seed {entry.seed}"
                print(f"  {standing.state}: {label} ({entry.run_id}): {standing.cause}")
        print(f"its plan: {plan_folder(self.root, self.name)}; how it stands: bench status "
              f"{self.name}; its report: bench report {self.name}")  # fmt: skip
        if counts["refused"]:
            LATEST["status"] = 2
        elif not self.settings.plan_only and sum(counts[word] for word in ENDED) < len(entries):
            LATEST["status"] = 1


def _cost(entries: Sequence[PlannedRun], before: Sequence[RunStatus]) -> str:
    """What is left, estimated: steps, core hours where a pace is known, megabytes on disk."""
    left = [e for e, s in zip(entries, before, strict=True) if s.state not in ENDED]
    if not left:
        return ""
    steps, disk = sum(e.steps for e in left), sum(e.disk_mib for e in entries)
    known = [e.seconds for e in left if e.seconds is not None]
    words = f"; {steps:,} discriminator steps to go, {disk:,.0f} MiB kept in the end"
    if known:
        hours = sum(known) / len(known) * len(left) / 3600
        words += f", about {hours:.1f} hours of one process"
    return words


def sweep(sweeper: Any, arguments: Sequence[str]) -> None:
    """Carry out a multirun.

    Args:
        sweeper: the Hydra plugin, set up.
        arguments: overrides of the command line.
    """
    LATEST["status"] = 0
    settings = Settings(
        params=dict(sweeper.params or {}),
        stages=_plain(sweeper.stages),
        rounds=sweeper.rounds,
        chunk=sweeper.chunk,
        plan_only=sweeper.plan_only,
    )
    loader = sweeper.hydra_context.config_loader
    Sweep(sweeper.config, loader, sweeper.launcher, settings).run(arguments)


def _plain(given: Any) -> Any:
    return OmegaConf.to_container(given, resolve=True) if OmegaConf.is_config(given) else given
