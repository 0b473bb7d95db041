"""From the folders of runs to what a report is made of."""

import dataclasses
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.core.files import read_json
from bench.reporting.data.histories import read_history
from bench.reporting.data.records import FACTS, RunRecord, StageRecord, count_statuses
from bench.runs.digests import read_digests
from bench.runs.folder import RunFolder
from bench.runs.plans import PlannedRun, read_plan
from bench.runs.record import portable
from bench.runs.rows import Row, read_rows

HISTORIES = 2000  # runs whose curves are kept: those of the last stage first
PICTURE_BYTES = 8 * 2**20  # of all pictures in a report, which holds them inside its page


def read_stages(runs_root: Path, name: str) -> list[StageRecord]:
    """The stages of a sweep that have a scored run, in order; without histories and pictures.

    Raises:
        UserError: there is no such plan, no run of it is scored yet, or a file is damaged.
    """
    plan = read_plan(runs_root, name)
    reader = _Reader(runs_root)
    floors = tuple(reader.rows(sorted(path.name for path in runs_root.glob("real-*"))))
    sweeps = [
        StageRecord(
            name,
            plan.command,
            stage.name,
            tuple(reader.run(entry) for entry in stage.entries),
            floors,
            stage.rule,
            stage.chosen,
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


def with_curves(runs_root: Path, stages: list[StageRecord]) -> list[StageRecord]:
    """The same with histories, the last stage's first, of HISTORIES runs at most."""
    wanted = [run for stage in reversed(stages) for run in stage.runs if run.status != "missing"]
    kept = dict.fromkeys(run.run_id for run in wanted)
    found = {r: read_history(RunFolder(runs_root, r)) for r in list(kept)[:HISTORIES]}
    return _changed(stages, "history", found)


def with_pictures(
    runs_root: Path, stages: list[StageRecord], order: Iterable[str]
) -> list[StageRecord]:
    """The same with the runs' pictures, in this order, up to PICTURE_BYTES in all."""
    found, room = {}, PICTURE_BYTES
    for run_id in dict.fromkeys(order):
        path = RunFolder(runs_root, run_id).samples / "final.png"
        if path.is_file() and path.stat().st_size <= room:
            found[run_id] = picture_of(path)
            room -= len(found[run_id])
    return _changed(stages, "picture", found)


def picture_of(path: Path) -> bytes:
    """The content of a picture's file.

    Raises:
        UserError: it is no picture.
    """
    from PIL import Image

    content = path.read_bytes()
    try:
        with Image.open(io.BytesIO(content)) as opened:
            opened.load()
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises on damaged files
        raise UserError(
            f"{path} is no picture: {error}",
            fix="move the file away; the report then says that there is none",
        ) from error
    return content


def _changed(stages: list[StageRecord], field: str, found: Mapping[str, Any]) -> list[StageRecord]:
    def one(run: RunRecord) -> RunRecord:
        return (
            dataclasses.replace(run, **{field: found[run.run_id]}) if run.run_id in found else run
        )

    return [dataclasses.replace(s, runs=tuple(one(run) for run in s.runs)) for s in stages]


class _Reader:
    """Reads each run once, and keeps each protocol and environment once."""

    def __init__(self, runs_root: Path) -> None:
        self.root = runs_root
        self.known: dict[str, RunRecord] = {}
        self.shared: dict[str, Any] = {}

    def rows(self, run_ids: Iterable[str]) -> list[Row]:
        return [
            dataclasses.replace(row, protocol=self._once(row.protocol))
            for row in read_rows(self.root, run_ids)
        ]

    def run(self, entry: PlannedRun) -> RunRecord:
        if entry.run_id not in self.known:
            self.known[entry.run_id] = self._read(entry)
        return self.known[entry.run_id]

    def _read(self, entry: PlannedRun) -> RunRecord:
        folder = RunFolder(self.root, entry.run_id)
        rows = tuple(self.rows([entry.run_id]))
        facts = _mapping(folder.path / "status.json")
        known = rows[0] if rows else None  # a run whose status was lost is known by its row
        return RunRecord(
            run_id=entry.run_id,
            variant=entry.variant,
            dataset=entry.dataset,
            seed=entry.seed,
            sample=entry.sample,
            overrides=portable(entry.overrides),
            status=facts.get("status", known.status if known else "missing"),
            cause=facts.get("cause", known.cause if known else ""),
            facts={name: facts[name] for name in FACTS if facts.get(name) is not None},
            environment=self._once(_mapping(folder.path / "environment.json")),
            rows=rows,
            chain=read_digests(folder.chain),
        )

    def _once(self, content: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.shared.setdefault(json.dumps(content, sort_keys=True), content)


def _mapping(path: Path) -> Mapping[str, Any]:
    """The content of a JSON file that holds one mapping; empty where there is no file."""
    if not path.is_file():
        return {}
    content = read_json(path)
    if not isinstance(content, Mapping):
        raise UserError(f"{path} holds no mapping", fix="move it away and run the run again")
    return content
