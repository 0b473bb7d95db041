"""Draw the probability of improvement between all pairs of methods as a matrix of numbers."""

from typing import Any

from bench.plotting import labels, layout, scales
from bench.plotting.style import ACCENT, INK, PAPER, SECOND, Drawing, figure, render
from bench.reporting.analysis.rankings import has_intervals, improvement_matrix
from bench.reporting.figures.figure import SEEDS, FigureSpec, SectionData
from bench.reporting.figures.shared_text import DIVERGED_IS_WORST
from bench.reporting.tables.summary import LEVEL

CELL = (0.56, 0.3)  # inches
LEAST_CELL = 0.29  # inches of width that a number takes
# A better row is dark and a worse one pale, so that they differ in greyscale too.
STRONGEST = {SECOND: 0.9, ACCENT: 0.35}
PALE_TEXT = 0.55  # opacity from which on the number is printed in the paper's colour


def draw(section: SectionData) -> Drawing | None:
    """Draw a cell for each pair; None where fewer than two methods are compared."""
    table = section.table
    matrix = improvement_matrix(table) if table.ranking.letters else None
    if matrix is None:
        return None
    names, size = labels.wrap_rows(matrix.names), len(matrix.names)
    extra = labels.row_height(names, CELL[1]) - CELL[1]  # of names in several lines
    top = 0.25 + layout.text_width(names, 7) * 0.71 + extra  # of names at 45 degrees
    margins = layout.Margins(layout.text_width(names) + 0.25, 0.1, top, 0.1)
    room = layout.FIGURE_WIDTH - margins.left - margins.right - margins.top * 0.7
    cell = min(CELL[0], max(LEAST_CELL, room / size))
    width = margins.left + margins.right + size * cell + margins.top * 0.7
    margins = margins._replace(right=width - margins.left - size * cell)
    with figure(width, margins.top + margins.bottom + size * (CELL[1] + extra), placed=True) as fig:
        (axes,) = layout.add_panels(fig, 1, 1, margins)
        axes.set_xlim(0, size)
        axes.set_ylim(size, 0)
        scales.set_ticks(axes.xaxis, [])
        scales.set_ticks(axes.yaxis, [])
        axes.spines[:].set_visible(False)
        for i, name in enumerate(names):
            axes.annotate(name, (0, i + 0.5), xytext=(-6, 0), textcoords="offset points",
                          ha="right", va="center_baseline", fontsize=8)  # fmt: skip
            axes.annotate(name, (i + 0.5, 0), xytext=(-3, 4), textcoords="offset points",
                          ha="left", va="bottom", rotation=45, rotation_mode="anchor",
                          fontsize=7)  # fmt: skip
            for j in range(size):
                if i != j:
                    _draw_cell(axes, i, j, matrix.shares[i, j], bold=bool(matrix.significant[i, j]))
        alt = "Probability that a run of the row is better than one of the column, as numbers."
        return render(fig, f"{table.group.slug}-improvement", alt)


def caption(section: SectionData) -> str:
    """Say what a number and a bold one are."""
    bold = (
        f" Bold: the {LEVEL:.0%} bootstrap interval over seeds excludes 1/2. Each pair is judged "
        "by itself, so that among many some are bold by chance."
        if has_intervals(section.table)
        else " There are too few seeds for intervals."
    )
    return (
        "Probability that a run of the row's variant beats a run of the column's; ties count as "
        f"one half. {DIVERGED_IS_WORST}{bold} It says how often one is better, not by how much."
    )


def _draw_cell(axes: Any, i: int, j: int, share: float, *, bold: bool) -> None:
    colour = SECOND if share >= 0.5 else ACCENT
    opacity = 2 * abs(share - 0.5) * STRONGEST[colour]
    box = [j + 0.03, j + 0.97, j + 0.97, j + 0.03], [i + 0.04, i + 0.04, i + 0.96, i + 0.96]
    axes.fill(*box, facecolor=colour, alpha=opacity, edgecolor="none")
    axes.text(
        j + 0.5, i + 0.5, f"{share:.2f}", ha="center", va="center_baseline", fontsize=7.5,
        color=PAPER if opacity > PALE_TEXT else INK, fontweight="bold" if bold else "normal",
    )  # fmt: skip


FIGURE = FigureSpec("Probability of improvement", (SEEDS,), draw, caption, place=30)
