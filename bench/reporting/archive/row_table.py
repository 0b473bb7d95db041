"""Rows as lines of one table: rows.csv and rows.parquet."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.reporting.data.records import StageRecord
from bench.reporting.tables.groups import group_rows
from bench.runs.identity import short_hash
from bench.runs.rows import Row

ROW_COLUMNS = {
    "group": "the table that the row stands in; rows of different groups are not comparable",
    "stage": 'of the sweep; "all" where it has none',
    "run_id": "the run's folder",
    "sample": "which configuration of its variant; 0 are its defaults",
    "variant": "what was trained",
    "loss": "entry of the config group",
    "model": "entry of the config group",
    "network": "entry of the config group",
    "dataset": "entry of the config group",
    "seed": "of all of the run's random streams",
    "status": "finished or diverged (failed and interrupted runs may have rows too)",
    "cause": "of a divergence or failure",
    "checkpoint": "which one was scored",
    "d_steps": "discriminator steps done",
    "g_steps": "generator steps done",
    "images": "real images seen",
    "wall_seconds": "of training",
    "peak_memory_gib": "of training",
    "protocol_id": "hash of the protocol, the run's own choices included",
    "protocol.*": "how the scores were made",
    "hyperparameters.*": "the config group of that name",
    "scores.*": "the scores; empty where there is none",
    "details.*": "beside the scores: spread over latent seeds, expected bias, opinions",
}
PLAIN = (
    "run_id", "variant", "loss", "model", "network", "dataset", "seed", "status", "cause",
    "checkpoint", "d_steps", "g_steps", "images",
)  # fmt: skip


def as_records(stages: Iterable[StageRecord]) -> list[dict[str, Any]]:
    """Every row and the floors, one line each, in the order of stages, groups and plan."""
    lines = []
    ids: dict[int, str] = {}
    for sweep in stages:
        costs = {run.run_id: run.facts for run in sweep.runs}
        samples = {run.run_id: run.sample for run in sweep.runs}
        for group in group_rows(sweep):
            rows = [m.row for m in group.members if m.row is not None]
            for row in (*group.floor, *group.bias, *rows):
                if id(row.protocol) not in ids:
                    ids[id(row.protocol)] = short_hash(row.protocol)
                known = {"group": group.slug, "stage": sweep.stage}
                known |= {"protocol_id": ids[id(row.protocol)], "sample": samples.get(row.run_id)}
                cost = costs.get(row.run_id, {})
                known |= {k: cost.get(k) for k in ("wall_seconds", "peak_memory_gib")}
                lines.append(_line(row) | known)
    return lines


def columns_of(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    """The fixed columns, then those of the open maps that occur, by name."""
    fixed = [name for name in ROW_COLUMNS if not name.endswith("*")]
    maps = [name[:-1] for name in ROW_COLUMNS if name.endswith("*")]
    keys = sorted({key for line in lines for key in line})
    return [*fixed, *(key for m in maps for key in keys if key.startswith(m))]


def _line(row: Row) -> dict[str, Any]:
    return (
        {k: getattr(row, k) for k in PLAIN}
        | _prefixed("protocol", row.protocol)
        | _prefixed("hyperparameters", row.hyperparameters)
        | _prefixed("scores", row.scores)
        | _prefixed("details", row.details)
    )


def _prefixed(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{name}.{key}": value for key, value in values.items()}


def csv_text(columns: Sequence[str], lines: Iterable[Mapping[str, Any]]) -> str:
    """Lines as CSV; a column that a line lacks is empty."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for line in lines:
        writer.writerow({key: as_text(value) for key, value in line.items()})
    return buffer.getvalue()


def as_text(value: Any) -> str:
    """Shortest digits that read back the same; mappings as JSON."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, sort_keys=True, separators=(",", ":"))
    return str(value)
