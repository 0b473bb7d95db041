"""What a search of k configurations finds, against k: the study's central figure.

Lucic et al. 2018 (arXiv:1711.10337), figure 5. The expected best of k out of n, drawn without
replacement, is sum_i C(n - i, k - 1) / C(n, k) s_(i), with scores in the order of selection.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.reporting import rounding, words
from bench.reporting.charts.look import DASHES, MUTED, SERIES, line, log_ticks
from bench.reporting.search import Search, Searched

HEIGHT, LABEL = 340, 16  # pixels of the chart, and of a line of text
LOG_RATIO = 10.0  # largest over smallest from which on the axis is logarithmic
SHOWN = (1, 2, 5, 10, 20, 50, 100)  # budgets of the table beside the chart


@dataclass(frozen=True)
class Curve:
    """Expected score of the configuration that a search of each budget would choose, [K]."""

    variant: str
    budgets: tuple[int, ...]
    expected: tuple[float, ...]


def curves_of(search: Search) -> list[Curve]:
    """Of each variant of which a configuration ended, in the search's order."""
    return [_curve(one) for one in search.variants if one.configs]


def _curve(searched: Searched) -> Curve:
    order = sorted(range(len(searched.configs)), key=lambda i: (searched.selection[i], i))
    scores = [searched.sign * searched.costs[i] for i in order]
    n = len(scores)
    budgets = tuple(range(1, n + 1))
    expected = tuple(
        sum(math.comb(n - 1 - i, k - 1) * s for i, s in enumerate(scores)) / math.comb(n, k)
        for k in budgets
    )
    return Curve(searched.variant, budgets, expected)


def table_of(search: Search, curves: Sequence[Curve]) -> tuple[list[int], dict[str, list[str]]]:
    """Budgets, and variant -> expected score at each as text."""
    most = max((c.budgets[-1] for c in curves), default=0)
    budgets = [k for k in SHOWN if k < most] + ([most] if most else [])
    places = rounding.decimals(value for curve in curves for value in curve.expected)
    lines = {}
    for curve in curves:
        known = dict(zip(curve.budgets, curve.expected, strict=True))
        lines[curve.variant] = [
            rounding.number(known[k], places) if k in known else rounding.DASH for k in budgets
        ]
    return budgets, lines


def budget(search: Search, curves: Sequence[Curve]) -> dict[str, Any]:
    """The specification with its numbers."""
    group = search.table.group
    values = [value for curve in curves for value in curve.expected]
    low, high = min(values, default=0.0), max(values, default=0.0)
    log = low > 0 and high > LOG_RATIO * low
    ends = _ends(curves, low, high, log=log)
    high = max([high, *(end["value"] for end in ends)])
    names = [curve.variant for curve in curves]
    title = f"{words.title(group.first)}, {words.better(group.first, group)}"
    return {
        "width": "container",
        "height": HEIGHT,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "datasets": {"curves": _points(curves, group.first), "ends": ends},
        "encoding": {
            "x": {
                "field": "k",
                "type": "quantitative",
                "scale": {"nice": False, "zero": False},
                "axis": {"title": "configurations tried", "grid": False, "tickMinStep": 1},
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "scale": {"type": "log" if log else "linear", "domain": [low, high], "nice": False},
                "axis": {
                    "title": title + (", logarithmic" if log else ""),
                    "format": ",~r",
                    **({"values": log_ticks(low, high)} if log else {"tickCount": 5}),
                    "gridOpacity": 0.6,
                    "domain": False,
                },
            },
            "color": _by_variant(names, SERIES),
        },
        "layer": [_lines(names), _dots(), _labels()],
    }


def _by_variant(names: Sequence[str], looks: Sequence[Any], each: int = 1) -> dict[str, Any]:
    chosen = [looks[i // each % len(looks)] for i in range(len(names))]
    scale = {"domain": list(names), "range": chosen}
    return {"field": "variant", "type": "nominal", "legend": None, "scale": scale}


def _lines(names: Sequence[str]) -> dict[str, Any]:
    dashes = _by_variant(names, DASHES, len(SERIES))
    return {
        "data": {"name": "curves"},
        "mark": {"type": "line", "strokeWidth": 2, "interpolate": "monotone"},
        "encoding": {"strokeDash": dashes},
    }


def _dots() -> dict[str, Any]:
    """Small dots that are easy to hit: a wide transparent edge belongs to them."""
    said = [line(" ", "variant"), line("configurations", "k"), line("expected", "text")]
    return {
        "data": {"name": "curves"},
        "mark": {
            "type": "circle",
            "size": 22,
            "opacity": 1,
            "stroke": "transparent",
            "strokeWidth": 10,
        },
        "encoding": {"tooltip": said},
    }


def _labels() -> dict[str, Any]:
    return {
        "data": {"name": "ends"},
        "mark": {"type": "text", "align": "left", "dx": 8, "fontSize": 12, "color": MUTED},
        "encoding": {"text": {"field": "variant"}},
    }


def _points(curves: Sequence[Curve], metric: str) -> list[dict[str, Any]]:
    places = rounding.decimals(v for curve in curves for v in curve.expected)
    return [
        {
            "variant": curve.variant,
            "k": k,
            "value": float(f"{value:.6g}"),
            "text": f"{words.title(metric)} {rounding.number(value, places)}",
        }
        for curve in curves
        for k, value in zip(curve.budgets, curve.expected, strict=True)
    ]


def _ends(curves: Sequence[Curve], low: float, high: float, *, log: bool) -> list[dict[str, Any]]:
    """Names at the curves' ends, pushed up where they would lie upon each other."""
    turn, back = (math.log, math.exp) if log else (float, float)
    gap = (turn(high) - turn(low)) * LABEL / HEIGHT if curves else 0.0
    ends, last = [], -math.inf
    for curve in sorted(curves, key=lambda c: c.expected[-1]):
        last = max(turn(curve.expected[-1]), last + gap)
        ends.append(
            {"variant": curve.variant, "k": curve.budgets[-1], "value": float(f"{back(last):.6g}")}
        )
    return ends
