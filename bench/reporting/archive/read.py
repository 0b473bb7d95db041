"""Reads the data of a report back, as `store` wrote them."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.core.errors import UserError
from bench.core.files import read_json
from bench.reporting.archive.row_table import PLAIN
from bench.reporting.archive.write import CURVES, VERSION
from bench.reporting.data.collect import picture_of
from bench.reporting.data.records import Curve, RunRecord, StageRecord
from bench.runs.record import Record, read_records
from bench.runs.rows import SCHEMA, Row

MAPS = ("hyperparameters", "scores", "details")


@dataclass(frozen=True)
class Study:
    """What a report is made of.

    Args:
        folder: where it lies.
        stages: of the sweep, those with a scored run, in order.
    """

    folder: Path
    stages: tuple[StageRecord, ...]

    @property
    def name(self) -> str:
        """Of the sweep."""
        return self.stages[-1].name

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every scored checkpoint, each once, in the order of stages and plan."""
        runs = {run.run_id: run for stage in self.stages for run in stage.runs}
        return tuple(row for run in runs.values() for row in run.rows)

    @property
    def table(self) -> Any:
        """rows.parquet as a `pyarrow.Table`; `.to_pandas()` makes a data frame of it."""
        return read_table(self.folder / "rows.parquet")


def load(folder: str | Path) -> Study:
    """A published study, from its folder: `load("results/quick").table.to_pandas()`.

    Raises:
        UserError: a file is missing or damaged, lacks a column, or is of a newer version.
    """
    folder = Path(folder)
    records = {record.run_id: record for record in read_records(folder)}
    odd = [run_id for run_id in records if Path(str(run_id)).name != run_id]
    if odd:  # it names the file of its picture
        raise UserError(
            f"{folder / 'runs.jsonl'} has a run {odd[0]!r}, which is no name of a folder",
            fix="restore the file",
        )
    rows, floors = _rows(folder / "rows.parquet")
    unknown = sorted(rows.keys() - records.keys())
    if unknown:
        raise UserError(
            f"{folder / 'rows.parquet'} has rows of run {unknown[0]}, which runs.jsonl lacks",
            fix="take both files from one report",
        )
    curves = _curves(folder / "history.parquet")
    runs = {
        run_id: _run(folder, record, rows.get(run_id, []), curves.get(run_id, {}))
        for run_id, record in records.items()
    }
    return Study(folder, _stages(folder, runs, floors))


def _stages(
    folder: Path, runs: Mapping[str, RunRecord], floors: tuple[Row, ...]
) -> tuple[StageRecord, ...]:
    plan = read_json(folder / "plan.json")
    try:
        if plan["version"] != VERSION:
            raise UserError(
                f"{folder / 'plan.json'} has version {plan['version']}; this suite reads {VERSION}",
                fix="use the suite that wrote it, or write the report again from its runs",
            )
        stages = tuple(
            StageRecord(
                name=plan["sweep"],
                command=plan["command"],
                stage=stage["name"],
                runs=tuple(runs[run_id] for run_id in stage["runs"]),
                floors=floors,
                rule=stage["rule"],
                chosen=tuple(stage["chosen"]),
            )
            for stage in plan["stages"]
        )
        if not stages:
            raise KeyError("no stage")
        return stages
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{folder / 'plan.json'} is damaged: {type(error).__name__} {error}",
            fix="restore the file, or write the report again from its runs",
        ) from error


def _run(folder: Path, record: Record, rows: list[Row], history: dict[str, Curve]) -> RunRecord:
    return RunRecord(
        run_id=record.run_id,
        variant=record.variant,
        dataset=record.dataset,
        seed=record.seed,
        sample=record.sample,
        overrides=record.overrides,
        status=record.status,
        cause=record.cause,
        facts=record.facts,
        environment=record.environment,
        rows=tuple(sorted(rows, key=lambda row: row.file_name())),
        chain=record.chain,
        history=history,
        picture=_picture(folder, record.run_id),
    )


def read_table(path: Path) -> Any:
    """A Parquet file as a `pyarrow.Table`.

    Raises:
        UserError: it is missing or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path)
    except FileNotFoundError as error:
        present = sorted(p.name for p in path.parent.glob("*"))
        raise UserError(
            f"no file {path} (present: {', '.join(present[:8]) or 'nothing'})",
            fix="name a folder that `bench report` wrote",
        ) from error
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{path} is no Parquet file: {error}", fix="restore the file") from error


def _rows(path: Path) -> tuple[dict[str, list[Row]], tuple[Row, ...]]:
    """run_id -> its rows; and those of real samples."""
    table = read_table(path)
    try:
        meta = json.loads((table.schema.metadata or {})[b"created_equal"])
        schema, protocols = meta["schema"], meta["protocols"]
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path} was not written by `bench report`: it does not tell its protocols",
            fix="write the report again from its runs",
        ) from error
    if schema != SCHEMA:
        raise UserError(
            f"{path} has rows of schema {schema}; this suite reads {SCHEMA}",
            fix="use the suite that wrote them, or score the runs again",
        )
    missing = sorted({*PLAIN, "protocol_id"} - set(table.column_names))
    if missing:
        raise UserError(f"{path} lacks the columns {', '.join(missing)}", fix="restore the file")
    found: dict[tuple[str, str, str], Row] = {}
    for line in table.to_pylist():
        key = (line["run_id"], line["checkpoint"], line["protocol_id"])
        if key not in found:
            found[key] = _row(path, line, protocols)
    rows: dict[str, list[Row]] = {}
    floors = []
    for row in found.values():
        if row.run_id.startswith("real-"):
            floors.append(row)
        else:
            rows.setdefault(row.run_id, []).append(row)
    return rows, tuple(floors)


def _row(path: Path, line: Mapping[str, Any], protocols: Mapping[str, Any]) -> Row:
    maps = {
        name: {
            key.removeprefix(f"{name}."): value
            for key, value in line.items()
            if value is not None and key.startswith(f"{name}.")
        }
        for name in MAPS
    }
    try:
        plain = {name: line[name] for name in PLAIN}
        return Row(**plain, protocol=protocols[line["protocol_id"]], **maps)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path}: the row of run {line['run_id']} is damaged: {error}", fix="restore the file"
        ) from error


def _picture(folder: Path, run_id: str) -> bytes | None:
    path = folder / "samples" / f"{run_id}.png"
    return picture_of(path) if path.is_file() else None


def _curves(path: Path) -> dict[str, dict[str, Curve]]:
    if not path.is_file():
        return {}
    found: dict[str, dict[str, list[tuple[float, float]]]] = {}
    table = read_table(path)
    if missing := sorted({"run_id", "d_steps"} - set(table.column_names)):
        raise UserError(f"{path} lacks the columns {', '.join(missing)}", fix="restore the file")
    for line in table.to_pylist():
        for name in CURVES:
            if line.get(name) is not None:
                if not isinstance(line[name], float) or not math.isfinite(line[name]):
                    raise UserError(
                        f"{path}: {name} of run {line['run_id']} is {line[name]!r}",
                        fix="restore the file",
                    )
                pairs = found.setdefault(line["run_id"], {}).setdefault(name, [])
                pairs.append((line["d_steps"], line[name]))
    return {
        run_id: {name: tuple(np.array(pairs).T) for name, pairs in curves.items()}
        for run_id, curves in found.items()
    }
