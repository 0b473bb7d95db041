"""What a search of k configurations finds, against k: the study's central figure, to point at.

Lucic et al. 2018 (arXiv:1711.10337), section 6.1; the numbers are `analysis.budgets`'.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bench.plotting.scales import is_long, log_ticks
from bench.plotting.style import VARIABLES, Look
from bench.reporting.analysis.budgets import Budget
from bench.reporting.charts.look import INK, line
from bench.reporting.tables import rounding
from bench.reporting.tables.search import Search
from bench.reporting.text import words

HEIGHT, LABEL = 360, 16  # pixels of the chart, and of a line of text
SHOWN = (1, 2, 5, 10, 20, 50, 100)  # budgets of the table beside the chart


def table_of(budgets: Sequence[Budget]) -> tuple[list[int], dict[str, list[str]]]:
    """Budgets, and variant -> expected score at each as text."""
    most = max((int(b.ks[-1]) for b in budgets), default=0)
    ks = [k for k in SHOWN if k < most] + ([most] if most else [])
    places = _places(budgets)
    lines = {}
    for budget in budgets:
        known = dict(zip(budget.ks.tolist(), budget.mean.tolist(), strict=True))
        lines[budget.variant] = [
            rounding.number(known[k], places) if k in known else rounding.DASH for k in ks
        ]
    return ks, lines


def budget(search: Search, budgets: Sequence[Budget], looks: Mapping[str, Look]) -> dict[str, Any]:
    """The specification with its numbers."""
    values = [value for b in budgets for value in b.mean.tolist()]
    low, high = min(values, default=0.0), max(values, default=1.0)
    log = is_long(values)
    ends = _ends(budgets, low, high, log=log)
    high = max([high, *(end["value"] for end in ends)])
    most = max((int(b.ks[-1]) for b in budgets), default=1)
    return {
        "width": "container",
        "height": HEIGHT,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": {"left": 0, "right": 4, "top": 10, "bottom": 0},
        "datasets": {"budgets": _points(budgets), "ends": ends},
        "encoding": {
            "x": _x(most),
            "y": _y(search, low, high, log=log),
            "color": {
                "field": "variant",
                "type": "nominal",
                "legend": None,
                "scale": {
                    "domain": [b.variant for b in budgets],
                    "range": [VARIABLES[looks[b.variant].colour] for b in budgets],
                },
            },
        },
        "layer": [_lines("datum.trusted"), _lines("datum.beyond", [4, 3]), _dots(), *_labels()],
    }


def _x(most: int) -> dict[str, Any]:
    return {
        "field": "k",
        "type": "quantitative",
        "scale": {"type": "log", "domain": [1, max(most, 2)], "nice": False},
        "axis": {
            "title": "configurations tried, logarithmic",
            "grid": False,
            "values": log_ticks(1, max(most, 2), 8),
            "format": ",~r",
        },
    }


def _y(search: Search, low: float, high: float, *, log: bool) -> dict[str, Any]:
    group = search.table.group
    better = words.better(group.first, group) + (", logarithmic" if log else "")
    return {
        "field": "value",
        "type": "quantitative",
        "scale": {"type": "log" if log else "linear", "domain": [low, high], "nice": False},
        "axis": {
            "title": f"{words.title(group.first)}, {better}",
            "format": ",~r",
            **({"values": log_ticks(low, high)} if log else {"tickCount": 5}),
            "gridOpacity": 0.6,
            "domain": False,
        },
    }


def _lines(which: str, dash: Sequence[int] = (1, 0)) -> dict[str, Any]:
    """Solid as far as an interval is trusted, dashed beyond."""
    return {
        "data": {"name": "budgets"},
        "transform": [{"filter": which}],
        "mark": {"type": "line", "strokeWidth": 2, "strokeDash": list(dash)},
    }


def _dots() -> dict[str, Any]:
    """Small dots that are easy to hit: a wide transparent edge belongs to them."""
    wide = {"stroke": "transparent", "strokeWidth": 10}
    return {
        "data": {"name": "budgets"},
        "mark": {"type": "circle", "size": 22, "opacity": 1, **wide},
        "encoding": {
            "tooltip": [
                line(" ", "variant"),
                line("configurations tried", "k"),
                line("expected score", "text"),
                line("10 to 90% of searches", "band"),
            ]
        },
    }


def _labels() -> list[dict[str, Any]]:
    """Names beside the curves, in ink, for hues are too pale to read; each after its hue."""
    data = {"data": {"name": "ends"}}
    return [
        {**data, "mark": {"type": "circle", "size": 46, "opacity": 1, "xOffset": 14}},
        {
            **data,
            "mark": {"type": "text", "align": "left", "dx": 22, "fontSize": 12},
            "encoding": {"text": {"field": "variant"}, "color": {"value": INK}},
        },
    ]


def _points(budgets: Sequence[Budget]) -> list[dict[str, Any]]:
    places = _places(budgets)
    return [
        {
            "variant": b.variant,
            "k": k,
            "value": float(f"{value:.6g}"),
            "trusted": k <= b.trusted,
            "beyond": k >= b.trusted,
            "text": rounding.number(value, places),
            "band": " to ".join(rounding.number(end, places) for end in (tails[0], tails[-1])),
        }
        for b in budgets
        for k, value, tails in zip(
            b.ks.tolist(), b.mean.tolist(), b.quantiles.tolist(), strict=True
        )
    ]


def _ends(budgets: Sequence[Budget], low: float, high: float, *, log: bool) -> list[dict[str, Any]]:
    """Places of names at the curves' ends, pushed up where they would lie upon each other."""
    turn, back = (math.log, math.exp) if log else (float, float)
    gap = (turn(high) - turn(low)) * LABEL / HEIGHT if budgets else 0.0
    ends, last = [], -math.inf
    for b in sorted(budgets, key=lambda b: float(b.mean[-1])):
        last = max(turn(float(b.mean[-1])), last + gap)
        ends.append({"variant": b.variant, "k": int(b.ks[-1]), "value": float(f"{back(last):.6g}")})
    return ends


def _places(budgets: Sequence[Budget]) -> int:
    return rounding.decimals(value for b in budgets for value in b.mean.tolist())
