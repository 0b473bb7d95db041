"""Draw the best score against the budget in a panel for each variant: mean, median and band."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from bench.plotting import labels, layout, scales
from bench.plotting.style import ACCENT, INK, RULE, SECOND, Drawing, figure, render
from bench.reporting.analysis.budget_curves import BudgetCurve
from bench.reporting.analysis.chart_descriptions import CONFIGURATIONS
from bench.reporting.data.records import Curve
from bench.reporting.figures.budget import draw_mean, set_scales
from bench.reporting.figures.figure import SEARCH, FigureSpec, SectionData
from bench.reporting.figures.shared_text import axis_title
from bench.reporting.tables.summary import LEVEL, RESAMPLES
from bench.reporting.text import words

COLUMNS = 3


def draw(section: SectionData) -> Drawing | None:
    """Draw each variant with the others' means in grey; None where no search has two."""
    group, chart, curves = section.table.group, section.budget_chart, section.budget_chart.curves
    if chart.largest < 2:
        return None
    columns = min(COLUMNS, len(curves))
    n_rows = -(-len(curves) // columns)
    more = 0.13 * (labels.count_title_lines((c.variant for c in curves), columns) - 1)
    margins = layout.Margins(0.45, 0.1, 0.72 + more, 0.45)
    with figure(7.0, (1.25 + more) * n_rows + 0.85, placed=True) as fig:
        grid = layout.add_panels(fig, len(curves), columns, margins, (0.15, 0.3 + more))
        scores = np.concatenate([c.quantiles.ravel() for c in curves])
        log = scales.needs_log_axis(scores)
        set_scales(grid[0], chart.largest, scores, log=log, max_ticks=6)
        for axes, curve in zip(grid, curves, strict=True):
            draw_in_grey(axes, [(c.ks, c.mean) for c in curves])
            _draw_curve(axes, curve)
            labels.set_panel_title(axes, curve.variant, columns)
        for axes in grid[-columns:]:
            axes.set_xlabel(CONFIGURATIONS, labelpad=1.5)
        labels.add_heading(fig, axis_title(group, log=log))
        labels.add_legend(fig, _legend_marks(), columns=5)
        found = f"{words.metric_title(group.first)} of what a search finds against its budget"
        alt = f"{found}, for each variant: mean, median and band."
        return render(fig, f"{group.slug}-budgets", alt)


def caption(section: SectionData) -> str:
    """Say what the lines, the band, the strokes and the dots are."""
    trusted = section.budget_chart.trusted
    return (
        "Each variant's budget curve, with the means of the others in grey. Mean, median and the "
        "10 to 90 % quantile band of what single searches of that budget find; upright strokes are "
        f"{LEVEL:.0%} bootstrap intervals of the mean, up to {trusted} configurations. Dots show "
        f"the study's method, the mean of {RESAMPLES:,} searches drawn with replacement, which "
        "understates progress where the budget nears the number of configurations."
    )


def draw_in_grey(axes: Any, curves: Iterable[Curve]) -> None:
    """Draw curves as one grey path behind all else."""
    parts = ([np.append(axis, np.nan) for axis in axes] for axes in zip(*curves, strict=True))
    x, y = map(np.concatenate, parts)
    axes.plot(x, y, color=RULE, linewidth=0.8, zorder=1)


def _draw_curve(axes: Any, curve: BudgetCurve) -> None:
    low, median, high = curve.quantiles.T
    axes.fill_between(curve.ks, low, high, color=SECOND, alpha=0.16, linewidth=0, zorder=2)
    axes.plot(curve.ks, median, color=SECOND, linewidth=1.0, zorder=3)
    draw_mean(axes, curve, ACCENT, 1.4)
    scales.draw_points(axes, curve.ks, curve.resampled, colour=INK, size=1.9, alpha=0.7)
    bounds = curve.intervals
    gap = np.full(len(bounds), np.nan)
    bars = np.stack([bounds[:, 0], bounds[:, 1], gap], axis=1).ravel()
    x = np.repeat(curve.ks[: len(bounds)], 3)
    axes.plot(x, bars, color=ACCENT, linewidth=0.9, zorder=5)


def _legend_marks() -> list[tuple[Any, str]]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    stroke = Line2D([], [], color=ACCENT, marker="|", linestyle="", markersize=7)
    dot = Line2D([], [], color=INK, marker=".", linestyle="", markersize=3)
    return [
        (Line2D([], [], color=ACCENT, linewidth=1.4), "mean"),
        (Line2D([], [], color=SECOND, linewidth=1.0), "median"),
        (Patch(color=SECOND, alpha=0.16, linewidth=0), "10 to 90 %"),
        (stroke, "interval of the mean"),
        (dot, f"{RESAMPLES:,} resamples, with replacement"),
    ]


FIGURE = FigureSpec("Budget, variant by variant", (SEARCH,), draw, caption, place=20)
