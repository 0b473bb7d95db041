"""Specify the chart of the best score against the budget, the study's central figure.

Lucic et al. 2018 (arXiv:1711.10337), section 6.1; the numbers are those of `budget_curves`.
"""

import math
from typing import Any

from bench.plotting.scales import log_ticks
from bench.plotting.style import VARIABLES
from bench.reporting.analysis.chart_descriptions import CONFIGURATIONS, BudgetChart
from bench.reporting.charts.theme import INK, chart, layer, number, tooltip
from bench.reporting.tables import rounding

HEIGHT, LINE_HEIGHT = 360, 16  # pixels of the chart, and of a line of text
TABLE_BUDGETS = (1, 2, 5, 10, 20, 50, 100)  # budgets of the table beside the chart


def budget_table(budget: BudgetChart) -> tuple[list[int], dict[str, list[str]]]:
    """Return budgets, and variant -> expected score at each as text."""
    ks = [k for k in TABLE_BUDGETS if k < budget.largest] + [budget.largest]
    rows = {}
    for curve in budget.curves:
        means = dict(zip(curve.ks.tolist(), curve.mean.tolist(), strict=True))
        texts = {k: rounding.format_number(mean, budget.decimals) for k, mean in means.items()}
        rows[curve.variant] = [texts.get(k, rounding.DASH) for k in ks]
    return ks, rows


def budget_chart(budget: BudgetChart) -> dict[str, Any]:
    """Specify the chart with its numbers."""
    ends, curves = _ends(budget), budget.curves
    low, high = min(budget.means), max([*budget.means, *(end["value"] for end in ends)])
    ticks = {"values": log_ticks(low, high)} if budget.log else {"tickCount": 5}
    x_ticks = {"values": log_ticks(1, budget.largest, 8), "format": ",~r"}
    x_axis = {"title": CONFIGURATIONS, "grid": False, **x_ticks}
    title = budget.title + (", logarithmic" if budget.log else "")
    y_axis = {"title": title, "format": ",~r", **ticks, "gridOpacity": 0.6, "domain": False}
    scale = {"type": "log" if budget.log else "linear", "domain": [low, high], "nice": False}
    x_scale = {"type": "log", "domain": [1, budget.largest], "nice": False}
    hues = [VARIABLES[budget.styles[c.variant].colour] for c in curves]
    return chart(
        HEIGHT,
        padding={"left": 0, "right": 4, "top": 10, "bottom": 0},
        datasets={"budgets": _points(budget), "ends": ends},
        encoding={
            "x": number("k", scale=x_scale, axis=x_axis),
            "y": number("value", scale=scale, axis=y_axis),
            "color": {
                "field": "variant",
                "type": "nominal",
                "legend": None,
                "scale": {"domain": [c.variant for c in curves], "range": hues},
            },
        },
        layer=_layers(),
    )


def _layers() -> list[dict[str, Any]]:
    """Specify lines, dots that are easy to hit, and names at the ends in ink, each with its hue."""
    texts = tooltip(
        variant=" ", k="configurations tried", text="expected score", band="10 to 90% of searches"
    )
    name = {"text": {"field": "variant"}, "color": {"value": INK}}  # hues are too pale to read
    return [
        layer("budgets", "line", where="datum.trusted", strokeWidth=2, strokeDash=[1, 0]),
        layer("budgets", "line", where="datum.beyond", strokeWidth=2, strokeDash=[4, 3]),
        layer("budgets", "circle", encoding={"tooltip": texts}, size=22, opacity=1,
              stroke="transparent", strokeWidth=10),  # the wide edge belongs to the dot
        layer("ends", "circle", size=46, opacity=1, xOffset=14),
        layer("ends", "text", encoding=name, align="left", dx=22, fontSize=12),
    ]  # fmt: skip


def _points(budget: BudgetChart) -> list[dict[str, Any]]:
    def text(value: float) -> str:
        return rounding.format_number(value, budget.decimals)

    return [
        {
            "variant": c.variant,
            "k": k,
            "value": float(f"{value:.6g}"),
            "trusted": k <= c.trusted,
            "beyond": k >= c.trusted,
            "text": text(value),
            "band": f"{text(tails[0])} to {text(tails[-1])}",
        }
        for c in budget.curves
        for k, value, tails in zip(
            c.ks.tolist(), c.mean.tolist(), c.quantiles.tolist(), strict=True
        )
    ]


def _ends(budget: BudgetChart) -> list[dict[str, Any]]:
    """Place names at the curves' ends, pushed up where they would overlap."""
    forward, backward = (math.log, math.exp) if budget.log else (float, float)
    gap = (forward(max(budget.means)) - forward(min(budget.means))) * LINE_HEIGHT / HEIGHT
    ends, last = [], -math.inf
    for c in sorted(budget.curves, key=lambda c: float(c.mean[-1])):
        last = max(forward(float(c.mean[-1])), last + gap)
        ends.append(
            {"variant": c.variant, "k": int(c.ks[-1]), "value": float(f"{backward(last):.6g}")}
        )
    return ends
