"""The plan of a sweep: written before a run starts, and compared with the one before it."""

import dataclasses
import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.config.override_text import override_text
from bench.core.errors import UserError
from bench.runs import plans
from bench.runs.identity import SEMANTICS_VERSION
from bench.runs.plans import Plan, PlannedRun, StagePlan
from bench.runs.run_status import RunStatus
from bench.sweeping.packing import PackPlanner
from bench.sweeping.run_spec import RunSpec, run_specs
from bench.sweeping.selection import select_best, selection_records
from bench.sweeping.space import Value
from bench.sweeping.stage import Stage

Configurations = dict[tuple[str, str], list[tuple[int, Mapping[str, Value]]]]


def plan_stage(
    stage: Stage,
    planned: Mapping[str, StagePlan],
    stages: Mapping[str, Stage],
    constant: Mapping[str, str],
    pack_planner: PackPlanner,
    runs_root: Path,
) -> StagePlan:
    """Plan the explicit runs of a stage.

    Args:
        planned: plans of the stages before it, by name; their runs have rows.
        stages: all stages by name.
        constant: overrides of the command line.

    Raises:
        UserError: a config is wrong, or no run of the stage before has a score to choose by.
    """
    rule, chosen = "", tuple[dict[str, Any], ...]()
    groups = [(variant, dataset) for variant in stage.variants for dataset in stage.datasets]
    if stage.configurations is not None:
        drawn = _configurations(stage)
        configurations: Configurations = {(v, d): [*enumerate(drawn[v])] for v, d in groups}
    else:
        assert stage.after is not None and stage.rule is not None
        selection = select_best(stage.rule, planned[stage.after].runs, runs_root)
        missing = [" on ".join(group) for group in groups if group not in selection]
        if not selection:
            message = f"stage {stage.name!r} finds no score in stage {stage.after!r} to choose by"
            raise UserError(message, fix="see `bench status`: its runs failed or diverged")
        if missing:
            print(f"stage {stage.name}: nothing to choose for {', '.join(missing)}: left out")
        first_stage = stages[stage.after]  # in which the configurations were drawn
        while first_stage.configurations is None:
            first_stage = stages[str(first_stage.after)]
        drawn = _configurations(first_stage)
        configurations = {
            (v, d): [(s, {**drawn[v][s], **cell}) for s, _, _ in chosen for cell in stage.cells()]
            for (v, d), chosen in selection.items()
        }
        rule, chosen = stage.rule.describe(), selection_records(selection)
    specs = run_specs(stage, configurations, constant)
    runs = plan_runs(stage.name, specs, pack_planner)
    factors = {key: [override_text(v) for v in levels] for key, levels in stage.grid.items()}
    return StagePlan(stage.name, runs, rule, chosen, factors)


def _configurations(stage: Stage) -> dict[str, list[dict[str, Value]]]:
    """Return the configurations of a stage that draws them; each cell of a grid is one."""
    assert stage.configurations is not None
    cells = stage.cells()
    return {
        variant: [{**values, **cell} for values in drawn for cell in cells]
        for variant, drawn in stage.configurations.items()
    }


def plan_runs(stage: str, specs: Sequence[RunSpec], packs: PackPlanner) -> tuple[PlannedRun, ...]:
    """Plan each run once; print a sentence where two have one run_id.

    Raises:
        UserError: there is no run, or the values of some key all give the same runs.
    """
    if not specs:
        raise UserError("this sweep has no run", fix="check its globs and lists: one is empty")
    runs = [packs.templates.plan_run(spec) for spec in packs.assign_packs(stage, specs)]
    runs_by_id = {run.run_id: run for run in reversed(runs)}  # the first of equals
    repeated = [run for run in runs if runs_by_id[run.run_id] is not run]
    if repeated:
        _check_every_axis_counts(specs, runs)
        first = repeated[0]
        label = f"{first.variant} on {first.dataset}, seed {first.seed}"
        head = f"{len(repeated)} runs come out the same as others and are run once, the first of"
        why = "a seed or a choice named twice, or two names for one computation"
        print(f"{head} them {label}: {why}", flush=True)
    return tuple(run for run in runs if runs_by_id[run.run_id] is run)


