"""Load a published study: read back the data files that `write` wrote."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.core.errors import UserError
from bench.core.files import SUMS, find_misfit, parse_json, read_json, read_sums, sha256_of
from bench.core.number_checks import is_number
from bench.core.text import is_file_name
from bench.reporting.archive.row_table import MAPPINGS, PLAIN_COLUMNS, unprefixed
from bench.reporting.archive.write import CURVES, SHARED_FIELDS, VERSION
from bench.reporting.data.collect import read_picture
from bench.reporting.data.records import Curve, RunRecord, StageRecord
from bench.runs.digests import score_digests
from bench.runs.identity import other_version
from bench.runs.record import PublishedRun, read_published_runs
from bench.runs.rows import LATER_GROUPS, SCHEMA, Row, merge_rows

RESTORE = "restore the file"
MAX_CELLS = 2**26  # of a Parquet file; rows of 50,400 runs have some 2**24
MAX_TABLE_BYTES = 2**30  # of its cells; it is read in batches of BATCH rows
BATCH = 256
STAGE = {
    **{"name": str, "rule": str, "chosen": [dict], "runs": [str], "factors?": {str: [str]}},
    "otherwise?": {str: {"overrides": [str], "sample": int}},
}
PLAN = {"version": int, "sweep": str, "command": str, "stages": [STAGE], "claims?": bool}
ROWS_METADATA = {"schema": int, "protocols": {str: {"protocol": dict, "measures": dict}}}
LOADED = ("rows.parquet", "runs.jsonl", "environments.json", "plan.json", "history.parquet")


@dataclass(frozen=True)
class Study:
    """A sweep's stages that have a scored run, with runs and rows: all that a report is made of."""

    folder: Path
    stages: tuple[StageRecord, ...]

    @property
    def name(self) -> str:
        """Return the name of the sweep."""
        return self.stages[-1].name

    @property
    def rows(self) -> tuple[Row, ...]:
        """Return every scored checkpoint once, in the order of stages and plan."""
        runs = {run.run_id: run for stage in self.stages for run in stage.runs}
        return tuple(row for run in runs.values() for row in run.rows)

    @property
    def table(self) -> Any:
        """Read rows.parquet as a `pyarrow.Table`; its `.to_pandas()` gives a data frame."""
        return read_table(self.folder / "rows.parquet")


def load(folder: str | Path) -> Study:
    """Load a published study from its folder: `load("results/quick").table.to_pandas()`.

    Raises:
        UserError: a file is missing or damaged, lacks a column, is of another version, or is not
            what SHA256SUMS and the digests in runs.jsonl say.
    """
    folder = Path(folder)
    _check_sums(folder)
    published = {run.run_id: run for run in read_published_runs(folder)}
    unsafe = [run_id for run_id in published if not is_file_name(run_id)]
    if unsafe:  # a run_id names the file of the run's picture
        message = f"{folder / 'runs.jsonl'} has a run {unsafe[0]!r}, which is no name of a folder"
        raise UserError(message, fix=RESTORE)
    rows, baselines = _read_rows(folder / "rows.parquet")
    unknown = sorted(rows.keys() - published.keys())
    if unknown:
        message = f"{folder / 'rows.parquet'} has rows of run {unknown[0]}, which runs.jsonl lacks"
        raise UserError(message, fix="take both files from one report")
    for run_id, run in published.items():
        _check_scores(folder, run, rows.get(run_id, []))
    curves = _read_curves(folder / "history.parquet")
    runs = {}
    for run_id, run in published.items():
        picture = folder / "samples" / f"{run_id}.png"
        runs[run_id] = RunRecord(
            **{name: getattr(run, name) for name in SHARED_FIELDS},
            rows=tuple(sorted(rows.get(run_id, []), key=lambda row: row.file_name())),
            digests=run.chain,
            history=curves.get(run_id, {}),
            picture=read_picture(picture) if os.path.lexists(picture) else None,
        )
    real = {row.run_id for row in baselines if is_file_name(row.run_id)}
    files = {run_id: folder / "samples" / f"{run_id}.png" for run_id in sorted(real)}
    pictures = {run_id: read_picture(f) for run_id, f in files.items() if os.path.lexists(f)}
    return Study(folder, _read_stages(folder, runs, baselines, pictures))


