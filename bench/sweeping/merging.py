"""Merge a launch's plan with the one before it: what was planned before stays planned.

A launch may name a part of a sweep (`seed=3`, `variant=wgan`). Its runs join those of the plan;
they take the place of the whole plan only where the sweep itself has changed.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from bench.core.errors import UserError
from bench.runs.identity import short_hash
from bench.runs.plans import PLAN_VERSION, Plan, PlannedRun, StagePlan, read_plan, read_plan_head
from bench.runs.record import MACHINE_KEYS
from bench.sweeping.run_id_templates import RunIdTemplates
from bench.sweeping.run_spec import parse_run

AND = " && "  # between the command lines that launch a plan again


def hash_sweep(config: DictConfig, declared: Any, added: Sequence[str]) -> str:
    """Hash a sweep without the selection of a launch: equal for two parts of one sweep.

    Args:
        config: composed with the overrides that select nothing, without its `hydra`.
        declared: the sweep's stages and parameters.
        added: overrides with several values that are no parameter of the sweep.
    """
    config = config.copy()
    OmegaConf.set_struct(config, False)
    for key in (*MACHINE_KEYS, "pack", "packed"):
        parent, _, name = key.rpartition(".")
        node = OmegaConf.select(config, parent) if parent else config
        if OmegaConf.is_dict(node):
            node.pop(name, None)
    return short_hash([OmegaConf.to_container(config, resolve=False), declared, sorted(added)])


def find_earlier_plan(runs_root: Path, name: str, sweep_hash: str) -> Plan | None:
    """Return the plan of an earlier launch of the same sweep; None where there is none."""
    head_and_stages = read_plan_head(runs_root, name)
    head = head_and_stages[0] if head_and_stages else {}
    if head.get("version") != PLAN_VERSION or head.get("sweep_hash") != sweep_hash:
        return None
    try:
        return read_plan(runs_root, name)
    except UserError:
        return None  # it is damaged, which saving the new one tells


def current_run_check(templates: RunIdTemplates) -> Callable[[PlannedRun], bool]:
    """Return a function: whether a planned run's overrides still give its run_id.

    They do not if its data, a loss of the user's or the suite's mathematics have changed. A run
    that cannot be planned here, whose data are on another machine say, stays as it was.
    """
    checked: dict[str, bool] = {}

    def is_current(run: PlannedRun) -> bool:
        if run.run_id not in checked:
            drawn = "+hyperparameters."  # which the variant does not have
            overrides = [o[1:] if o.startswith(drawn) else o for o in run.overrides]
            try:
                checked[run.run_id] = templates.plan_run(parse_run(overrides)).run_id == run.run_id
            except UserError:
                checked[run.run_id] = True
        return checked[run.run_id]

    return is_current


def merge_plan(earlier: Plan, new: Plan, is_current: Callable[[PlannedRun], bool]) -> Plan:
    """Return the plan of the runs of two launches.

    Its command launches all of them again: it joins those of both unless one has all runs.

    Args:
        earlier, new: plans of two launches of one sweep.
        is_current: whether a run that was planned before may stay.
    """
    later = {stage.name: stage for stage in new.stages}
    stages = [_merge_stage(old, later.pop(old.name, None), is_current) for old in earlier.stages]
    stages += later.values()
    merged = replace(new, stages=tuple(stages))
    if set(merged.run_ids) == set(new.run_ids):
        return merged
    left = [name for name in earlier.waiting if name not in new.waiting]
    commands = earlier.command.split(AND)
    if not set(new.run_ids) <= set(earlier.run_ids):
        commands = list(dict.fromkeys([*commands, new.command]))
    return replace(merged, command=AND.join(commands), waiting=(*new.waiting, *left))


def _merge_stage(
    old: StagePlan, new: StagePlan | None, is_current: Callable[[PlannedRun], bool]
) -> StagePlan:
    """Return a stage with the runs of both plans; the new ones replace earlier ones like them."""
    if new is None:
        return replace(old, runs=tuple(run for run in old.runs if is_current(run)))
    by_group = bool(new.rule)  # what a rule chose for a variant on a data set takes all its place
    replaced = {_place(run, by_group=by_group) for run in new.runs}
    new_ids = {run.run_id for run in new.runs}
    runs = {
        run.run_id: run
        for run in old.runs
        if run.run_id in new_ids
        or (_place(run, by_group=by_group) not in replaced and is_current(run))
    } | {run.run_id: run for run in new.runs}
    groups = {(run.variant, run.dataset) for run in new.runs}
    chosen = [c for c in old.chosen if (c.get("variant"), c.get("dataset")) not in groups]
    kept = {(run.variant, run.dataset) for run in runs.values()}
    chosen = [c for c in chosen if (c.get("variant"), c.get("dataset")) in kept]
    return replace(new, runs=tuple(runs.values()), chosen=(*chosen, *new.chosen))


def _place(run: PlannedRun, *, by_group: bool) -> tuple[str, ...]:
    """Return what no two runs of a stage share: choices without `packed`, or variant and data."""
    if by_group:
        return run.variant, run.dataset
    return tuple(o for o in run.overrides if not o.startswith("packed="))