def _check_every_axis_counts(specs: Sequence[RunSpec], runs: Sequence[PlannedRun]) -> None:
    """Refuse a key with several values that change no run, log_every=1,2 say."""
    choices = [dict((*spec.shared, *spec.varied)) for spec in specs]
    for key in dict.fromkeys(key for choice in choices for key in choice):
        values_by_rest: dict[str, set[str]] = defaultdict(set)
        ids_by_rest: dict[str, set[str]] = defaultdict(set)
        for choice, run in zip(choices, runs, strict=True):
            rest = repr({k: v for k, v in choice.items() if k != key})
            values_by_rest[rest].add(repr(choice.get(key)))
            ids_by_rest[rest].add(run.run_id)
        several = [rest for rest, values in values_by_rest.items() if len(values) > 1]
        if several and all(len(ids_by_rest[rest]) == 1 for rest in several):
            raise UserError(f"the values of {key} all give the same runs", fix="give it one value")


def estimate_seconds(
    runs: Sequence[PlannedRun], statuses: Sequence[RunStatus]
) -> tuple[PlannedRun, ...]:
    """Return runs with seconds = steps * median pace of their variant and data set, where known.

    The pace is that of runs that have finished, in seconds per step. In a pack, where several runs
    train at once, it is divided by their number.
    """
    paces, pack_members = defaultdict(list), Counter(run.pack for run in runs)
    for run, status in zip(runs, statuses, strict=True):
        seconds, steps = status.facts.get("wall_seconds"), status.facts.get("d_steps")
        if status.state == "finished" and seconds and steps:
            at_once = max(min(run.slots, pack_members[run.pack]), 1)
            paces[run.variant, run.dataset].append(seconds / steps / at_once)
    medians = {group: statistics.median(group_paces) for group, group_paces in paces.items()}
    return tuple(
        dataclasses.replace(run, seconds=round(medians[group] * run.steps, 1))
        if (group := (run.variant, run.dataset)) in medians
        else run
        for run in runs
    )


def save_plan(runs_root: Path, plan: Plan) -> str:
    """Write the plan of a sweep; archive an earlier plan that has runs which this one has not.

    Returns:
        What changed, in a sentence or two; empty where nothing did, or runs were only added to
        the plan of the same sweep.

    Raises:
        UserError: a newer version of the suite wrote the earlier plan.
    """
    if changes := _describe_changes(runs_root, plan):
        archive = plans.archive_plan(runs_root, plan.name)
        changes = f"sweep {plan.name}: {changes}; the plan before is in {archive}"
    plans.write_plan(
        runs_root, plan.name, plan.command, plan.stages, plan.waiting, plan.packs,
        claims=plan.claims, sweep_hash=plan.sweep_hash,
    )  # fmt: skip
    return changes


def _describe_changes(runs_root: Path, plan: Plan) -> str:
    name = plan.name
    if (head_and_stages := plans.read_plan_head(runs_root, name)) is None:
        return ""
    head = head_and_stages[0]
    if isinstance(version := head.get("version", 1), int) and version > plans.PLAN_VERSION:
        newer = f"a newer version of the suite ({version}; this one reads {plans.PLAN_VERSION})"
        fix = "update the suite, or set runs_root to another folder"
        raise UserError(f"the plan of sweep {name!r} was written by {newer}", fix=fix)
    if version != plans.PLAN_VERSION:
        return f"its plan is of version {version} and is written anew; rows stay as they are"
    try:
        before = plans.read_plan(runs_root, name)
    except UserError as error:
        return f"its plan could not be read ({error.message}) and is written anew"
    why, semantics = "", head.get("semantics_version")
    if semantics != SEMANTICS_VERSION:
        versions = f"version {SEMANTICS_VERSION} now and had {semantics}"
        why = f"the mathematics have {versions}: every run has another run_id, "
    # A stage may be planned in one of them only: it was not due then, or is not due yet.
    old_runs, new_runs = ({s.name: s.runs for s in p} for p in (before.stages, plan.stages))
    is_same_sweep = bool(plan.sweep_hash) and plan.sweep_hash == before.sweep_hash
    lines = []
    for stage in sorted({*old_runs, *new_runs}, key=[*old_runs, *new_runs].index):
        if stage not in new_runs and stage in plan.waiting or stage not in old_runs:
            continue
        old = {run.run_id for run in old_runs[stage]}
        new = {run.run_id for run in new_runs.get(stage, ())}
        if old - new or (old != new and not is_same_sweep):
            added, gone = f"{len(new - old)} runs that were not planned before", len(old - new)
            rest = f"{gone} are no longer planned (their rows stay), {len(old & new)} are as before"
            lines.append(f"stage {stage} has {added}, {rest}")
    return f"changed since it was planned: {why}{'; '.join(lines)}" if lines else ""
