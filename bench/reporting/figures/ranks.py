"""Ranks of the contenders with intervals, and the groups without a significant difference."""

from collections.abc import Mapping

from bench.plotting import labels, layout, scales
from bench.plotting.style import ACCENT, INK, Drawing, figure, render
from bench.reporting.tables.summary import Table
from bench.stats.ranking import RankInterval

ROW = 0.24  # inches of a contender


def ranks_plot(
    table: Table, ranks: Mapping[str, RankInterval], *, intervals: bool
) -> Drawing | None:
    """One line a contender, the best on top; None for fewer than two.

    Args:
        intervals: whether there are enough runs to draw them.
    """
    if len(ranks) < 2:
        return None
    names, letters = list(ranks), table.verdict.letters
    margins = layout.Margins(
        layout.width_of(names) + 0.15, layout.width_of(letters.values()) + 0.45, 0.28, 0.45
    )
    with figure(7.0, ROW * len(names) + margins.top + margins.bottom, placed=True) as shape:
        (axes,) = layout.panels(shape, 1, 1, margins)
        axes.set_xlim(0.7, len(names) + 0.3)
        scales.fix_ticks(axes.xaxis, range(1, len(names) + 1))
        labels.name_rows(axes, names)
        for y, name in enumerate(names):
            rank, low, high = ranks[name]
            if intervals:
                axes.plot([low, high], [y, y], color=ACCENT, linewidth=2.2, alpha=0.45,
                          solid_capstyle="round", zorder=2)  # fmt: skip
            axes.plot([rank], [y], "o", color=ACCENT, markersize=5, zorder=3)
        for y, name in enumerate(names):
            labels.beside_row(axes, y, letters.get(name, ""), colour=INK, size=8)
        labels.note(axes, 1.012, 1.02, "group", va="bottom")
        axes.set_xlabel("rank, 1 is the best")
        alt = f"Rank of each contender{', with its interval' if intervals else ''}."
        return render(shape, f"{table.group.slug}-ranks", alt)
