"""Describe the charts that stand both on paper and on the page: numbers, bounds, words, colours.

`bench.reporting.figures` draws them with matplotlib, `bench.reporting.charts` with Vega-Lite.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bench.plotting.scales import needs_log_axis
from bench.plotting.style import MethodStyle
from bench.reporting.analysis.budget_curves import BudgetCurve, compute_budget_curves
from bench.reporting.tables import rounding
from bench.reporting.tables.search import Search
from bench.reporting.tables.summary import Table
from bench.reporting.text import words

CONFIGURATIONS = "configurations tried, logarithmic"  # title of the budget's axis


@dataclass(frozen=True)
class BudgetChart:
    """Hold the expected score of every variant's choice against the budget of its search.

    Args:
        curves: one for each variant.
        styles: variant -> colour and marker.
        title: the score and its better side.
        means: expected scores of all variants at all budgets.
        log: whether the axis of scores is logarithmic.
        decimals: of the scores as text.
        largest, trusted: largest budget, and the largest whose interval is drawn.
    """

    curves: Sequence[BudgetCurve]
    styles: Mapping[str, MethodStyle]
    title: str
    means: Sequence[float]
    log: bool
    decimals: int
    largest: int
    trusted: int


def describe_budget(search: Search, styles: Mapping[str, MethodStyle]) -> BudgetChart:
    """Describe the chart of a search: the study's central figure."""
    group, curves = search.table.group, compute_budget_curves(search)
    means = [mean for curve in curves for mean in curve.mean.tolist()]
    return BudgetChart(
        curves,
        styles,
        title=f"{words.metric_title(group.first)}, {words.better_direction(group.first, group)}",
        means=means,
        log=needs_log_axis(means),
        decimals=rounding.column_decimals(means),
        largest=max((int(curve.ks[-1]) for curve in curves), default=0),
        trusted=max((curve.trusted for curve in curves), default=1),
    )


class ScoreAxis(NamedTuple):
    """Lowest and highest score of an axis, and whether it is logarithmic."""

    low: float
    high: float
    log: bool


def describe_score_axis(table: Table, metric: str) -> ScoreAxis | None:
    """Return the axis that holds the scores of all runs and real samples; None without any."""
    baseline = table.real_baseline.get(metric)
    cells = [row.cells[metric] for row in table.rows if metric in row.cells]
    shown = cells if baseline is None else [*cells, baseline]
    if not shown:
        return None
    low, high = min(c.low for c in shown), max(c.high for c in shown)
    return ScoreAxis(low, high, bool(cells) and low > 0 and needs_log_axis(c.mean for c in shown))
