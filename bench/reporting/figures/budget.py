"""Draw the expected best score of all variants against the budget: the study's central figure."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from bench.plotting import labels, layout, scales
from bench.plotting.style import MUTED, Drawing, figure, render
from bench.reporting.analysis.budget_curves import BudgetCurve
from bench.reporting.analysis.chart_descriptions import CONFIGURATIONS
from bench.reporting.figures.figure import SEARCH, FigureSpec, SectionData
from bench.reporting.figures.shared_text import (
    axis_title,
    describe_untrained_estimate,
    selects_on_other_split,
)
from bench.reporting.text import words

UNTRUSTED_DASHES = (0, (2.2, 1.6))  # where no interval is drawn


def draw(section: SectionData) -> Drawing | None:
    """Draw every variant's mean in one panel; None where no search has two configurations."""
    group, chart = section.table.group, section.budget_chart
    if chart.largest < 2:
        return None
    names = labels.wrap_rows(c.variant for c in chart.curves)
    margins = layout.Margins(0.55, layout.text_width(names) + 0.25, 0.28, 0.48)
    gap = labels.row_height(names, 0.145)
    width, height = layout.figure_width(margins, 2.5), max(3.6, (gap + 0.015) * len(names) + 1.2)
    with figure(width, height, placed=True) as fig:
        (axes,) = layout.add_panels(fig, 1, 1, margins)
        set_scales(axes, chart.largest, chart.means, log=chart.log, max_ticks=8)
        ends = []
        for name, curve in zip(names, chart.curves, strict=True):
            colour, marker = chart.styles[curve.variant]
            draw_mean(axes, curve, colour, 1.5)
            marked = np.unique(np.geomspace(1, len(curve.ks), 5).round().astype(int)) - 1
            axes.plot(curve.ks[marked], curve.mean[marked], marker, color=colour,
                      markersize=4, clip_on=False, zorder=5)  # fmt: skip
            ends.append((float(curve.mean[-1]), name, colour))
        labels.label_line_ends(axes, ends, gap)
        axes.set_xlabel(CONFIGURATIONS)
        axes.set_title(axis_title(group, log=chart.log), color=MUTED)
        metric = words.metric_title(group.first)
        alt = f"Expected {metric} of what a search finds against its budget."
        return render(fig, f"{group.slug}-budget", alt)


def caption(section: SectionData) -> str:
    """Say what is expected, by which choice, and how far the lines can be trusted."""
    search, trusted = section.search, section.budget_chart.trusted
    selection = (
        "; the choice is by the score on another split than the one shown, so that a line may "
        "rise again where the choice is not the best on this split"
    ) * selects_on_other_split(search)
    return (
        f"Expected {words.metric_title(search.table.group.first)} of the configuration that a "
        "search of this many random configurations chooses: the exact mean over all ways to draw "
        f"them, without replacement, from the search that was made{selection}. A configuration "
        "that diverged uses up its place and counts as the untrained generator"
        f"{describe_untrained_estimate(search)}. Lines are solid up to {trusted} configurations, "
        "as far as a bootstrap interval can be trusted, and dashed beyond, where few "
        "configurations decide. Each configuration has one seed, so the choice is partly luck."
    )


def set_scales(
    axes: Any, largest: int, scores: Iterable[float], *, log: bool, max_ticks: int
) -> None:
    """Set both axes to hold budgets from 1 to the largest, and the scores."""
    scales.set_scale(axes.yaxis, scores, log=log, max_ticks=max_ticks)
    scales.set_scale(axes.xaxis, [1, largest], log=True, max_ticks=max_ticks)
    axes.set_xlim(1 / largest**0.02, largest)


def draw_mean(axes: Any, curve: BudgetCurve, colour: str, width: float) -> None:
    """Draw the mean solid as far as an interval is trusted, dashed beyond."""
    solid = curve.ks <= curve.trusted
    dashed = ~solid
    dashed[solid.sum() - 1] = True  # the two parts meet
    axes.plot(curve.ks[solid], curve.mean[solid], color=colour, linewidth=width, zorder=4)
    axes.plot(curve.ks[dashed], curve.mean[dashed], color=colour, linewidth=0.75 * width,
              linestyle=UNTRUSTED_DASHES, zorder=4)  # fmt: skip


FIGURE = FigureSpec(
    "Best score against budget", (SEARCH,), draw, caption, place=10,
    describe=lambda section: section.budget_chart,
)  # fmt: skip
