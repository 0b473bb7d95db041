"""The leaderboard: the tables of a study, each with its scores, as the page sorts and filters them.

A board is one data set, stage, protocol and checkpoint. The page shows one board and one score at
a time, so that numbers of different kinds are never in one order.
"""

import math
from collections.abc import Collection, Sequence
from typing import Any

from bench.plotting.scales import is_long, log_ticks
from bench.reporting.tables import rounding
from bench.reporting.tables.comparisons import Comparison
from bench.reporting.tables.published import study
from bench.reporting.tables.summary import Cell, Table, TableRow, middle
from bench.reporting.text import words
from bench.reporting.text.cells import floors, lost_runs

Shown = tuple[float | None, str]  # what a column sorts by, and what it says

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
    "seconds": "seconds",
}
NOTHING: Shown = (None, rounding.DASH)


def boards_of(comparisons: Sequence[Comparison], opened: Collection[str]) -> list[dict[str, Any]]:
    """All boards in the report's order, the main checkpoint of each comparison first.

    Args:
        opened: runs that the page holds; lines name these, and count the others.
    """
    return [board_of(c, table, opened) for c in comparisons for table in c.tables]


def board_of(comparison: Comparison, table: Table, opened: Collection[str]) -> dict[str, Any]:
    """A table as the page's script reads it."""
    group, places = table.group, rounding.places_of(table)
    cells = {m: _cells(table, m, p) for m, p in places.items()}
    return {
        "slug": group.slug,
        "table": f"{group.dataset}: {words.stage_title(comparison.stage)}",
        "protocol": f"{group.protocol['name']}, {group.checkpoint} checkpoint",
        "name": group.protocol["name"],
        "checkpoint": group.checkpoint,
        "note": f"{words.comparison(group)}, {group.protocol['extractor']} features",
        "unit": words.unit(comparison.stage),
        "metrics": [
            {
                "name": metric,
                "title": words.title(metric),
                "better": direction,
                "axis": [words.full_title(metric, group), words.better(metric, group)],
                "ticks": _ticks(table, metric),
                "places": places[metric],
                "order": _order(comparison, table) if metric == group.first else "",
            }
            for metric, direction in group.metrics.items()
        ],
        "lines": [
            {
                "name": line.name,
                "variant": line.contender.variant,
                "study": line.contender.variant in study(),
                "lost": lost_runs(line.contender),
                "facts": _facts(line, table),
                "cells": {m: cells[m][line.name] for m in cells if line.name in cells[m]},
                **_runs(line, opened),
            }
            for line in table.lines
        ],
        "floors": [
            {
                "name": name,
                "kind": kind,
                "cells": {m: _floor(cell, places[m]) for m, cell in found.items() if m in places},
            }
            for name, kind, found in floors(table)
        ],
    }


def _order(comparison: Comparison, table: Table) -> str:
    """What the order by the first score is worth."""
    if comparison.stage.searches:
        return "Means over the configurations of a search are no ranking."
    return words.verdict(table)


def order_of(board: dict[str, Any], metric: str) -> list[dict[str, Any]]:
    """Lines of a board by place in one score; those without a score last, as the table has them."""
    return sorted(
        board["lines"],
        key=lambda line: line["cells"][metric]["place"][0] if metric in line["cells"] else math.inf,
    )


def _facts(line: TableRow, table: Table) -> dict[str, Shown]:
    """What does not depend on the score."""
    seconds, diverged = middle(line.contender, "wall_seconds"), line.contender.counts["diverged"]
    return {
        "name": (None, line.name),
        "diverged": (diverged, str(diverged)),
        "seconds": NOTHING if seconds is None else (seconds, rounding.fact(seconds, 1)),
        "group": (None, table.verdict.letters.get(line.name, "")),
    }


def _runs(line: TableRow, opened: Collection[str]) -> dict[str, Any]:
    """Those that can be opened, and how many more there are."""
    ids = [member.run.run_id for member in line.contender.members]
    held = [run_id for run_id in ids if run_id in opened]
    return {"runs": held, "more": len(ids) - len(held)}


def _cells(table: Table, metric: str, places: int) -> dict[str, dict[str, Any]]:
    sign = 1 if table.group.metrics[metric] == "lower" else -1
    scored = [line for line in table.lines if metric in line.cells]
    scored.sort(key=lambda line: sign * line.cells[metric].mean)
    return {
        line.name: {"place": (place, str(place)), **_cell(line.cells[metric], places)}
        for place, line in enumerate(scored, start=1)
    }


def _cell(cell: Cell, places: int) -> dict[str, Any]:
    def shown(value: float | None) -> Shown:
        return NOTHING if value is None else (_exact(value), rounding.number(value, places))

    interval = NOTHING
    if cell.interval is not None:
        low, high = cell.interval
        said = f"{rounding.number(low, places)} to {rounding.number(high, places)}"
        interval = (_exact(low), said)
    return {
        "mean": shown(cell.mean),
        "interval": interval,
        "bounds": tuple(_exact(bound) for bound in cell.interval or ()),
        "sd": shown(cell.sd),
        "low": shown(cell.low),
        "high": shown(cell.high),
        "n": (cell.n, str(cell.n)),
    }


def _floor(cell: Cell, places: int) -> Shown:
    return _exact(cell.mean), rounding.number(
        cell.mean, max(places, rounding.decimals([cell.mean]))
    )


def _ticks(table: Table, metric: str) -> list[float]:
    """Of a logarithmic axis, where the static plots have one too; else none."""
    cells = [line.cells[metric] for line in table.lines if metric in line.cells]
    shown = [*cells, *([table.floor[metric]] if metric in table.floor else [])]
    low, high = min((c.low for c in shown), default=0), max((c.high for c in shown), default=0)
    if not cells or low <= 0 or not is_long(c.mean for c in shown):
        return []
    return log_ticks(low, high)


def _exact(value: float) -> float:
    """Enough digits to sort and to draw by."""
    return float(f"{value:.6g}")