def _check_sums(folder: Path) -> None:
    """Compare the files that are loaded with SHA256SUMS, where the report has one."""
    for name, digest in read_sums(folder / SUMS).items():
        loaded = name in LOADED or name.startswith("samples/")
        if loaded and (folder / name).is_file() and sha256_of(folder / name) != digest:
            raise UserError(f"{folder / name} is not the file that {SUMS} lists", fix=RESTORE)


def _check_scores(folder: Path, run: PublishedRun, rows: Sequence[Row]) -> None:
    """Compare the scores of a run's rows, which are shown, with the digests that verify uses."""
    shown = score_digests(rows)
    for name in sorted({*shown, *run.scores}):
        if shown.get(name) != run.scores.get(name):
            message = f"{folder / 'rows.parquet'}: scores {name} of run {run.run_id}"
            raise UserError(f"{message} do not have the digest in runs.jsonl", fix=RESTORE)


def _read_stages(
    folder: Path,
    runs: Mapping[str, RunRecord],
    baselines: tuple[Row, ...],
    real_pictures: Mapping[str, bytes],
) -> tuple[StageRecord, ...]:
    path = folder / "plan.json"
    plan = read_json(path, {"version": int})
    if plan["version"] in (1, 2, 3):
        raise other_version(str(path), 1)
    if plan["version"] != VERSION:
        message = f"{path} has version {plan['version']}; this suite reads {VERSION}"
        fix = "use the suite that wrote it, or write the report again from its runs"
        raise UserError(message, fix=fix)
    try:
        if misfit := find_misfit(plan, PLAN):
            raise TypeError(misfit)
        stages = tuple(
            StageRecord(
                name=plan["sweep"],
                command=plan["command"],
                stage=stage["name"],
                runs=tuple(
                    _as_asked(runs[run_id], stage.get("otherwise", {})) for run_id in stage["runs"]
                ),
                baselines=baselines,
                rule=stage["rule"],
                chosen=tuple(stage["chosen"]),
                claims=plan.get("claims", False),
                real_pictures=real_pictures,
                factors=stage.get("factors", {}),
            )
            for stage in plan["stages"]
        )
        if not stages:
            raise KeyError("no stage")
        return stages
    except (KeyError, TypeError) as error:
        message = f"{path} is damaged: {type(error).__name__} {error}"
        fix = "restore the file, or write the report again from its runs"
        raise UserError(message, fix=fix) from error


def _as_asked(run: RunRecord, otherwise: Mapping[str, Mapping[str, Any]]) -> RunRecord:
    """Return a run with the overrides and the sample by which a stage asks for it."""
    if (own := otherwise.get(run.run_id)) is None:
        return run
    return replace(run, overrides=tuple(own["overrides"]), sample=own["sample"])


