"""Tables as CSV, with full digits: the rows themselves, and what was made of them."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.reporting.contenders import Group
from bench.reporting.summary import Table
from bench.reporting.sweep import Sweep
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
SUMMARY_COLUMNS = (
    "variant", "score", "direction", "n", "mean", "sd", "min", "max", "interval_low",
    "interval_high", "planned", "finished", "diverged", "failed", "unfinished",
)  # fmt: skip


def rows_csv(stages: Sequence[tuple[Sweep, Sequence[Group]]]) -> str:
    """Every row and the floors, one line each, in the order of stages, groups and plan."""
    lines = []
    for sweep, groups in stages:
        costs = {run.run_id: run.facts for run in sweep.runs}
        samples = {run.run_id: run.sample for run in sweep.runs}
        for group in groups:
            rows = [m.row for m in group.members if m.row is not None]
            lines += _lines(sweep.stage, group, rows, costs, samples)
    fixed = [name for name in ROW_COLUMNS if not name.endswith("*")]
    maps = [name[:-1] for name in ROW_COLUMNS if name.endswith("*")]
    keys = {key for line in lines for key in line}
    return _csv([*fixed, *(k for m in maps for k in sorted(keys) if k.startswith(m))], lines)


def _lines(
    stage: str,
    group: Group,
    rows: Sequence[Row],
    costs: Mapping[str, Mapping[str, Any]],
    samples: Mapping[str, int],
) -> list[dict[str, Any]]:
    lines = []
    for row in (*group.floor, *group.bias, *rows):
        cost = costs.get(row.run_id, {})
        plain = {k: getattr(row, k) for k in ROW_COLUMNS if hasattr(row, k)}
        lines.append(
            plain
            | {"group": group.slug, "stage": stage, "protocol_id": short_hash(row.protocol)}
            | {"sample": samples.get(row.run_id)}
            | {k: cost.get(k) for k in ("wall_seconds", "peak_memory_gib")}
            | _prefixed("protocol", row.protocol)
            | _prefixed("hyperparameters", row.hyperparameters)
            | _prefixed("scores", row.scores)
            | _prefixed("details", row.details)
        )
    return lines


def summary_csv(table: Table) -> str:
    """One line for each variant and score, in the table's order; those of real samples last."""
    lines = []
    cells = [(line.name, line.cells, line.contender.counts) for line in table.lines]
    real = [("real", table.floor, {}), ("real_halves", table.bias, {})]
    for name, scores, counts in [*cells, *real]:
        for metric, direction in table.group.metrics.items():
            line = {"variant": name, "score": metric, "direction": direction, "n": 0, **counts}
            cell = scores.get(metric)
            if cell is not None:
                low, high = cell.interval or (None, None)
                line |= {"n": cell.n, "mean": cell.mean, "sd": cell.sd}
                line |= {"min": cell.low, "max": cell.high}
                line |= {"interval_low": low, "interval_high": high}
            if counts or cell is not None:
                lines.append(line | ({"planned": sum(counts.values())} if counts else {}))
    return _csv(SUMMARY_COLUMNS, lines)


def _prefixed(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{name}.{key}": value for key, value in values.items()}


def _csv(columns: Sequence[str], lines: Iterable[Mapping[str, Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for line in lines:
        writer.writerow({key: _text(value) for key, value in line.items()})
    return buffer.getvalue()


def _text(value: Any) -> str:
    """Shortest digits that read back the same; mappings as JSON."""
    if value is None:
        return ""
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, sort_keys=True, separators=(",", ":"))
    return repr(value) if isinstance(value, float) else str(value)
