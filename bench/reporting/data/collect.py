"""Collect a sweep's stages, runs, rows, curves and pictures from the folders of its runs."""

import dataclasses
import io
import json
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.core.text import is_file_name
from bench.reporting.data.histories import read_history
from bench.reporting.data.records import FACTS, RunRecord, StageRecord, count_statuses
from bench.runs.digests import read_digests
from bench.runs.folder import COMPLETED, RunFolder
from bench.runs.plans import Plan, PlannedRun, read_plan
from bench.runs.record import portable_overrides
from bench.runs.rows import Row, merge_rows, read_rows

MAX_HISTORIES = 2000  # runs whose curves a report holds: those of the last stage first
MAX_PICTURE_BYTES = 8 * 2**20  # of all pictures in a report, whose page embeds them


def read_stages(runs_root: Path, study: str | Plan) -> list[StageRecord]:
    """Read the stages of a sweep that have a scored run, without curves and pictures.

    Args:
        study: name of the sweep, or its plan.

    Raises:
        UserError: there is no such plan, no run of it is scored yet, or a file is damaged.
    """
    plan = read_plan(runs_root, study) if isinstance(study, str) else study
    name = plan.name
    if unsafe := [run_id for run_id in plan.run_ids if not is_file_name(run_id)]:
        message = f"the plan of {name!r} has a run {unsafe[0]!r}, which is no name of a folder"
        raise UserError(message, fix="restore the plan, or launch the sweep again")
    reader = _Reader(runs_root)
    real = tuple(reader.baselines())
    runs_by_stage = [tuple(map(reader.run, stage.runs)) for stage in plan.stages]
    stages = [
        StageRecord(
            name, plan.command, s.name, runs, real, s.rule, s.chosen, plan.claims, {}, s.factors
        )
        for s, runs in zip(plan.stages, runs_by_stage, strict=True)
    ]
    scored = [stage for stage in stages if any(run.rows for run in stage.runs)]
    if not scored:
        runs = [run for stage in stages for run in stage.runs]
        counts = {"planned": len(runs), **count_statuses(run.status for run in runs)}
        tally = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
        message = f"sweep {name!r} under {runs_root} has no scored run yet"
        fix = "let its runs end, or see each run's status.json and error.txt"
        raise UserError(f"{message} ({tally or 'no run at all'})", fix=fix)
    return scored


def add_curves(root: Path, stages: list[StageRecord]) -> list[StageRecord]:
    """Add training histories to MAX_HISTORIES runs at most, those of the last stage first."""
    started = [run for stage in reversed(stages) for run in stage.runs if run.status != "missing"]
    run_ids = list(dict.fromkeys(run.run_id for run in started))[:MAX_HISTORIES]
    return _with(stages, "history", {r: read_history(RunFolder(root, r)) for r in run_ids})


def add_pictures(
    root: Path, stages: list[StageRecord], order: Iterable[str], real: Iterable[str]
) -> list[StageRecord]:
    """Add pictures of real images, then of runs, up to MAX_PICTURE_BYTES in all.

    Args:
        order: run_ids of the runs, the first with pictures first.
        real: run_ids of the baselines.
    """
    pictures, room, real_ids = {}, MAX_PICTURE_BYTES, dict.fromkeys(real)
    for run_id in dict.fromkeys((*real_ids, *order)):
        path = RunFolder(root, run_id).samples / "final.png"
        if path.is_file() and path.stat().st_size <= room:
            pictures[run_id] = read_picture(path)
            room -= len(pictures[run_id])
    real_pictures = {run_id: pictures[run_id] for run_id in real_ids if run_id in pictures}
    stages = [dataclasses.replace(stage, real_pictures=real_pictures) for stage in stages]
    return _with(stages, "picture", pictures)


def read_picture(path: Path) -> bytes:
    """Read a PNG file and check that it can be decoded; for others Pillow may start programs.

    Raises:
        UserError: it is no such picture, or has more pixels than Pillow's limit.
    """
    from PIL import Image

    try:
        if not path.is_file():
            raise ValueError("it is a folder, a pipe or a device")
        content = path.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
                image.load()
    except Exception as error:  # Pillow's; there is no list of them
        fix = "move the file away; the report then says that there is none"
        raise UserError(f"{path} is no picture: {error}", fix=fix) from error
    return content


def _with(stages: list[StageRecord], field: str, values: Mapping[str, Any]) -> list[StageRecord]:
    """Set one field of the runs that `values` (run_id -> value) has an entry for."""

    def replace(run: RunRecord) -> RunRecord:
        new = {field: values[run.run_id]} if run.run_id in values else {}
        return dataclasses.replace(run, **new)

    return [dataclasses.replace(s, runs=tuple(replace(run) for run in s.runs)) for s in stages]


class _Reader:
    """Reads each run once, and stores equal protocols and environments as one object."""

    def __init__(self, runs_root: Path) -> None:
        self.root = runs_root
        self.runs: dict[str, RunRecord] = {}
        self.contents: dict[str, Any] = {}

    def rows(self, run_ids: Iterable[str]) -> list[Row]:
        rows = merge_rows(
            dataclasses.replace(
                row,
                protocol=self._deduplicate(row.protocol),
                measures=self._deduplicate(row.measures),
            )
            for row in read_rows(self.root, run_ids)
        )
        # a run that failed first, and ended later, has a row of both
        ended = {(row.run_id, row.checkpoint) for row in rows if row.status in COMPLETED}
        return [r for r in rows if r.status in COMPLETED or (r.run_id, r.checkpoint) not in ended]

    def baselines(self) -> Iterator[Row]:
        """Yield the rows of real samples."""
        for path in sorted(self.root.glob("real-*")):
            yield from self.rows([path.name])

    def run(self, planned: PlannedRun) -> RunRecord:
        if planned.run_id not in self.runs:
            self.runs[planned.run_id] = self._read(planned)
        overrides = portable_overrides(planned.overrides)  # stages may ask for one run differently
        run = self.runs[planned.run_id]
        return dataclasses.replace(run, overrides=overrides, sample=planned.sample)

    def _read(self, planned: PlannedRun) -> RunRecord:
        folder = RunFolder(self.root, planned.run_id)
        rows = tuple(self.rows([planned.run_id]))
        facts = folder.read_status() or {}
        row = rows[0] if rows else None  # tells the status if status.json was lost
        return RunRecord(
            run_id=planned.run_id,
            variant=planned.variant,
            dataset=planned.dataset,
            seed=planned.seed,
            sample=planned.sample,
            overrides=(),
            status=facts.get("status", row.status if row else "missing"),
            cause=facts.get("cause", row.cause if row else ""),
            facts={name: facts[name] for name in FACTS if facts.get(name) is not None},
            environment=self._deduplicate(folder.read_provenance()["environment"]),
            rows=rows,
            digests=read_digests(folder.digests),
        )

    def _deduplicate(self, content: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.contents.setdefault(json.dumps(content, sort_keys=True), content)
