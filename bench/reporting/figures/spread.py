"""Draw the scores of all configurations of a search: a box and points, as the study draws them."""

from functools import partial
from typing import Any

import numpy as np

from bench.plotting import labels, layout, scales
from bench.plotting.style import ACCENT, INK, MUTED, PAPER, RULE, SECOND, Drawing, figure, render
from bench.reporting.figures.figure import SEARCH, FigureSpec, SectionData
from bench.reporting.figures.scores import draw_baseline, row_margins
from bench.reporting.figures.shared_text import axis_title, selects_on_other_split
from bench.reporting.tables.search import SearchedVariant
from bench.reporting.text import words

ROW = 0.3  # inches of a variant
STAR: dict[str, Any] = {
    "marker": "*", "linestyle": "", "color": INK, "markersize": 9.5, "markeredgecolor": PAPER,
    "markeredgewidth": 0.6, "zorder": 6,
}  # fmt: skip
CHOSEN: dict[str, Any] = {
    "marker": "o", "linestyle": "", "markerfacecolor": "none", "markeredgecolor": SECOND,
    "markeredgewidth": 1.1, "markersize": 6.5, "zorder": 5,
}  # fmt: skip
CROSS: dict[str, Any] = {
    "marker": "x", "linestyle": "", "color": MUTED, "markersize": 4.5, "markeredgewidth": 0.9,
    "clip_on": False,
}  # fmt: skip


def draw(section: SectionData, *, narrow: bool = False) -> Drawing:
    """Draw one line a variant, by the score that its search chooses; narrow for a telephone."""
    table, variants = section.search.table, section.search.variants
    group, baseline = table.group, table.real_baseline.get(table.group.first)
    scores = [c.score for one in variants for c in one.configs if c.score is not None]
    unscored = [_count_unscored(one) for one in variants]
    names = labels.wrap_rows(one.name for one in variants)
    margins = row_margins(names, unscored, gap=0.25, top=0.43 if narrow else 0.3, narrow=narrow)
    height = labels.row_height(names, ROW) * len(names) + margins.top + margins.bottom
    width = max(3.6 if narrow else 7.0, margins.left + margins.right + (1.5 if narrow else 3.0))
    with figure(width, height, placed=True) as fig:
        (axes,) = layout.add_panels(fig, 1, 1, margins)
        shown = [*scores, baseline.mean] if baseline is not None else scores
        log = scales.needs_log_axis(shown)
        scales.set_scale(axes.xaxis, shown, log=log, max_ticks=5 if narrow else 9)
        labels.label_rows(axes, names)
        for y, one in enumerate(variants):
            _draw_variant(axes, y, one)
            labels.annotate_row(axes, y, unscored[y])
        draw_baseline(axes, table, group.first, y=0, offset=3)
        _add_legend(axes, variants, columns=3 if narrow else 6)
        axes.set_xlabel(axis_title(group, log=log, separator="\n" if narrow else ", "))
        title, box = words.metric_title(group.first), "a box from the first to the third quartile"
        alt = f"{title} of every configuration of each variant, with {box}."
        name = f"{group.slug}-{group.first}{'-narrow' if narrow else ''}"
        return render(fig, name, alt, inline_only=narrow)


def caption(section: SectionData) -> str:
    """Say what box, point, star, ring and cross are, and that the order is no ranking."""
    other_split = " by its score on another split, so that it need not be the lowest here"
    other_split *= selects_on_other_split(section.search)
    baseline = section.search.table.real_baseline
    dotted_line = " The dotted line is the score of real samples." if baseline else ""
    return (
        "One point per configuration of the search, with one training seed. The box spans the "
        "first to the third quartile of the scores, the stroke is their median. The star marks the "
        f"variant's defaults, the ring the configuration that was chosen{other_split}. A cross "
        "counts configurations that diverged; they have no score and are not in the box. Variants "
        "are ordered by the chosen configuration, which owes part of its score to luck, so that "
        f"the order is not a ranking.{dotted_line}"
    )


def _draw_variant(axes: Any, y: int, one: SearchedVariant) -> None:
    scored = [c for c in one.configs if c.score is not None]
    values = np.array([c.score for c in scored])
    heights = y + scales.jitter(len(values), 0.2)
    if values.size:
        low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
        box = [[low, high, high, low], [y - 0.3, y - 0.3, y + 0.3, y + 0.3]]
        axes.fill(*box, facecolor=RULE, alpha=0.45, edgecolor="none", zorder=1)
        axes.plot([low, low, np.nan, high, high], [y - 0.3, y + 0.3, np.nan, y - 0.3, y + 0.3],
                  color=MUTED, linewidth=0.7, zorder=2)  # fmt: skip
        axes.plot([middle, middle], [y - 0.3, y + 0.3], color=ACCENT, linewidth=1.8, zorder=4)
        scales.draw_points(axes, values, heights, colour=INK, size=3.4, alpha=0.6)
    if one.default is not None and one.default.score is not None:
        axes.plot([one.default.score], [y], **STAR)
    if one.best is not None:
        axes.plot([one.best.score], [heights[scored.index(one.best)]], **CHOSEN)
    if any(c.score is None for c in one.configs):
        axes.plot([1.0], [y], transform=axes.get_yaxis_transform(), **CROSS)


def _count_unscored(one: SearchedVariant) -> str:
    """Count the configurations that gave no point, as "3 of 20 diverged, 1 open"."""
    n_diverged = sum(c.score is None for c in one.configs)
    parts = [f"{n_diverged} of {len(one.configs)} diverged"] if n_diverged else []
    return ", ".join(parts + ([f"{one.n_unended} open"] if one.n_unended else []))


def _add_legend(axes: Any, variants: tuple[SearchedVariant, ...], columns: int) -> None:
    from matplotlib.lines import Line2D

    dot = Line2D([], [], marker="o", linestyle="", color=INK, alpha=0.6, markersize=3.4,
                 markeredgewidth=0)  # fmt: skip
    marks = [(dot, "configuration"), (Line2D([], [], **CHOSEN), "chosen")]
    if any(one.default is not None and one.default.score is not None for one in variants):
        marks.append((Line2D([], [], **STAR), "defaults"))
    if any(c.score is None for one in variants for c in one.configs):
        marks.append((Line2D([], [], **{**CROSS, "clip_on": True}), "diverged"))
    marks.append((Line2D([], [], color=ACCENT, linewidth=1.8), "median"))
    labels.add_legend(axes, marks, columns)


FIGURE = FigureSpec("", (SEARCH,), draw, caption, place=0, draw_narrow=partial(draw, narrow=True))
