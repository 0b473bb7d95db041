"""Draw precision against recall in a panel for each variant of a search."""

import numpy as np

from bench.plotting import labels, layout, scales
from bench.plotting.style import ACCENT, INK, Drawing, figure, render
from bench.reporting.analysis.precision_recall import collect_scores, find_metric_pair
from bench.reporting.figures.figure import SEARCH, FigureSpec, SectionData
from bench.reporting.figures.precision_recall import draw_real_samples, set_unit_square
from bench.reporting.text import words

COLUMNS = 5


def draw(section: SectionData) -> Drawing | None:
    """Draw a panel for each method; None where a metric is missing."""
    table, pair = section.table, find_metric_pair(section.table)
    if pair is None:
        return None
    precision, recall = (words.metric_title(metric) for metric in pair)
    scores = {row.name: collect_scores(row.method, pair) for row in table.rows}
    if not any(len(values) for values in scores.values()):
        return None
    columns = min(COLUMNS, len(scores))
    n_rows = -(-len(scores) // columns)
    title_lines = labels.count_title_lines(scores, columns)
    margins = layout.Margins(0.45, 0.1, 0.37 + 0.13 * title_lines, 0.45)
    gap = 0.19 + 0.13 * title_lines
    side = (7.0 - 0.55 - (columns - 1) * 0.15) / columns
    height = n_rows * min(side, 1.6) + (n_rows - 1) * gap + margins.top + margins.bottom
    with figure(7.0, height, placed=True) as fig:
        grid = layout.add_panels(fig, len(scores), columns, margins, (0.15, gap))
        for axes, (name, values) in zip(grid, scores.items(), strict=True):
            set_unit_square(axes)
            draw_real_samples(axes, table, pair, labelled=False)
            scales.draw_points(axes, values[:, 1], values[:, 0], colour=INK, size=2.8, alpha=0.55)
            if len(values):
                middle = np.median(values, axis=0)
                axes.plot(middle[1], middle[0], "+", color=ACCENT, markersize=8,
                          markeredgewidth=1.6, zorder=5)  # fmt: skip
            labels.set_panel_title(axes, name, columns)
        labels.add_heading(fig, f"{precision} (upward) against {recall}")
        for axes in grid[-columns:]:
            axes.set_xlabel(recall, labelpad=1.5)
        alt = f"{precision} against {recall}, one panel a variant."
        return render(fig, f"{table.group.slug}-tradeoffs", alt)


def caption(section: SectionData) -> str:
    """Say what the cross is."""
    return (
        "Precision and recall of each variant; the cross marks the medians of both scores, which "
        "need not belong to one run."
    )


FIGURE = FigureSpec("Precision and recall, variant by variant", (SEARCH,), draw, caption, place=50)
