"""Specify the chart of the best score against the budget, the study's central figure.

Lucic et al. 2018 (arXiv:1711.10337), section 6.1; the numbers are those of `budget_curves`.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bench.plotting.scales import log_ticks, needs_log_axis
from bench.plotting.style import VARIABLES, MethodStyle
from bench.reporting.analysis.budget_curves import BudgetCurve
from bench.reporting.charts.theme import INK, tooltip_line
from bench.reporting.tables import rounding
from bench.reporting.tables.search import Search
from bench.reporting.text import words

HEIGHT, LINE_HEIGHT = 360, 16  # pixels of the chart, and of a line of text
TABLE_BUDGETS = (1, 2, 5, 10, 20, 50, 100)  # budgets of the table beside the chart


def budget_table(curves: Sequence[BudgetCurve]) -> tuple[list[int], dict[str, list[str]]]:
    """Return budgets, and variant -> expected score at each as text."""
    largest = max((int(c.ks[-1]) for c in curves), default=0)
    ks = [k for k in TABLE_BUDGETS if k < largest] + ([largest] if largest else [])
    places = _decimals(curves)
    rows = {}
    for curve in curves:
        means = dict(zip(curve.ks.tolist(), curve.mean.tolist(), strict=True))
        rows[curve.variant] = [
            rounding.format_number(means[k], places) if k in means else rounding.DASH for k in ks
        ]
    return ks, rows


def budget_chart(
    search: Search, curves: Sequence[BudgetCurve], styles: Mapping[str, MethodStyle]
) -> dict[str, Any]:
    """Specify the chart with its numbers."""
    values = [value for c in curves for value in c.mean.tolist()]
    low, high = min(values, default=0.0), max(values, default=1.0)
    log = needs_log_axis(values)
    ends = _ends(curves, low, high, log=log)
    high = max([high, *(end["value"] for end in ends)])
    largest = max((int(c.ks[-1]) for c in curves), default=1)
    return {
        "width": "container",
        "height": HEIGHT,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": {"left": 0, "right": 4, "top": 10, "bottom": 0},
        "datasets": {"budgets": _points(curves), "ends": ends},
        "encoding": {
            "x": _x_axis(largest),
            "y": _y_axis(search, low, high, log=log),
            "color": {
                "field": "variant",
                "type": "nominal",
                "legend": None,
                "scale": {
                    "domain": [c.variant for c in curves],
                    "range": [VARIABLES[styles[c.variant].colour] for c in curves],
                },
            },
        },
        "layer": [_lines("datum.trusted"), _lines("datum.beyond", [4, 3]), _dots(), *_labels()],
    }


def _x_axis(largest: int) -> dict[str, Any]:
    return {
        "field": "k",
        "type": "quantitative",
        "scale": {"type": "log", "domain": [1, max(largest, 2)], "nice": False},
        "axis": {
            "title": "configurations tried, logarithmic",
            "grid": False,
            "values": log_ticks(1, max(largest, 2), 8),
            "format": ",~r",
        },
    }


def _y_axis(search: Search, low: float, high: float, *, log: bool) -> dict[str, Any]:
    group = search.table.group
    better = words.better_direction(group.first, group) + (", logarithmic" if log else "")
    return {
        "field": "value",
        "type": "quantitative",
        "scale": {"type": "log" if log else "linear", "domain": [low, high], "nice": False},
        "axis": {
            "title": f"{words.metric_title(group.first)}, {better}",
            "format": ",~r",
            **({"values": log_ticks(low, high)} if log else {"tickCount": 5}),
            "gridOpacity": 0.6,
            "domain": False,
        },
    }


def _lines(filter_: str, dash: Sequence[int] = (1, 0)) -> dict[str, Any]:
    """Specify lines for the points that a filter keeps: solid where trusted, dashed beyond."""
    return {
        "data": {"name": "budgets"},
        "transform": [{"filter": filter_}],
        "mark": {"type": "line", "strokeWidth": 2, "strokeDash": list(dash)},
    }


def _dots() -> dict[str, Any]:
    """Specify small dots that are easy to hit, for a wide transparent edge belongs to them."""
    edge = {"stroke": "transparent", "strokeWidth": 10}
    return {
        "data": {"name": "budgets"},
        "mark": {"type": "circle", "size": 22, "opacity": 1, **edge},
        "encoding": {
            "tooltip": [
                tooltip_line(" ", "variant"),
                tooltip_line("configurations tried", "k"),
                tooltip_line("expected score", "text"),
                tooltip_line("10 to 90% of searches", "band"),
            ]
        },
    }


def _labels() -> list[dict[str, Any]]:
    """Specify names beside the curves: in ink, as hues are too pale to read, after a hued dot."""
    data = {"data": {"name": "ends"}}
    return [
        {**data, "mark": {"type": "circle", "size": 46, "opacity": 1, "xOffset": 14}},
        {
            **data,
            "mark": {"type": "text", "align": "left", "dx": 22, "fontSize": 12},
            "encoding": {"text": {"field": "variant"}, "color": {"value": INK}},
        },
    ]


def _points(curves: Sequence[BudgetCurve]) -> list[dict[str, Any]]:
    places = _decimals(curves)
    return [
        {
            "variant": c.variant,
            "k": k,
            "value": float(f"{value:.6g}"),
            "trusted": k <= c.trusted,
            "beyond": k >= c.trusted,
            "text": rounding.format_number(value, places),
            "band": " to ".join(
                rounding.format_number(end, places) for end in (tails[0], tails[-1])
            ),
        }
        for c in curves
        for k, value, tails in zip(
            c.ks.tolist(), c.mean.tolist(), c.quantiles.tolist(), strict=True
        )
    ]


def _ends(
    curves: Sequence[BudgetCurve], low: float, high: float, *, log: bool
) -> list[dict[str, Any]]:
    """Place names at the curves' ends, pushed up where they would overlap."""
    forward, backward = (math.log, math.exp) if log else (float, float)
    gap = (forward(high) - forward(low)) * LINE_HEIGHT / HEIGHT if curves else 0.0
    ends, last = [], -math.inf
    for c in sorted(curves, key=lambda c: float(c.mean[-1])):
        last = max(forward(float(c.mean[-1])), last + gap)
        ends.append(
            {"variant": c.variant, "k": int(c.ks[-1]), "value": float(f"{backward(last):.6g}")}
        )
    return ends


def _decimals(curves: Sequence[BudgetCurve]) -> int:
    return rounding.column_decimals(value for c in curves for value in c.mean.tolist())
