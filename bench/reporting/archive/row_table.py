"""Flatten rows into the records of one table: rows.csv and rows.parquet."""

import csv
import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from bench.reporting.data.records import StageRecord
from bench.reporting.tables.groups import group_rows
from bench.runs.identity import short_hash
from bench.runs.rows import LATER_GROUPS, Row

ROW_COLUMNS = {
    "group": "the table that the row stands in; rows of different groups are not comparable",
    "stage": 'of the sweep; "all" where it has none',
    "run_id": "the run's folder",
    "sample": "which configuration of its variant; 0 are its defaults",
    "variant": "what was trained",
    "loss": "entry of the config group",
    **dict.fromkeys(LATER_GROUPS, 'entry of the config group; "none" for rows older than it'),
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
    "protocol_id": "hash of protocol and measures, the run's own choices included",
    "protocol.*": "how the samples were made, and what they are compared with",
    "measures.*": "arguments and code of each measure, and its scores with the better side",
    "hyperparameters.*": "the config group of that name",
    "scores.*": "the scores; empty where there is none",
    "details.*": "beside the scores: spread over latent seeds, expected bias, opinions",
    "code.*": "hash of each file outside the package that trained the run",
}
PLAIN_COLUMNS = (
    "run_id", "variant", "loss", *LATER_GROUPS, "model", "network", "dataset", "seed", "status",
    "cause", "checkpoint", "d_steps", "g_steps", "images",
)  # fmt: skip
# What spreadsheets take for a formula; the last four are wide forms of the first four.
FORMULA = re.compile("'*[=+@\\-\t\r\n\uff1d\uff0b\uff20\uff0d]")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?(inf|nan)", re.IGNORECASE | re.ASCII)
JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
LINES: Any = csv.writer(SimpleNamespace(write=str))  # `writerow` returns the line
MAPPINGS = ("hyperparameters", "scores", "details", "code")  # fields with a column for each key


def flatten_rows(stages: Iterable[StageRecord]) -> list[dict[str, Any]]:
    """Return one record per row, real baselines included, in the order of stages, groups, plan."""
    records = []
    protocol_ids: dict[tuple[int, int], str] = {}
    kept = []  # rows whose parts have these ids: no other object takes them
    for stage in stages:
        facts = {run.run_id: {**run.facts, "sample": run.sample} for run in stage.runs}
        for group in group_rows(stage):
            for row in (*group.real_baseline, *group.split_half, *group.rows):
                key = id(row.protocol), id(row.measures)
                if key not in protocol_ids:
                    protocol_ids[key] = short_hash([row.protocol, row.measures])
                    kept.append(row)
                run_facts = facts.get(row.run_id, {})  # real samples have none
                shown = {k: run_facts.get(k) for k in ("sample", "wall_seconds", "peak_memory_gib")}
                place = {"group": group.slug, "stage": stage.stage}
                records.append(
                    _flatten_row(row) | place | shown | {"protocol_id": protocol_ids[key]}
                )
    return records


def list_columns(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """List the fixed columns, then those of the open mappings that occur, by name."""
    fixed = [name for name in ROW_COLUMNS if not name.endswith("*")]
    prefixes = [name[:-1] for name in ROW_COLUMNS if name.endswith("*")]
    keys = sorted({key for record in records for key in record})
    return [*fixed, *(key for prefix in prefixes for key in keys if key.startswith(prefix))]


def _flatten_row(row: Row) -> dict[str, Any]:
    record = {name: getattr(row, name) for name in PLAIN_COLUMNS}
    for name in ("protocol", "measures", *MAPPINGS):
        record |= {f"{name}.{key}": value for key, value in getattr(row, name).items()}
    return record


def unprefixed(name: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the mapping that a flat record holds under keys that begin with `name.`."""
    start = f"{name}."
    return {key.removeprefix(start): v for key, v in record.items() if key.startswith(start)}


def format_csv(columns: Sequence[str], records: Sequence[Mapping[str, Any]]) -> str:
    """Format records as CSV; a column that a record lacks is empty.

    A text that a spreadsheet would compute gets an apostrophe, see `escape_formula`.
    """
    table = [[record.get(column) for record in records] for column in columns]
    rows = zip(*map(_format_cells, table), strict=True)
    return "".join(map(_format_line, itertools.chain([map(escape_formula, columns)], rows)))


def format_column(values: Sequence[Any]) -> list[str]:
    """Return `format_exactly` of each value; an object that many rows share is formatted once."""
    objects = {id(value): value for value in values}
    texts = {key: format_exactly(value) for key, value in objects.items()}
    return [texts[id(value)] for value in values]


def _format_cells(values: Sequence[Any]) -> list[str]:
    texts = format_column(values)
    if any(isinstance(value, str) for value in values):  # nothing else can look like a formula
        escaped = {text: escape_formula(text) for text in set(texts)}
        return [escaped[text] for text in texts]
    return texts


def _format_line(cells: Iterable[str]) -> str:
    """Format a line that ends in a line feed; with it `csv` would not quote a carriage return."""
    return str(LINES.writerow(cells)).removesuffix("\r\n") + "\n"


def escape_formula(text: str) -> str:
    """Put an apostrophe before a text that begins as a formula does, unless it is a number.

    So do texts get one that begin with apostrophes and then so: `unescape_formula` undoes it.
    """
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def unescape_formula(text: str) -> str:
    """Return the text that `escape_formula` was given."""
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text


def format_exactly(value: Any) -> str:
    """Format a float with the shortest digits that read back equal, and a mapping as JSON."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, Mapping | list | tuple):
        return JSON.encode(value)
    return str(value)
