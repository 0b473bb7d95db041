"""Probability of improvement between all pairs of contenders, as a matrix of numbers."""

from typing import Any

from bench.plotting import layout, scales
from bench.plotting.style import ACCENT, INK, PAPER, SECOND, Drawing, figure, render
from bench.reporting.analysis.outcomes import Improvement
from bench.reporting.tables.summary import Table

CELL = (0.56, 0.3)  # inches
# A row that is better is dark and one that is worse pale, so that grey tells them apart as well.
STRONGEST = {SECOND: 0.9, ACCENT: 0.35}
LIGHT = 0.55  # opacity from which on the number is printed in the paper's colour


def improvement_plot(table: Table, found: Improvement | None) -> Drawing | None:
    """A cell for each pair; None for fewer than two contenders."""
    if found is None:
        return None
    names, size = found.names, len(found.names)
    margins = layout.Margins(
        layout.width_of(names) + 0.25, 0.1, 0.25 + layout.width_of(names, 7) * 0.71, 0.1
    )
    width = min(7.0, margins.left + margins.right + size * CELL[0] + margins.top * 0.7)
    cell = (width - margins.left - margins.right - margins.top * 0.7) / size
    margins = margins._replace(right=width - margins.left - size * cell)
    with figure(width, margins.top + margins.bottom + size * CELL[1], placed=True) as shape:
        (axes,) = layout.panels(shape, 1, 1, margins)
        axes.set_xlim(0, size)
        axes.set_ylim(size, 0)
        scales.fix_ticks(axes.xaxis, [])
        scales.fix_ticks(axes.yaxis, [])
        for spine in axes.spines.values():
            spine.set_visible(False)
        for i, name in enumerate(names):
            axes.annotate(name, (0, i + 0.5), xytext=(-6, 0), textcoords="offset points",
                          ha="right", va="center_baseline", fontsize=8)  # fmt: skip
            axes.annotate(name, (i + 0.5, 0), xytext=(-3, 4), textcoords="offset points",
                          ha="left", va="bottom", rotation=45, rotation_mode="anchor",
                          fontsize=7)  # fmt: skip
            for j in range(size):
                if i != j:
                    _cell(axes, i, j, float(found.shares[i, j]), bool(found.sure[i, j]))
        alt = "Probability that a run of the row is better than one of the column, as numbers."
        return render(shape, f"{table.group.slug}-improvement", alt)


def _cell(axes: Any, i: int, j: int, share: float, sure: bool) -> None:
    colour = SECOND if share >= 0.5 else ACCENT
    opacity = 2 * abs(share - 0.5) * STRONGEST[colour]
    box = [j + 0.03, j + 0.97, j + 0.97, j + 0.03], [i + 0.04, i + 0.04, i + 0.96, i + 0.96]
    axes.fill(*box, facecolor=colour, alpha=opacity, edgecolor="none")
    axes.text(
        j + 0.5, i + 0.5, f"{share:.2f}", ha="center", va="center_baseline", fontsize=7.5,
        color=PAPER if opacity > LIGHT else INK, fontweight="bold" if sure else "normal",
    )  # fmt: skip
