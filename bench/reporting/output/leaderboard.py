"""Build the leaderboard: the tables of a study as data that the page sorts and filters.

A board is one data set, stage, protocol and checkpoint, of conditional or of unconditional runs,
which have different protocols. The page shows one board and one score at a time, so that numbers
of different kinds are never in one order.
"""

import math
from collections.abc import Container, Sequence
from typing import Any

from bench.plotting.scales import log_ticks
from bench.reporting.analysis.chart_descriptions import describe_score_axis
from bench.reporting.tables import rounding
from bench.reporting.tables.comparisons import Comparison
from bench.reporting.tables.methods import DIRECTIONS
from bench.reporting.tables.published import is_study_method
from bench.reporting.tables.summary import Cell, Table, TableRow, median_fact
from bench.reporting.text import words
from bench.reporting.text.cells import real_baselines, runs_without_score

SortableText = tuple[float | None, str]  # the number a column sorts by, and the text it shows

COLUMNS = {
    "place": "#",
    "name": "variant",
    "mean": "mean",
    "interval": "95% interval",
    "sd": "sd",
    "low": "lowest",
    "high": "highest",
    "n": "runs",
    "diverged": "diverged",
    "group": "group",
    "seconds": "time",
}
NOTHING: SortableText = (None, rounding.DASH)


def build_boards(comparisons: Sequence[Comparison], opened: Container[str]) -> list[dict[str, Any]]:
    """Build all boards in the report's order, the main checkpoint of each comparison first.

    Args:
        opened: run_ids of the runs that the page holds; rows name these, and count the others.
    """
    return [build_board(c, table, opened) for c in comparisons for table in c.tables]


def build_board(comparison: Comparison, table: Table, opened: Container[str]) -> dict[str, Any]:
    """Build a table's board as the page's script reads it; see `build_boards`."""
    group, places = table.group, rounding.decimals_by_metric(table)
    cells = {m: _cells_by_name(table, m, p) for m, p in places.items()}
    order = "These means are over the configurations of a search; their order is not a ranking."
    if not comparison.stage.is_search:
        order = words.describe_ranking(table)
    return {
        "slug": group.slug,
        "table": f"{group.dataset}: {words.stage_title(comparison.stage)}",
        "protocol": f"{words.protocol_title(group)}, {group.checkpoint} checkpoint",
        "name": group.protocol["name"],
        "checkpoint": group.checkpoint,
        "note": f"{words.describe_samples(group)}, {group.protocol['extractor']} features",
        "unit": words.varying_factor(comparison.stage),
        "metrics": [
            {
                "name": metric,
                "title": words.metric_title(metric),
                "better": words.better_side(metric, direction),
                "direction": words.better_direction(metric, group),
                "target": target_score(table, metric),
                "axis": [
                    words.full_metric_title(metric, group),
                    words.better_direction(metric, group),
                ],
                "ticks": _ticks(table, metric),
                "places": places[metric],
                "order": order if metric == group.first else "",
            }
            for metric, direction in group.metrics.items()
        ],
        "lines": [
            {
                "name": row.name,
                "variant": row.method.variant,
                "study": is_study_method(row.method),
                "lost": runs_without_score(row.method),
                "facts": _facts(row, table),
                "cells": {m: cells[m][row.name] for m in cells if row.name in cells[m]},
                **_runs(row, opened),
            }
            for row in table.rows
        ],
        "floors": [
            {
                "name": name,
                "kind": kind,
                "cells": {m: _baseline_cell(real[m], p) for m, p in places.items() if m in real},
            }
            for name, kind, real in real_baselines(table)
        ],
    }


def target_score(table: Table, metric: str) -> float | None:
    """Return the real data's mean of a metric that is best there; None of other metrics."""
    real = table.real_baseline.get(metric)
    return _six_digits(real.mean) if real is not None and words.has_target(metric) else None


def sort_board_rows(board: dict[str, Any], metric: str) -> list[dict[str, Any]]:
    """Sort a board's rows by place in one metric; rows without a score keep their order, last."""
    return sorted(
        board["lines"],
        key=lambda row: row["cells"][metric]["place"][0] if metric in row["cells"] else math.inf,
    )


def _facts(row: TableRow, table: Table) -> dict[str, SortableText]:
    """Build the columns that do not depend on the metric."""
    seconds, diverged = median_fact(row.method, "wall_seconds"), row.method.counts["diverged"]
    return {
        "name": (None, row.name),
        "diverged": (diverged, str(diverged)),
        "seconds": NOTHING if seconds is None else (seconds, rounding.format_time(seconds)),
        "group": (None, table.ranking.letters.get(row.name, "")),
    }


def _runs(row: TableRow, opened: Container[str]) -> dict[str, Any]:
    """List the runs that can be opened, and count the others."""
    run_ids = [m.run.run_id for m in row.method.runs]
    openable = [run_id for run_id in run_ids if run_id in opened]
    return {"runs": openable, "more": len(run_ids) - len(openable)}


def _cells_by_name(table: Table, metric: str, places: int) -> dict[str, dict[str, Any]]:
    sign, target = DIRECTIONS[table.group.metrics[metric]], target_score(table, metric)
    scored = [row for row in table.rows if metric in row.cells]
    distance = (lambda x: sign * x) if target is None else (lambda x: abs(x - target))
    scored.sort(key=lambda row: distance(row.cells[metric].mean))
    return {
        row.name: {"place": (place, str(place)), **_cell(row.cells[metric], places)}
        for place, row in enumerate(scored, start=1)
    }


def _cell(cell: Cell, places: int) -> dict[str, Any]:
    interval = NOTHING
    if cell.interval is not None:
        low, high = cell.interval
        text = f"{rounding.format_number(low, places)} to {rounding.format_number(high, places)}"
        interval = (_six_digits(low), text)
    return {
        "mean": _sortable(cell.mean, places),
        "interval": interval,
        "bounds": tuple(_six_digits(bound) for bound in cell.interval or ()),
        "sd": NOTHING if cell.sd is None else _sortable(cell.sd, places),
        "low": _sortable(cell.low, places),
        "high": _sortable(cell.high, places),
        "n": (cell.n, str(cell.n)),
    }


def _baseline_cell(cell: Cell, places: int) -> SortableText:
    return _sortable(cell.mean, max(places, rounding.column_decimals([cell.mean])))


def _sortable(value: float, places: int) -> SortableText:
    return _six_digits(value), rounding.format_number(value, places)


def _ticks(table: Table, metric: str) -> list[float]:
    """Return the ticks of a logarithmic axis; none for a linear one."""
    axis = describe_score_axis(table, metric)
    return log_ticks(axis.low, axis.high) if axis is not None and axis.log else []


def _six_digits(value: float) -> float:
    """Round to six significant digits, enough to sort and to draw by."""
    return float(f"{value:.6g}")
