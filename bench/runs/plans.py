"""Plans: which runs belong to a sweep. A run may belong to many sweeps; only plans say so.

A plan is a folder: `plan.json`, and for each stage a file with its explicit runs, written before
the first of them starts. Jobs write one thing here: why a run was refused.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bench.core.errors import UserError
from bench.core.files import (
    NUMBER,
    find_json,
    find_misfit,
    read_json,
    read_text,
    write_json,
    write_text,
)
from bench.core.text import is_file_name
from bench.runs.identity import SEMANTICS_VERSION, other_version

PLAN_VERSION = 4  # of the files
HEAD = {
    "command": str,
    "stages": [{"name": str, "rule": str, "chosen": [dict], "factors?": {str: [str]}}],
    "waiting": [str],
    "packs?": {str: dict},
    "claims?": bool,
    "sweep_hash?": str,
}
RUNS = [
    {
        **dict.fromkeys(("run_id", "variant", "dataset", "data?", "pack?"), str),
        **dict.fromkeys(("seed", "sample?", "steps?", "slots?"), int),
        **dict.fromkeys(("overrides", "request"), [str]),
        **{"seconds?": NUMBER | None, "disk_mib?": NUMBER},
    }
]


@dataclass(frozen=True)
class PlannedRun:
    """One run of a plan.

    Args:
        overrides: how its config differs from the default, as typed on a command line.
        sample: number of its configuration among those of its variant; 0 is the defaults.
        request: hashes of the scores that it is to have, see `bench.scoring.score.requests`.
        data: digest of the split that it is scored on.
        steps: budget in discriminator steps.
        seconds: estimated training time; None where no run of its kind has ended under this root.
        disk_mib: size of the files that it leaves, in MiB.
        pack: key that runs of the stage have in common if they can share a pack; empty where it
            runs alone.
        slots: number of runs that train at once in that pack.
    """

    run_id: str
    overrides: tuple[str, ...]
    variant: str
    dataset: str
    seed: int
    sample: int = 0
    request: tuple[str, ...] = ()
    data: str = ""
    steps: int = 0
    seconds: float | None = None
    disk_mib: float = 0.0
    pack: str = ""
    slots: int = 0


@dataclass(frozen=True)
class StagePlan:
    """The runs of a stage.

    Args:
        runs: its runs, in the order in which they are launched.
        rule: how its configurations were chosen from the stage before; empty for the first.
        chosen: what the rule chose: run_ids with variant, data set, sample and score.
        factors: of a stage with a grid: override -> its levels, as in the runs' overrides.
    """

    name: str
    runs: tuple[PlannedRun, ...]
    rule: str = ""
    chosen: tuple[dict[str, Any], ...] = ()
    factors: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def head(self) -> dict[str, Any]:
        """Return what plan.json holds of the stage; a stage without a grid names no factors."""
        head = {"name": self.name, "rule": self.rule, "chosen": list(self.chosen)}
        return head | ({"factors": dict(self.factors)} if self.factors else {})


@dataclass(frozen=True)
class Plan:
    """A sweep as it was launched last.

    Args:
        command: command line that launches it again.
        stages: stages whose runs are planned.
        waiting: names of the stages that wait for the rows of an earlier one.
        refused: run_id -> why the run was refused when it was to start.
        packs: sizes of packs: stage/pack -> slots (0: one at a time), why, and the number of runs
            of a worker for which that was measured.
        claims: whether its report assesses the claims of Lucic et al. 2018.
        sweep_hash: hash of the sweep without the selection of a launch, see
            `bench.sweeping.merging`; empty where each launch is a sweep of its own.
    """

    name: str
    command: str
    stages: tuple[StagePlan, ...]
    waiting: tuple[str, ...]
    refused: dict[str, str]
    packs: dict[str, dict[str, Any]] = field(default_factory=dict)
    claims: bool = False
    sweep_hash: str = ""

    @property
    def runs(self) -> tuple[PlannedRun, ...]:
        """The runs of all stages, in the order in which they are launched."""
        return tuple(run for stage in self.stages for run in stage.runs)

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The run_ids of all stages, each once."""
        return tuple(dict.fromkeys(run.run_id for run in self.runs))


def plan_folder(runs_root: Path, name: str) -> Path:
    """Return the folder of a sweep's plan."""
    return runs_root / "plans" / name


