"""The plan of a sweep: written before a run starts, and compared with the one before it."""

import dataclasses
import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.core.errors import UserError
from bench.runs.identity import SEMANTICS_VERSION
from bench.runs.plans import (
    READ,
    VERSION,
    PlannedRun,
    StagePlan,
    read_plan,
    set_aside,
    stages_of,
    write_plan,
)
from bench.runs.run_status import RunStatus
from bench.sweeping.packing import Choices, Packing
from bench.sweeping.run_spec import RunSpec, run_specs
from bench.sweeping.selection import record, select_best
from bench.sweeping.space import Value
from bench.sweeping.stage import Stage

Configurations = dict[tuple[str, str], list[tuple[int, Mapping[str, Value]]]]


def plan_stage(
    stage: Stage,
    planned: Mapping[str, StagePlan],
    stages: Mapping[str, Stage],
    constant: Mapping[str, str],
    packing: Packing,
    runs_root: Path,
) -> StagePlan:
    """The explicit runs of a stage.

    Args:
        planned: the stages before it, with their rows.
        stages: all, by name.
        constant: overrides of the command line.

    Raises:
        UserError: a config is wrong, or the stage before left nothing to choose from.
    """
    rule, chosen = "", ()
    if stage.configurations is not None:
        configurations: Configurations = {
            (v, d): list(enumerate(stage.configurations[v]))
            for v in stage.variants
            for d in stage.datasets
        }
    else:
        assert stage.after is not None and stage.rule is not None
        found = select_best(stage.rule, planned[stage.after].entries, runs_root)
        missing = [f"{v} on {d}" for v in stage.variants for d in stage.datasets
                   if (v, d) not in found]  # fmt: skip
        if not found:
            raise UserError(
                f"stage {stage.name!r} finds no score in stage {stage.after!r} to choose by",
                fix="see `bench status`: its runs failed or diverged",
            )
        if missing:
            print(f"stage {stage.name}: nothing to choose for {', '.join(missing)}: left out")
        origin = _origin(stage, stages)
        assert origin.configurations is not None
        configurations = {
            (v, d): [(sample, origin.configurations[v][sample])]
            for (v, d), (sample, _, _) in found.items()
        }
        rule, chosen = stage.rule.words(), record(found)
    runs = run_specs(stage, configurations, constant)
    return StagePlan(stage.name, entries_of(stage.name, runs, packing), rule, chosen)


def _origin(stage: Stage, stages: Mapping[str, Stage]) -> Stage:
    """The stage in which a later one's configurations were drawn."""
    while stage.configurations is None:
        stage = stages[str(stage.after)]
    return stage


def entries_of(stage: str, runs: Sequence[RunSpec], packing: Packing) -> tuple[PlannedRun, ...]:
    """Each run once: two that come out the same are one, and that is said."""
    found: dict[str, PlannedRun] = {}
    twice: list[PlannedRun] = []
    for run in packing.packed(stage, runs):
        entry = packing.skeletons.entry(run)
        if found.setdefault(entry.run_id, entry) is not entry:
            twice.append(entry)
    if twice:
        first = twice[0]
        print(
            f"{len(twice)} runs come out the same as others and are run once, the first of them "
            f"{first.variant} on {first.dataset}, seed {first.seed}: a seed or a choice named "
            "twice, or two names for one computation",
            flush=True,
        )
    return tuple(found.values())


def estimated(
    entries: Sequence[PlannedRun], standings: Sequence[RunStatus]
) -> tuple[PlannedRun, ...]:
    """With seconds by the pace of the runs of the same variant and data set that have ended."""
    pace, members = defaultdict(list), Counter(entry.pack for entry in entries)
    for entry, standing in zip(entries, standings, strict=True):
        seconds, steps = standing.facts.get("wall_seconds"), standing.facts.get("d_steps")
        if standing.state == "finished" and seconds and steps:
            beside = max(min(entry.slots, members[entry.pack]), 1)
            pace[entry.variant, entry.dataset].append(seconds / steps / beside)
    if not pace:
        return tuple(entries)
    return tuple(
        dataclasses.replace(entry, seconds=round(statistics.median(known) * entry.steps, 1))
        if (known := pace.get((entry.variant, entry.dataset)))
        else entry
        for entry in entries
    )


def keep_plan(
    runs_root: Path,
    name: str,
    command: str,
    stages: Sequence[StagePlan],
    waiting: Sequence[str],
    packs: Choices,
) -> str:
    """Write the plan; one that was there and differs is set aside.

    Returns:
        What changed, in a sentence or two; empty where nothing did.

    Raises:
        UserError: a newer version of the suite wrote the one that is there.
    """
    said = _compared(runs_root, name, stages, waiting)
    if said:
        kept = set_aside(runs_root, name)
        said = f"sweep {name}: {said}; the plan before is kept in {kept}"
    write_plan(runs_root, name, command, stages, waiting, packs)
    return said


def _compared(
    runs_root: Path, name: str, stages: Sequence[StagePlan], waiting: Sequence[str]
) -> str:
    found = stages_of(runs_root, name)
    if found is None:
        return ""
    version = found[0].get("version", 1)
    if isinstance(version, int) and version > VERSION:
        raise UserError(
            f"the plan of sweep {name!r} was written by a newer version of the suite "
            f"({version}; this one reads {VERSION})",
            fix="update the suite, or set runs_root to another folder",
        )
    if version not in READ:
        return f"its plan is of version {version} and is written anew; rows stay as they are"
    try:
        before = read_plan(runs_root, name)
    except UserError as error:
        return f"its plan could not be read ({error.message}) and is written anew"
    semantics = found[0].get("semantics_version")
    why = ""
    if semantics != SEMANTICS_VERSION:
        why = (
            f"the mathematics have version {SEMANTICS_VERSION} now and had {semantics}: every run "
            "has another run_id, "
        )
    # A plan may know less (a later stage was not due yet) or more (this launch is not there yet).
    theirs, ours = ({s.name: s.entries for s in p} for p in (before.stages, stages))
    lines = []
    for stage in sorted({*theirs, *ours}, key=[*theirs, *ours].index):
        if stage not in ours and stage in waiting or stage not in theirs:
            continue
        old = {entry.run_id for entry in theirs[stage]}
        new = {entry.run_id for entry in ours.get(stage, ())}
        if old != new:
            lines.append(
                f"stage {stage} has {len(new - old)} runs that were not planned before, "
                f"{len(old - new)} are no longer planned (their rows stay), {len(old & new)} are "
                "as before"
            )
    return f"changed since it was planned: {why}{'; '.join(lines)}" if lines else ""
