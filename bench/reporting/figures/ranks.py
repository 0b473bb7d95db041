"""Draw the methods' ranks with intervals, and the groups without a significant difference."""

from bench.plotting import labels, layout, scales
from bench.plotting.style import ACCENT, INK, Drawing, figure, render
from bench.reporting.analysis.rankings import has_intervals, rank_methods
from bench.reporting.figures.figure import SEEDS, FigureSpec, SectionData
from bench.reporting.figures.shared_text import DIVERGED_IS_WORST
from bench.reporting.tables.summary import ALPHA, LEVEL

ROW = 0.24  # inches of a method


def draw(section: SectionData) -> Drawing | None:
    """Draw one line a method, the best on top; None where fewer than two are compared."""
    table = section.table
    letters, intervals = table.ranking.letters, has_intervals(table)
    ranks = rank_methods(table) if letters else {}
    names = list(ranks)
    if len(names) < 2:
        return None
    right = layout.text_width(letters.values()) + 0.45
    shown = labels.wrap_rows(names)
    margins = layout.Margins(layout.text_width(shown) + 0.15, right, 0.28, 0.45)
    height = labels.row_height(shown, ROW) * len(names) + margins.top + margins.bottom
    with figure(layout.figure_width(margins, 3.0), height, placed=True) as fig:
        (axes,) = layout.add_panels(fig, 1, 1, margins)
        axes.set_xlim(0.7, len(names) + 0.3)
        scales.set_ticks(axes.xaxis, range(1, len(names) + 1))
        labels.label_rows(axes, shown)
        for y, name in enumerate(names):
            rank, low, high = ranks[name]
            if intervals:
                axes.plot([low, high], [y, y], color=ACCENT, linewidth=2.2, alpha=0.45,
                          solid_capstyle="round", zorder=2)  # fmt: skip
            axes.plot([rank], [y], "o", color=ACCENT, markersize=5, zorder=3)
        for y, name in enumerate(names):
            labels.annotate_row(axes, y, letters.get(name, ""), colour=INK, size=8)
        labels.add_note(axes, 1.012, 1.02, "group", va="bottom")
        axes.set_xlabel("rank, 1 is the best")
        alt = f"Rank of each variant{', with its interval' if intervals else ''}."
        return render(fig, f"{table.group.slug}-ranks", alt)


def caption(section: SectionData) -> str:
    """Say what a rank is, how far its interval holds, and what the letters mean."""
    bars = (
        f" Bars are {LEVEL:.0%} bootstrap intervals over seeds, each for one variant by itself; "
        "they are rough where variants hardly differ."
        if has_intervals(section.table)
        else " There are too few seeds for intervals."
    )
    return (
        "Variants ranked by the mean probability that one of their runs beats a run of another "
        f"variant. {DIVERGED_IS_WORST}{bars} Variants that share a letter do not differ "
        f"significantly (exact rank-sum tests, {ALPHA:.0%} over all pairs), which does not mean "
        "that they are equal."
    )


FIGURE = FigureSpec("Ranks", (SEEDS,), draw, caption, place=20)
