"""Write the data of a report as files; everything else in its folder is made from these.

`rows.parquet` (and `rows.csv` with the same rows), `runs.jsonl` with `environments.json`,
`plan.json`, `history.parquet`, `samples/<run_id>.png`. `bench.reporting.load` reads them back.
"""

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.core.text import encode
from bench.reporting.archive import row_table
from bench.reporting.data.records import RunRecord, StageRecord
from bench.runs.digests import score_digests
from bench.runs.record import PublishedRun, render_published_runs
from bench.runs.rows import SCHEMA

VERSION = 4  # of the published plan.json
CURVES = ("d_loss", "g_loss", "frechet")
SHARED_FIELDS = (
    "run_id", "variant", "dataset", "seed", "sample", "overrides", "status", "cause", "facts",
    "environment", "source",
)  # of a RunRecord and of a PublishedRun  # fmt: skip


def build_study_files(stages: Sequence[StageRecord]) -> dict[str, bytes]:
    """Build the files that `load` reads: name -> content."""
    records = row_table.flatten_rows(stages)
    columns = row_table.list_columns(records)
    runs = {run.run_id: run for stage in stages for run in stage.runs}
    plan = {
        "version": VERSION,
        "sweep": stages[-1].name,
        "command": stages[-1].command,
        "claims": stages[-1].claims,
        "stages": [
            {
                "name": stage.stage,
                "rule": stage.rule,
                "chosen": list(stage.chosen),
                "runs": [run.run_id for run in stage.runs],
                **({"factors": dict(stage.factors)} if stage.factors else {}),
                **_asked_otherwise(stage, runs),
            }
            for stage in stages
        ],
    }
    texts = {
        "rows.csv": row_table.format_csv(columns, records),
        **render_published_runs(_published_runs(runs.values())),
        "plan.json": json.dumps(plan, indent=1, sort_keys=True, allow_nan=False) + "\n",
    }
    pictures = {f"samples/{r.run_id}.png": r.picture for r in runs.values() if r.picture}
    pictures |= {f"samples/{r}.png": png for s in stages for r, png in s.real_pictures.items()}
    protocols = {
        protocol_id: {name: row_table.unprefixed(name, r) for name in ("protocol", "measures")}
        for protocol_id, r in {r["protocol_id"]: r for r in records}.items()
    }
    return {
        **{name: encode(text) for name, text in texts.items()},
        "rows.parquet": _parquet(
            {column: [record.get(column) for record in records] for column in columns},
            {"schema": SCHEMA, "protocols": protocols},
        ),
        "history.parquet": _parquet(_history_columns(runs.values()), {"schema": 1}),
        **pictures,
    }


def _asked_otherwise(stage: StageRecord, runs: Mapping[str, RunRecord]) -> dict[str, Any]:
    """Return "otherwise": run_id -> overrides and sample, where runs.jsonl has another stage's."""
    others = {
        run.run_id: {"overrides": list(run.overrides), "sample": run.sample}
        for run in stage.runs
        if (run.overrides, run.sample) != (runs[run.run_id].overrides, runs[run.run_id].sample)
    }
    return {"otherwise": others} if others else {}


def _published_runs(runs: Iterable[RunRecord]) -> Iterable[PublishedRun]:
    for run in runs:
        shared = {name: getattr(run, name) for name in SHARED_FIELDS}
        yield PublishedRun(**shared, scores=score_digests(run.rows), chain=run.digests)


def _history_columns(runs: Iterable[RunRecord]) -> dict[str, list[Any]]:
    """Return the columns of history.parquet: an entry for each run and step."""
    columns: dict[str, list[Any]] = {name: [] for name in ("run_id", "d_steps", *CURVES)}
    for run in runs:
        values = {
            name: dict(zip(*(axis.tolist() for axis in curve), strict=True))
            for name, curve in run.history.items()
        }
        for step in sorted({step for curve in values.values() for step in curve}):
            columns["run_id"].append(run.run_id)
            columns["d_steps"].append(step)
            for name in CURVES:
                columns[name].append(values.get(name, {}).get(step))
    return columns


def _parquet(columns: Mapping[str, Sequence[Any]], metadata: Mapping[str, Any]) -> bytes:
    """Encode a Parquet file whose bytes follow from its content alone: no date, no names."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({encode(name).decode(): _typed(values) for name, values in columns.items()})
    text = json.dumps(metadata, sort_keys=True, separators=(",", ":"), allow_nan=False)
    table, buffer = table.replace_schema_metadata({"created_equal": text}), io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _typed(values: Sequence[Any]) -> Any:
    """Make an array of booleans, integers, floats or text; mixed or nested values as text."""
    import pyarrow as pa

    present = [value for value in values if value is not None]
    kinds = {type(value) for value in present}
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {int} and (kind := _integer_type(min(present), max(present))) is not None:
        return pa.array(values, kind)
    if kinds <= {int, float}:
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    texts = zip(values, row_table.format_column(values), strict=True)
    return pa.array([None if v is None else encode(text) for v, text in texts], pa.string())


def _integer_type(low: int, high: int) -> Any:
    """Return the type of 64 bits that holds all integers from low to high; None if none does."""
    import pyarrow as pa

    if low >= -(2**63) and high < 2**63:
        return pa.int64()
    return pa.uint64() if low >= 0 and high < 2**64 else None
