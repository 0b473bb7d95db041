"""Plans: which runs belong to a sweep. A run may belong to many; membership lives only here.

A plan is a folder: `plan.json`, written before the first run starts, and one small file for each
run, written by the run itself when it knows its run_id. Processes never share a file.
"""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from bench.errors import UserError
from bench.files import read_json, write_json


@dataclass(frozen=True)
class Entry:
    """One run of a plan.

    Args:
        index: its place in the plan.
        overrides: what sets it apart, as typed on a command line.
        run_id: empty for a run that was refused.
        error: why it was refused.
    """

    index: int
    overrides: tuple[str, ...]
    run_id: str
    variant: str
    seed: int
    error: str = ""


@dataclass(frozen=True)
class Plan:
    """A sweep as it was launched last."""

    name: str
    command: str
    planned: int
    entries: tuple[Entry, ...]

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The runs that have started, each once, in the plan's order."""
        return tuple(dict.fromkeys(entry.run_id for entry in self.entries if entry.run_id))


def plan_folder(runs_root: Path, name: str) -> Path:
    """Where the plan of a sweep lies."""
    return runs_root / "plans" / name


def start_plan(runs_root: Path, name: str, command: str, planned: int) -> None:
    """Begin a plan; an earlier one of the same name is forgotten, its runs and rows are kept.

    Args:
        command: that launches the sweep again.
        planned: number of runs.
    """
    folder = plan_folder(runs_root, name)
    shutil.rmtree(folder, ignore_errors=True)
    write_json(folder / "plan.json", {"command": command, "planned": planned})


def plan_started(runs_root: Path, name: str) -> float:
    """Seconds since the plan was begun."""
    return time.time() - (plan_folder(runs_root, name) / "plan.json").stat().st_mtime


def join_plan(runs_root: Path, name: str, entry: Entry) -> None:
    """Say that a run belongs to a plan; a run on its own, without one, starts none."""
    content = {
        "overrides": list(entry.overrides),
        "run_id": entry.run_id,
        "variant": entry.variant,
        "seed": entry.seed,
        "error": entry.error,
    }
    write_json(plan_folder(runs_root, name) / f"run-{entry.index:06d}.json", content)


def read_plan(runs_root: Path, name: str) -> Plan:
    """A plan and what has joined it.

    Raises:
        UserError: there is none of that name.
    """
    folder = plan_folder(runs_root, name)
    if not (folder / "plan.json").is_file():
        present = sorted(p.parent.name for p in (runs_root / "plans").glob("*/plan.json"))
        raise UserError(
            f"no sweep {name!r} under {runs_root} (present: {', '.join(present) or 'none'})",
            fix=f"run `python -m bench.train -m sweeps={name}`, or set --runs-root DIR",
        )
    path = folder / "plan.json"
    try:
        head = read_json(path)
        entries = []
        for path in sorted(folder.glob("run-*.json")):
            content = read_json(path)
            overrides = tuple(content.pop("overrides"))
            index = int(path.stem.removeprefix("run-"))
            entries.append(Entry(index=index, overrides=overrides, **content))
        return Plan(name, head["command"], head["planned"], tuple(entries))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f"{path} is damaged: {type(error).__name__} {error}",
            fix="run the sweep again: finished runs are skipped",
        ) from error