def write_plan(
    runs_root: Path,
    name: str,
    command: str,
    stages: Sequence[StagePlan],
    waiting: Sequence[str],
    packs: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    *,
    claims: bool = False,
    sweep_hash: str = "",
) -> None:
    """Replace the plan of a sweep. Runs and rows lie elsewhere and are not touched."""
    folder = plan_folder(runs_root, name)
    for stage in stages:
        lines = ",\n".join(json.dumps(vars(run), allow_nan=False) for run in stage.runs)
        write_text(folder / f"{stage.name}.json", f"[\n{lines}\n]\n")
    head = {
        "version": PLAN_VERSION,
        "semantics_version": SEMANTICS_VERSION,
        "command": command,
        "stages": [stage.head() for stage in stages],
        "waiting": list(waiting),
        "packs": dict(packs),
        "claims": claims,
        "sweep_hash": sweep_hash,
    }
    write_json(folder / "plan.json", head)


def archive_plan(runs_root: Path, name: str) -> Path:
    """Move a plan that is to be replaced into its subfolder earlier/NUMBER, and return that."""
    folder, number = plan_folder(runs_root, name), 1
    while (archive := folder / "earlier" / f"{number:03d}").exists():
        number += 1
    archive.mkdir(parents=True)
    for path in [*folder.glob("*.json"), folder / "refused"]:
        if path.exists():
            os.replace(path, archive / path.name)
    return archive


def write_refusal(runs_root: Path, name: str, run_id: str, why: str) -> None:
    """Write down why a run of a plan could not start."""
    write_text(plan_folder(runs_root, name) / "refused" / f"{run_id}.txt", why)


def delete_refusals(runs_root: Path, name: str) -> None:
    """Delete the reasons why runs could not start, before they are tried again."""
    shutil.rmtree(plan_folder(runs_root, name) / "refused", ignore_errors=True)


def read_plan_head(runs_root: Path, name: str) -> tuple[dict[str, Any], list[str]] | None:
    """Return head and stage names of a plan of any version; None where there is no plan."""
    path = plan_folder(runs_root, name) / "plan.json"
    head = find_json(path, {"stages?": [{"name": str}]}, "delete it and launch the sweep again")
    return None if head is None else (head, [stage["name"] for stage in head.get("stages", ())])


def plan_exists(runs_root: Path, name: str) -> bool:
    """Whether a sweep was launched under this root."""
    return (plan_folder(runs_root, name) / "plan.json").is_file()


def read_plan(runs_root: Path, name: str) -> Plan:
    """Read the plan of a sweep, and which of its runs were refused.

    Raises:
        UserError: no sweep has that name, its plan is damaged, or another version wrote it.
    """
    head_and_stages = read_plan_head(runs_root, name)
    again = f"run `python -m bench.train -m sweeps={name}`"
    if head_and_stages is None:
        present = sorted(p.parent.name for p in (runs_root / "plans").glob("*/plan.json"))
        message = f"no sweep {name!r} under {runs_root} (present: {', '.join(present) or 'none'})"
        raise UserError(message, fix=f"{again}, or set --runs-root DIR")
    folder, head = plan_folder(runs_root, name), head_and_stages[0]
    if head.get("version", 1) in (1, 2, 3):
        raise other_version(f"plan.json of sweep {name!r} under {runs_root}", 1)
    if head.get("version") != PLAN_VERSION:
        plan = f"plan.json of sweep {name!r} under {runs_root} has version {head.get('version', 1)}"
        message = f"{plan}; this suite reads {PLAN_VERSION}"
        fix = f"{again} again with this suite: runs that have their rows are skipped"
        raise UserError(message, fix=fix)
    try:
        path = folder / "plan.json"
        if misfit := find_misfit(head, HEAD):
            raise ValueError(misfit)
        for stage in head["stages"]:
            file = folder / f"{stage['name']}.json"
            if not is_file_name(stage["name"]) or not os.path.lexists(file):
                raise ValueError(f"its stage {stage['name']!r} has no file")
        stages = []
        for stage in head["stages"]:
            path = folder / f"{stage['name']}.json"
            entries = [
                {**entry, **{key: tuple(entry[key]) for key in ("overrides", "request")}}
                for entry in read_json(path, RUNS, f"{again} again")
            ]
            runs = tuple(PlannedRun(**entry) for entry in entries)
            chosen, factors = tuple(stage["chosen"]), stage.get("factors", {})
            stages.append(StagePlan(stage["name"], runs, stage["rule"], chosen, factors))
        reasons = sorted((folder / "refused").glob("[!.]*.txt"))
        refused = {reason.stem: read_text(reason) for reason in reasons}
        packs = {key: dict(choice) for key, choice in head.get("packs", {}).items()}
        return Plan(
            name, head["command"], tuple(stages), tuple(head["waiting"]), refused, packs,
            head.get("claims", False), head.get("sweep_hash", ""),
        )  # fmt: skip
    except (TypeError, ValueError) as error:
        fix = f"{again} again: runs that have their rows are skipped"
        raise UserError(f"{path} is damaged: {error}", fix=fix) from error