def read_table(path: Path) -> Any:
    """Read a Parquet file as a `pyarrow.Table`.

    Raises:
        UserError: it is missing or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.exists():
        present = sorted(p.name for p in path.parent.glob("*"))
        message = f"no file {path} (present: {', '.join(present[:8]) or 'nothing'})"
        raise UserError(message, fix="name a folder that `bench report` wrote")
    try:
        if not path.is_file():
            raise ValueError("it is a folder, a pipe or a device")
        batches, size = [], 0
        with pq.ParquetFile(path, pre_buffer=False) as file:
            n_rows, schema = file.metadata.num_rows, file.schema_arrow
            if not 0 <= n_rows * len(schema) <= MAX_CELLS:
                raise ValueError(f"it states {n_rows:,} rows of {len(schema):,} columns")
            for batch in file.iter_batches(BATCH):  # text that repeats is small in the file alone
                batches.append(batch)
                if (size := size + batch.nbytes) > MAX_TABLE_BYTES:
                    raise ValueError(f"it unpacks to more than {MAX_TABLE_BYTES:,} bytes")
        table = pa.Table.from_batches(batches, schema)
        table.validate(full=True)
        if table.num_rows != n_rows:
            raise ValueError(f"it has {table.num_rows:,} rows and states {n_rows:,}")
        return table
    except Exception as error:  # Arrow's and Python's; there is no list of them
        reason = " ".join(str(error).split())
        raise UserError(f"{path} is no Parquet file: {reason}", fix=RESTORE) from error


def _read_rows(path: Path) -> tuple[dict[str, list[Row]], tuple[Row, ...]]:
    """Return run_id -> its rows, and the rows of real samples."""
    table = read_table(path)
    try:
        text = (table.schema.metadata or {})[b"created_equal"].decode()
        schema = parse_json(text, {"schema": int})["schema"]
    except (KeyError, TypeError, ValueError) as error:
        message = f"{path} was not written by `bench report`: it does not name its protocols"
        raise UserError(message, fix="write the report again from its runs") from error
    if schema in (1, 2):
        raise other_version(str(path), 1)
    if schema != SCHEMA:
        fix = "use the suite that wrote them, or score the runs again"
        raise UserError(f"{path} has rows of schema {schema}; this suite reads {SCHEMA}", fix=fix)
    try:
        protocols = parse_json(text, ROWS_METADATA)["protocols"]
    except ValueError as error:
        raise UserError(f"{path} is damaged: protocols: {error}", fix=RESTORE) from error
    needed = {*PLAIN_COLUMNS, "protocol_id"} - set(LATER_GROUPS)
    missing = sorted(needed - set(table.column_names))
    if missing:
        raise UserError(f"{path} lacks the columns {', '.join(missing)}", fix=RESTORE)
    rows_by_key: dict[tuple[str, str, str], Row] = {}
    for record in table.to_pylist():
        key = (record["run_id"], record["checkpoint"], record["protocol_id"])
        if not all(isinstance(part, str) for part in key):
            raise UserError(f"{path} has a row of run, checkpoint, protocol {key!r}", fix=RESTORE)
        if key not in rows_by_key:
            rows_by_key[key] = _build_row(path, record, protocols)
    rows_by_run: dict[str, list[Row]] = {}
    baselines = []
    for row in rows_by_key.values():
        if row.run_id.startswith("real-"):
            baselines.append(row)
        else:
            rows_by_run.setdefault(row.run_id, []).append(row)
    return rows_by_run, tuple(merge_rows(baselines))  # each table has those of its own measures


def _build_row(path: Path, record: Mapping[str, Any], protocols: Mapping[str, Any]) -> Row:
    present = {key: value for key, value in record.items() if value is not None}
    mappings: dict[str, Any] = {name: unprefixed(name, present) for name in MAPPINGS}
    try:
        plain = {name: record[name] for name in PLAIN_COLUMNS if name in record}
        return Row(**protocols[record["protocol_id"]], **plain, **mappings)
    except (KeyError, TypeError, ValueError) as error:
        message = f"{path}: the row of run {record['run_id']} is damaged: {error}"
        raise UserError(message, fix=RESTORE) from error


def _read_curves(path: Path) -> dict[str, dict[str, Curve]]:
    """Return run_id -> name -> curve."""
    if not os.path.lexists(path):
        return {}
    points: dict[str, dict[str, list[tuple[float, float]]]] = {}
    table = read_table(path)
    if missing := sorted({"run_id", "d_steps"} - set(table.column_names)):
        raise UserError(f"{path} lacks the columns {', '.join(missing)}", fix=RESTORE)
    for record in table.to_pylist():
        run_id, step = record["run_id"], record["d_steps"]
        if not isinstance(run_id, str) or not is_number(step):
            raise UserError(f"{path}: run {run_id!r} has a step {step!r}", fix=RESTORE)
        for name, value in ((name, record.get(name)) for name in CURVES):
            if value is None:
                continue
            if not isinstance(value, float) or not math.isfinite(value):
                raise UserError(f"{path}: {name} of run {run_id} is {value!r}", fix=RESTORE)
            points.setdefault(run_id, {}).setdefault(name, []).append((step, value))
    return {
        run_id: {name: tuple(np.array(curve).T) for name, curve in curves.items()}
        for run_id, curves in points.items()
    }
