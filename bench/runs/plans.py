"""Plans: which runs belong to a sweep. A run may belong to many; membership lives only here.

A plan is a folder: `plan.json`, and for each stage a file with its explicit runs, written before
the first of them starts. Jobs write nothing here but why one of them was refused.
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
from bench.core.files import read_json, write_json, write_text
from bench.runs.identity import SEMANTICS_VERSION

VERSION = 3  # of the files
READ = (2, VERSION)  # 2 knows of no packs


@dataclass(frozen=True)
class PlannedRun:
    """One run of a plan.

    Args:
        overrides: what sets it apart, as typed on a command line.
        sample: which configuration of its variant; 0 are its defaults.
        request: hash of the protocol that it is scored under.
        data: digest of the split that it is scored on.
        steps: discriminator steps.
        seconds: estimated; None where no run of its kind has ended under this root.
        disk_mib: kept of it when it has ended.
        pack: which runs of the stage it may share a pack with; empty where it runs alone.
        slots: of that pack.
    """

    run_id: str
    overrides: tuple[str, ...]
    variant: str
    dataset: str
    seed: int
    sample: int = 0
    request: str = ""
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
        rule: how its configurations were chosen from the stage before; empty for the first.
        chosen: what it chose: run_ids with variant, data set, sample and score.
        entries: its runs, in the order in which they are launched.
    """

    name: str
    entries: tuple[PlannedRun, ...]
    rule: str = ""
    chosen: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Plan:
    """A sweep as it was launched last.

    Args:
        command: that launches it again.
        stages: those whose runs are known.
        waiting: names of the stages that wait for the rows of one before.
        refused: run_id -> why its config was refused when it was to start.
        packs: how large packs are, stage/pack -> slots (0: one at a time), why, and for how many
            runs of a worker that was measured.
    """

    name: str
    command: str
    stages: tuple[StagePlan, ...]
    waiting: tuple[str, ...]
    refused: dict[str, str]
    packs: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def entries(self) -> tuple[PlannedRun, ...]:
        """The runs of all stages."""
        return tuple(entry for stage in self.stages for entry in stage.entries)

    @property
    def run_ids(self) -> tuple[str, ...]:
        """Of the runs, each once."""
        return tuple(dict.fromkeys(entry.run_id for entry in self.entries))

    @property
    def planned(self) -> int:
        """Number of runs."""
        return len(self.run_ids)


def plan_folder(runs_root: Path, name: str) -> Path:
    """Where the plan of a sweep lies."""
    return runs_root / "plans" / name


def write_plan(
    runs_root: Path,
    name: str,
    command: str,
    stages: Sequence[StagePlan],
    waiting: Sequence[str],
    packs: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> None:
    """Replace a plan. Runs and rows lie elsewhere and are not touched."""
    folder = plan_folder(runs_root, name)
    for stage in stages:
        lines = ",\n".join(json.dumps(vars(entry), allow_nan=False) for entry in stage.entries)
        write_text(folder / f"{stage.name}.json", f"[\n{lines}\n]\n")
    head = {
        "version": VERSION,
        "semantics_version": SEMANTICS_VERSION,
        "command": command,
        "stages": [
            {"name": stage.name, "rule": stage.rule, "chosen": list(stage.chosen)}
            for stage in stages
        ],
        "waiting": list(waiting),
        "packs": dict(packs),
    }
    write_json(folder / "plan.json", head)


def set_aside(runs_root: Path, name: str) -> Path:
    """Keep an earlier plan beside the one that is to take its place; returns where."""
    folder = plan_folder(runs_root, name)
    number = 1
    while (kept := folder / "earlier" / f"{number:03d}").exists():
        number += 1
    kept.mkdir(parents=True)
    for path in [*folder.glob("*.json"), folder / "refused"]:
        if path.exists():
            os.replace(path, kept / path.name)
    return kept


def refuse(runs_root: Path, name: str, run_id: str, why: str) -> None:
    """Say that a run of a plan could not start."""
    write_text(plan_folder(runs_root, name) / "refused" / f"{run_id}.txt", why)


def forget_refusals(runs_root: Path, name: str) -> None:
    """They are tried anew."""
    shutil.rmtree(plan_folder(runs_root, name) / "refused", ignore_errors=True)


def stages_of(runs_root: Path, name: str) -> tuple[dict[str, Any], list[str]] | None:
    """Head and stage names of a plan, whatever version made it; None where there is none."""
    path = plan_folder(runs_root, name) / "plan.json"
    if not path.is_file():
        return None
    head = read_json(path)
    if not isinstance(head, dict):
        raise UserError(f"{path} is damaged", fix="delete it and launch the sweep again")
    return head, [stage["name"] for stage in head.get("stages", ())]


def plan_exists(runs_root: Path, name: str) -> bool:
    """Whether a sweep was launched under this root."""
    return (plan_folder(runs_root, name) / "plan.json").is_file()


def read_plan(runs_root: Path, name: str) -> Plan:
    """A plan and what has been refused of it.

    Raises:
        UserError: there is none of that name, it is damaged, or another version wrote it.
    """
    found = stages_of(runs_root, name)
    again = f"run `python -m bench.train -m sweeps={name}`"
    if found is None:
        present = sorted(p.parent.name for p in (runs_root / "plans").glob("*/plan.json"))
        raise UserError(
            f"no sweep {name!r} under {runs_root} (present: {', '.join(present) or 'none'})",
            fix=f"{again}, or set --runs-root DIR",
        )
    folder, head = plan_folder(runs_root, name), found[0]
    if head.get("version") not in READ:
        raise UserError(
            f"the plan of sweep {name!r} under {runs_root} has version {head.get('version', 1)}; "
            f"this suite reads {' and '.join(map(str, READ))}",
            fix=f"{again} again with this suite: runs that have their rows are skipped",
        )
    path = folder / "plan.json"
    try:
        stages = []
        for stage in head["stages"]:
            path = folder / f"{stage['name']}.json"
            entries = tuple(
                PlannedRun(**{**content, "overrides": tuple(content["overrides"])})
                for content in read_json(path)
            )
            stages.append(StagePlan(stage["name"], entries, stage["rule"], tuple(stage["chosen"])))
        refused = {
            reason.stem: reason.read_text(encoding="utf-8")
            for reason in sorted((folder / "refused").glob("[!.]*.txt"))
        }
        packs = {key: dict(choice) for key, choice in head.get("packs", {}).items()}
        return Plan(name, head["command"], tuple(stages), tuple(head["waiting"]), refused, packs)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f"{path} is damaged: {type(error).__name__} {error}",
            fix=f"{again} again: runs that have their rows are skipped",
        ) from error
