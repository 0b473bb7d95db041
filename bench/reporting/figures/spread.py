"""Scores of all configurations of a search: a box and a point for each, as the study draws them."""

from typing import Any

import numpy as np

from bench.plotting import labels, layout, scales
from bench.plotting.style import ACCENT, INK, MUTED, PAPER, RULE, SECOND, Drawing, figure, render
from bench.reporting.figures.axis_titles import quantity
from bench.reporting.tables import rounding
from bench.reporting.tables.search import Search, Searched
from bench.reporting.text import words

ROW = 0.3  # inches of a variant


def spread_plot(search: Search, *, narrow: bool = False) -> Drawing | None:
    """One line a variant, by what its search chooses; None where no configuration has a score.

    Args:
        narrow: for a telephone; on the page alone.
    """
    table, variants = search.table, search.variants
    group = table.group
    scores = [c.score for one in variants for c in one.configs if c.score is not None]
    if not scores:
        return None
    floor = table.floor.get(group.first)
    lost = [_lost(one) for one in variants]
    names = [one.name for one in variants]
    margins = layout.Margins(
        layout.width_of(names) + 0.15,
        layout.width_of(lost, 7) + 0.25 if any(lost) else 0.15,
        0.3,
        0.62 if narrow else 0.5,
    )
    height = ROW * len(names) + margins.top + margins.bottom
    with figure(3.6 if narrow else 7.0, height, placed=True) as shape:
        (axes,) = layout.panels(shape, 1, 1, margins)
        shown = [*scores, floor.mean] if floor is not None else scores
        log = scales.is_long(shown)
        scales.scale(axes.xaxis, shown, log=log, most=5 if narrow else 9)
        labels.name_rows(axes, names)
        for y, one in enumerate(variants):
            _variant(axes, y, one)
            labels.beside_row(axes, y, lost[y])
        if floor is not None:
            _floor(axes, floor.mean, rounding.floor_number(table, group.first), group.sign)
        _key(axes, variants)
        axes.set_xlabel(quantity(group, log=log, between="\n" if narrow else ", "))
        alt = (
            f"{words.title(group.first)} of every configuration of each variant, with a box from "
            "the first to the third quartile."
        )
        name = f"{group.slug}-{group.first}{'-narrow' if narrow else ''}"
        return render(shape, name, alt, inline_only=narrow)


def _variant(axes: Any, y: int, one: Searched) -> None:
    scored = [c for c in one.configs if c.score is not None]
    values = np.array([c.score for c in scored])
    if values.size:
        low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
        box = [[low, high, high, low], [y - 0.3, y - 0.3, y + 0.3, y + 0.3]]
        axes.fill(*box, facecolor=RULE, alpha=0.45, edgecolor="none", zorder=1)
        axes.plot([low, low, np.nan, high, high], [y - 0.3, y + 0.3, np.nan, y - 0.3, y + 0.3],
                  color=MUTED, linewidth=0.7, zorder=2)  # fmt: skip
        axes.plot([middle, middle], [y - 0.3, y + 0.3], color=ACCENT, linewidth=1.8, zorder=4)
        scales.dots(
            axes, values, y + scales.jitter(len(values), 0.2), colour=INK, size=3.4, alpha=0.6
        )
    if one.default is not None and one.default.score is not None:
        axes.plot([one.default.score], [y], **STAR)
    if one.best is not None:
        place = scored.index(one.best)
        at = y + scales.jitter(len(values), 0.2)[place]
        axes.plot([one.best.score], [at], **CHOSEN)
    if any(c.score is None for c in one.configs):
        axes.plot([1.0], [y], transform=axes.get_yaxis_transform(), **CROSS)


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


def _lost(one: Searched) -> str:
    """3 of 20 diverged, 1 open."""
    count = sum(c.score is None for c in one.configs)
    said = [f"{count} of {len(one.configs)} diverged"] if count else []
    return ", ".join(said + ([f"{one.open} open"] if one.open else []))


def _floor(axes: Any, value: float, said: str, sign: int) -> None:
    axes.axvline(value, color=SECOND, linewidth=1.0, linestyle=(0, (1, 1.5)), zorder=1)
    axes.annotate(
        f"real samples {said}",
        (value, 0),
        xycoords=("data", "axes fraction"),
        xytext=(3 * sign, 3),
        textcoords="offset points",
        color=SECOND,
        fontsize=7,
        ha="left" if sign > 0 else "right",
    )


def _key(axes: Any, variants: tuple[Searched, ...]) -> None:
    """What the marks mean, above the axes."""
    from matplotlib.lines import Line2D

    dot = Line2D([], [], marker="o", linestyle="", color=INK, alpha=0.6, markersize=3.4,
                 markeredgewidth=0)  # fmt: skip
    marks = [(dot, "configuration"), (Line2D([], [], **CHOSEN), "chosen")]
    if any(one.default is not None and one.default.score is not None for one in variants):
        marks.append((Line2D([], [], **STAR), "defaults"))
    if any(c.score is None for one in variants for c in one.configs):
        marks.append((Line2D([], [], **{**CROSS, "clip_on": True}), "diverged"))
    marks.append((Line2D([], [], color=ACCENT, linewidth=1.8), "median"))
    labels.key(axes, marks)
