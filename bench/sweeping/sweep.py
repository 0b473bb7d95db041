"""A sweep from its file to its counts: what the Hydra plugin calls."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from bench.config.validate import is_forced
from bench.core.errors import UserError
from bench.core.number_checks import is_whole_number
from bench.core.signals import INTERRUPT
from bench.core.text import format_duration
from bench.reporting.archive.restore import restore_runs
from bench.runs.folder import COMPLETED, RunFolder
from bench.runs.heartbeat import archive_run
from bench.runs.plans import (
    Plan,
    PlannedRun,
    StagePlan,
    delete_refusals,
    plan_folder,
    read_plan_head,
)
from bench.runs.run_status import RunStatus, count_states, format_counts
from bench.sweeping.added_variants import add_variants
from bench.sweeping.launch_rounds import LaunchRounds, ReleaseConfigs
from bench.sweeping.launchers import find_launcher
from bench.sweeping.merging import current_run_check, find_earlier_plan, hash_sweep, merge_plan
from bench.sweeping.packing import PackPlanner
from bench.sweeping.planning import estimate_seconds, plan_runs, plan_stage, save_plan
from bench.sweeping.run_id_templates import RunIdTemplates
from bench.sweeping.run_spec import NARROWING_KEYS, narrow_stage, parse_run
from bench.sweeping.stage import Stage, override_key
from bench.sweeping.stages import parse_stages

LAUNCH_KEYS = {"pack": "off, auto or N", "force": "true or false"}
ONE_VALUE = LAUNCH_KEYS | {"sweeps": "one sweep; launch the others one by one"}
SELECTING = ("seed", *NARROWING_KEYS)  # keys that name a part of a sweep
LAST_SWEEP = {"status": 0}  # exit status of the last sweep of this process


class SweepLaunch:
    """One launch of a sweep.

    Args:
        sweeper: the Hydra plugin: its launcher, and `conf/hydra/sweeper/created_equal.yaml`.

    Raises:
        UserError: `rounds` or `chunk` is no whole number from 1 on, or `claims` no boolean.
    """

    def __init__(self, sweeper: Any) -> None:
        for name in ("rounds", "chunk"):
            if not is_whole_number(value := getattr(sweeper, name), 1):
                fix = "set it to a whole number from 1 on"
                raise UserError(f"hydra.sweeper.{name} is {value!r}", fix=fix)
        if not isinstance(sweeper.claims, bool):
            wrong = f"hydra.sweeper.claims is {sweeper.claims!r}"
            raise UserError(wrong, fix="set it to true or false")
        config, self.plan_only = sweeper.config, sweeper.plan_only
        self.published = sweeper.published
        self.loader = sweeper.hydra_context.config_loader
        self.params, self.stages = dict(sweeper.params or {}), sweeper.stages
        self.claims = sweeper.claims
        if OmegaConf.is_config(self.stages):
            self.stages = OmegaConf.to_container(self.stages, resolve=True)
        self.root, self.name = Path(config.runs_root), str(config.hydra.runtime.choices.sweeps)
        self.force = is_forced(config)
        again = (word for word in sys.argv[1:] if not word.startswith("force="))
        self.command = shlex.join(["python", "-m", "bench.train", *again])
        gpus = bool(OmegaConf.select(config, "hydra.launcher.gpus_per_node"))
        launcher_spec = find_launcher(config.hydra)
        parallel_jobs = launcher_spec.parallel_jobs(config.hydra.launcher, config.threads)
        earlier_plan = read_plan_head(self.root, self.name)
        self.pack_planner = PackPlanner(
            config.pack,
            RunIdTemplates(partial(self.loader.load_sweep_config, config), gpus=gpus),
            earlier_plan[0].get("packs", {}) if earlier_plan else {},
            parallel_jobs,
        )
        sweeper.hydra_context.callbacks.callbacks.append(ReleaseConfigs())
        self.rounds = LaunchRounds(
            sweeper.launcher, self.root, self.name, sweeper.rounds, sweeper.chunk, parallel_jobs,
            outlives_process=launcher_spec.outlives_process,
            on_terminal=bool(config.trainer.progress) and sys.stderr.isatty(),
        )  # fmt: skip
        self.planned: dict[str, StagePlan] = {}
        self.statuses: dict[str, RunStatus] = {}
        self.n_skipped = 0
        self.sweep_hash = ""
        self.earlier: Plan | None = None  # see `_find_earlier`
        self.is_current = current_run_check(self.pack_planner.templates)

    def run(self, arguments: Sequence[str]) -> None:
        """Plan and launch every stage, given overrides of the command line; print the counts."""
        arguments = self._without_launch_keys(arguments)
        if self.published is not None:
            restored = restore_runs(Path(self.published), self.root)
            print(f"{restored} runs restored from {self.published} to {self.root}", flush=True)
        self._find_earlier(arguments)
        if self.stages:
            self._run_stages(arguments)
        else:
            keys = {override.get_key_element() for override in self._parse(list(arguments))}
            params = [f"{key}={value}" for key, value in self.params.items() if key not in keys]
            choices = BasicSweeper.split_arguments(self._parse([*params, *arguments]), None)[0]
            specs = [parse_run(choice) for choice in choices]
            self._run_stage(StagePlan("all", plan_runs("all", specs, self.pack_planner)), [])
        self._print_summary()

    def _without_launch_keys(self, arguments: Sequence[str]) -> list[str]:
        """Drop `pack` and `force`: they say how runs are launched, and are no part of any run."""
        others = []
        for text, override in zip(arguments, self._parse(list(arguments)), strict=True):
            key = override.get_key_element().lstrip("+")
            if key in ONE_VALUE and override.is_sweep_override():
                raise UserError(f"{key} has several values", fix=f"give it one: {ONE_VALUE[key]}")
            if key == "packed" and self.pack_planner.pack:
                both = "packed= and pack= both say how runs are packed"
                raise UserError(both, fix="leave packed= out")
            if key not in LAUNCH_KEYS:
                others.append(text)
        return others

    def _find_earlier(self, arguments: Sequence[str]) -> None:
        """Hash the sweep without what selects its runs, and find its plan before this launch."""
        if not (self.stages or self.params):
            return  # no sweep's file: each launch is of its own
        parsed = zip(arguments, self._parse(list(arguments)), strict=True)
        rest = [(t, o) for t, o in parsed if o.get_key_element() not in {*SELECTING, *self.params}]
        constant = [text for text, override in rest if not override.is_sweep_override()]
        added = [text for text, override in rest if override.is_sweep_override()]
        config = self.pack_planner.templates.shared_config(constant)
        self.sweep_hash = hash_sweep(config, self.stages or self.params, added)
        self.earlier = find_earlier_plan(self.root, self.name, self.sweep_hash)

    def _parse(self, overrides: list[str]) -> list[Any]:
        return OverridesParser.create(config_loader=self.loader).parse_overrides(overrides)

    def _run_stages(self, arguments: Sequence[str]) -> None:
        stages = parse_stages(add_variants(self.stages, self._named(arguments), self._space_of))
        chosen, constant = self._split_overrides(arguments, stages)
        by_name = {stage.name: narrow_stage(stage, chosen) for stage in stages}
        for place, stage in enumerate(by_name.values()):
            waiting = [later.name for later in stages[place + 1 :]]
            plan = plan_stage(stage, self.planned, by_name, constant, self.pack_planner, self.root)
            self._run_stage(plan, waiting)
            if INTERRUPT.requested or (self.plan_only and waiting):
                break
            states = [self.statuses[run.run_id].state for run in plan.runs]
            unfinished = sum(state not in COMPLETED for state in states)
            if unfinished and waiting:
                left = f"{unfinished} of {len(plan.runs)} runs have no row"
                later = f"{', '.join(waiting)} must wait for them"
                print(f"stage {stage.name}: {left}; {later}", flush=True)
                break

    def _named(self, arguments: Sequence[str]) -> list[str]:
        """Return the variants that the command line names."""
        for override in self._parse(list(arguments)):
            if override.get_key_element() == "variant":
                several = override.is_sweep_override()
                return [*(override.sweep_string_iterator() if several else [str(override.value())])]
        return []

    def _space_of(self, variant: str) -> Mapping[str, Any]:
        """Return the ranges in a variant's own yaml."""
        config = self.pack_planner.templates.shared_config([f"variant={variant}"])
        space = OmegaConf.to_container(config.search_space, resolve=True)
        assert isinstance(space, dict)
        return {str(name): declared for name, declared in space.items()}

    def _split_overrides(
        self, arguments: Sequence[str], stages: Sequence[Stage]
    ) -> tuple[dict[str, list[str]], dict[str, str]]:
        """Return names that narrow a sweep with stages, and overrides that hold for all its runs.

        Raises:
            UserError: an override has several values, or is what the sweep varies itself.
        """
        chosen: dict[str, list[str]] = {}
        constant: dict[str, str] = {}
        varied = {"seed"}
        for stage in stages:
            varied |= {override_key(n) for cell in stage.cells() for n in cell} | stage.factors
            for configurations in (stage.configurations or {}).values():
                varied |= {override_key(name) for values in configurations for name in values}
        for override in self._parse(list(arguments)):
            key, several = override.get_key_element(), override.is_sweep_override()
            if key in NARROWING_KEYS:
                values = override.sweep_string_iterator() if several else [override.value()]
                chosen[key] = [str(name) for name in values]
            elif several:
                own = f"the sweep {self.name!r} has stages of its own"
                narrowing = f"{' and '.join(NARROWING_KEYS)} may narrow the sweep"
                fix = f"give it one value, or write a sweep file; {narrowing}"
                raise UserError(f"{key} has several values and {own}", fix=fix)
            elif key.lstrip("+") in varied:
                fix = "leave it out, or write a sweep file of your own"
                raise UserError(f"{key} is what the sweep {self.name!r} varies itself", fix=fix)
            else:
                constant[key] = override.get_value_element_as_str()
        return chosen, constant

    def _run_stage(self, plan: StagePlan, waiting: Sequence[str]) -> None:
        """Save the plan of a stage, and launch its runs unless only plans are asked for."""
        if self.force and not self.plan_only:
            self._archive_runs(plan)
        before = self.rounds.status_reader.read(plan.runs)
        runs = estimate_seconds(plan.runs, before)
        self.planned[plan.name] = replace(plan, runs=runs)
        launched, packs = tuple(self.planned.values()), self.pack_planner.sizes
        saved = Plan(self.name, self.command, launched, tuple(waiting), {}, packs, self.claims)
        if self.earlier is not None:
            saved = merge_plan(self.earlier, saved, self.is_current)
        changes = save_plan(self.root, replace(saved, sweep_hash=self.sweep_hash))
        delete_refusals(self.root, self.name)
        if changes:
            print(changes, flush=True)
        n_skipped = sum(status.state in COMPLETED for status in before)
        self.n_skipped += n_skipped
        place = "" if plan.name == "all" else f", stage {plan.name}"
        counts = f"{len(runs)} runs planned, {n_skipped} skipped{_estimate_cost(runs, before)}"
        stay = sum(len(stage.runs) - len(runs) for stage in saved.stages if stage.name == plan.name)
        others = f"; {stay} others, planned before, stay in the plan" if stay else ""
        print(f"sweep {self.name}{place}: {counts}{others}", flush=True)
        statuses = before if self.plan_only else self.rounds.run(runs)
        self.statuses |= {run.run_id: s for run, s in zip(runs, statuses, strict=True)}

    def _archive_runs(self, plan: StagePlan) -> None:
        """Move what is there of a stage's runs aside, except those of stages launched just now."""
        folders = [RunFolder(self.root, r) for r in dict.fromkeys(run.run_id for run in plan.runs)]
        archived = [archive_run(f) for f in folders if f.run_id not in self.statuses]
        if n_archived := sum(path is not None for path in archived):
            print(f"force=true: {n_archived} runs are trained anew; what was there is kept in "
                  f"{self.root / 'earlier'}", flush=True)  # fmt: skip

    def _print_summary(self) -> None:
        """Print the counts and what went wrong, and set the exit status accordingly."""
        counts = count_states(self.statuses.values())
        skipped = f" ({self.n_skipped} skipped)" if self.n_skipped else ""
        print(f"sweep {self.name}: {len(self.statuses)} planned, {format_counts(counts)}{skipped}")
        runs = [run for plan in self.planned.values() for run in plan.runs]
        for run in runs:
            status = self.statuses[run.run_id]
            if status.state in ("failed", "refused"):
                label = f"{run.variant} on {run.dataset}, seed {run.seed}"
                print(f"  {status.state}: {label} ({run.run_id}): {status.cause}")
        print(f"its plan: {plan_folder(self.root, self.name)}; its status: bench status "
              f"{self.name}; its report: bench report {self.name}")  # fmt: skip
        if counts["refused"]:
            LAST_SWEEP["status"] = 2
        elif not self.plan_only and sum(counts[s] for s in COMPLETED) < len(self.statuses):
            LAST_SWEEP["status"] = 1


def _estimate_cost(runs: Sequence[PlannedRun], before: Sequence[RunStatus]) -> str:
    """Describe what is left: steps, megabytes on disk, and time where a pace is known."""
    left = [run for run, s in zip(runs, before, strict=True) if s.state not in COMPLETED]
    if not left:
        return ""
    steps, disk = sum(run.steps for run in left), sum(run.disk_mib for run in runs)
    seconds = [run.seconds for run in left if run.seconds is not None]
    text = f"; {steps:,} discriminator steps to go, {disk:,.0f} MiB on disk in the end"
    if seconds:
        time = format_duration(sum(seconds) / len(seconds) * len(left))
        text += f", about {time} in one process"
    return text


def launch_sweep(sweeper: Any, arguments: Sequence[str]) -> None:
    """Plan and launch a multirun of the Hydra plugin, given overrides of the command line."""
    LAST_SWEEP["status"] = 0
    SweepLaunch(sweeper).run(arguments)
