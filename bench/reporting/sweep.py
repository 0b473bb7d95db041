"""What lies on disk of a sweep: its runs in the plan's order, each with status and rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.errors import UserError
from bench.files import read_json
from bench.runs.folder import RunFolder
from bench.runs.plans import Entry, read_plan
from bench.runs.rows import Row, read_rows

OUTCOMES = ("finished", "diverged", "failed")  # every other run is unfinished


@dataclass(frozen=True)
class Run:
    """One run of the plan, whatever became of it.

    Args:
        folder: where it lies.
        variant, dataset, seed, sample, overrides: as planned.
        status: a word of `status.json`; "missing" where nothing was written.
        cause: of a divergence or failure.
        facts: the rest of `status.json`: counts, seconds, memory.
        environment: `environment.json`; empty where there is none.
        rows: its scored checkpoints.
    """

    folder: RunFolder
    variant: str
    dataset: str
    seed: int
    sample: int
    overrides: tuple[str, ...]
    status: str
    cause: str
    facts: Mapping[str, Any]
    environment: Mapping[str, Any]
    rows: tuple[Row, ...]

    @property
    def run_id(self) -> str:
        """Its name."""
        return self.folder.run_id

    @property
    def settings(self) -> tuple[str, ...]:
        """What it shares with the same variant at other seeds."""
        return tuple(o for o in self.overrides if o.lstrip("+").partition("=")[0] != "seed")


@dataclass(frozen=True)
class Sweep:
    """All of a sweep that is on disk.

    Args:
        stage: of the plan; "all" where it has no stages.
        floors: rows of real samples scored against real ones, of any protocol.
    """

    name: str
    command: str
    stage: str
    runs: tuple[Run, ...]
    floors: tuple[Row, ...]

    @cached_property
    def counts(self) -> dict[str, int]:
        """Runs planned and what became of them; the last five add up to the first."""
        return {"planned": len(self.runs), **count_statuses(run.status for run in self.runs)}


def count_statuses(statuses: Iterable[str]) -> dict[str, int]:
    """finished, diverged, failed, unfinished (interrupted or still running), missing."""
    found = dict.fromkeys((*OUTCOMES, "unfinished", "missing"), 0)
    for status in statuses:
        found[status if status in found else "unfinished"] += 1
    return found


def read_sweep(runs_root: Path, name: str) -> Sweep:
    """The last stage of a sweep that has a scored run, as it lies under `runs_root`.

    Raises:
        UserError: there is no such plan, no run of it is scored yet, or a file is damaged.
    """
    return read_stages(runs_root, name)[-1]


def read_stages(runs_root: Path, name: str) -> list[Sweep]:
    """The stages of a sweep that have a scored run, in order.

    Raises:
        UserError: as `read_sweep`.
    """
    plan = read_plan(runs_root, name)
    floors = tuple(read_rows(runs_root, sorted(path.name for path in runs_root.glob("real-*"))))
    sweeps = [
        Sweep(
            name,
            plan.command,
            stage.name,
            tuple(_run(runs_root, entry) for entry in stage.entries),
            floors,
        )
        for stage in plan.stages
    ]
    scored = [sweep for sweep in sweeps if any(run.rows for run in sweep.runs)]
    if not scored:
        runs = [run for sweep in sweeps for run in sweep.runs]
        counts = {"planned": len(runs), **count_statuses(run.status for run in runs)}
        found = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
        raise UserError(
            f"sweep {name!r} under {runs_root} has no scored run yet ({found or 'no run at all'})",
            fix="let its runs end, or see each run's status.json and error.txt",
        )
    return scored


def _run(runs_root: Path, entry: Entry) -> Run:
    folder = RunFolder(runs_root, entry.run_id)
    rows = tuple(read_rows(runs_root, [entry.run_id]))
    facts = dict(_mapping(folder.path / "status.json"))
    known = rows[0] if rows else None  # a run whose status was lost is known by its row
    return Run(
        folder=folder,
        variant=entry.variant,
        dataset=entry.dataset,
        seed=entry.seed,
        sample=entry.sample,
        overrides=entry.overrides,
        status=facts.pop("status", known.status if known else "missing"),
        cause=facts.pop("cause", known.cause if known else ""),
        facts=facts,
        environment=_mapping(folder.path / "environment.json"),
        rows=rows,
    )


def _mapping(path: Path) -> Mapping[str, Any]:
    """The content of a JSON file that holds one mapping; empty where there is no file."""
    if not path.is_file():
        return {}
    content = read_json(path)
    if not isinstance(content, Mapping):
        raise UserError(f"{path} holds no mapping", fix="move it away and run the run again")
    return content
