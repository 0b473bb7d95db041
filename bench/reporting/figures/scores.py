"""Draw a table's first metric as dots: every seed's score, their mean, and real samples' score."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from bench.plotting import labels, layout, scales
from bench.plotting.style import ACCENT, INK, SECOND, Drawing, figure, render
from bench.reporting.analysis.chart_descriptions import describe_score_axis
from bench.reporting.figures.figure import SEEDS, UNSCORED_SEARCH, FigureSpec, SectionData
from bench.reporting.figures.shared_text import axis_title
from bench.reporting.tables import rounding
from bench.reporting.tables.summary import Table
from bench.reporting.text import words
from bench.reporting.text.cells import runs_without_score


def draw(section: SectionData, *, narrow: bool = False) -> Drawing:
    """Draw one line a method, in the table's order; narrow for a telephone, on the page only."""
    table = section.table
    group, metric = table.group, table.group.first
    names = labels.wrap_rows(row.name for row in table.rows)
    unscored = [runs_without_score(row.method) for row in table.rows]
    margins = row_margins(names, unscored, gap=0.2, top=0.25, narrow=narrow)
    width = max(3.6 if narrow else 7.0, margins.left + margins.right + (1.5 if narrow else 3.0))
    height = labels.row_height(names, 0.25) * len(names) + margins.top + margins.bottom
    with figure(width, height, placed=True) as fig:
        (axes,) = layout.add_panels(fig, 1, 1, margins)
        log = draw_dots(axes, table, metric, max_ticks=5 if narrow else 9)
        labels.label_rows(axes, names)
        for y, text in enumerate(unscored):
            labels.annotate_row(axes, y, text)
        axes.set_xlabel(axis_title(group, log=log, separator="\n" if narrow else ", "))
        title = words.metric_title(metric)
        alt = f"{title} of each variant, one dot per seed; the table has the numbers."
        name = f"{group.slug}-{metric}{'-narrow' if narrow else ''}"
        return render(fig, name, alt, inline_only=narrow)


def row_margins(
    names: Sequence[str], notes: Sequence[str], *, gap: float, top: float, narrow: bool
) -> layout.Margins:
    """Return the space around rows with names at the left and notes, a gap away, at the right."""
    right = layout.text_width(notes, 7) + gap if any(notes) else 0.15
    return layout.Margins(layout.text_width(names) + 0.15, right, top, 0.62 if narrow else 0.5)


def caption(section: SectionData) -> str:
    """Say what a dot, a stroke and the dotted line are."""
    baseline = section.table.real_baseline
    dotted_line = ", the dotted line the score of real samples" if baseline else ""
    return f"One dot per seed; the upright stroke is their mean{dotted_line}."


def draw_dots(
    axes: Any, table: Table, metric: str, *, small: bool = False, max_ticks: int = 5
) -> bool:
    """Draw dots, means and real samples' score on one axis; return whether it is logarithmic."""
    axis = describe_score_axis(table, metric)
    if axis is not None:
        scales.set_scale(axes.xaxis, [axis.low, axis.high], log=axis.log, max_ticks=max_ticks)
    draw_baseline(axes, table, metric)
    for y, row in enumerate(table.rows):
        scores = [value for value, _ in row.method.scored_runs(metric)]
        if small:
            scales.draw_points(axes, scores, [y] * len(scores), colour=INK, size=3.2, alpha=0.5)
        else:
            dots = {"s": 22, "color": INK, "alpha": 0.45, "linewidth": 0}
            axes.scatter(scores, [y] * len(scores), **dots, zorder=3)
        if scores:
            mean = row.cells[metric].mean
            axes.plot([mean, mean], [y - 0.3, y + 0.3], color=ACCENT, linewidth=1.8, zorder=4)
    return axis is not None and axis.log


def draw_baseline(axes: Any, table: Table, metric: str, *, y: int = 1, offset: int = 0) -> None:
    """Draw a dotted line at the real samples' score, if any; beside it the first metric's number.

    Args:
        y: 1 to write the number above the axes, 0 at their foot.
        offset: from the line to the number, in points.
    """
    if metric not in table.real_baseline:
        return
    value, sign = table.real_baseline[metric].mean, table.group.sign
    axes.axvline(value, color=SECOND, linewidth=1.0, linestyle=(0, (1, 1.5)), zorder=1)
    if metric == table.group.first:
        axes.annotate(f"real samples {rounding.format_baseline(table, metric)}", (value, y),
                      xycoords=("data", "axes fraction"), xytext=(offset * sign, 3), fontsize=7,
                      textcoords="offset points", color=SECOND,
                      ha="left" if sign > 0 else "right")  # fmt: skip


FIGURE = FigureSpec(
    "", (SEEDS, UNSCORED_SEARCH), draw, caption, place=0, draw_narrow=partial(draw, narrow=True)
)
