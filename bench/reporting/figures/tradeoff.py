"""Precision against recall, and the first score against their harmonic mean."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bench.plotting import labels, layout, scales
from bench.plotting.style import ACCENT, INK, MUTED, RULE, SECOND, Drawing, Look, figure, render
from bench.reporting.analysis.pairs import harmonic, pair_of, pairs_of
from bench.reporting.tables.summary import Table
from bench.reporting.text import words

LEVELS = (0.2, 0.4, 0.6, 0.8)  # of the harmonic mean, as curves
COLUMNS = 5
CROWD = 300  # runs from which on marks are small


def both_panels(table: Table, looks: Mapping[str, Look]) -> Drawing | None:
    """Two panels with all runs of all contenders; None where a score is missing."""
    pair, group = pair_of(table), table.group
    if pair is None:
        return None
    found = {line.name: pairs_of(line.contender, (*pair, group.first)) for line in table.lines}
    found = {name: values for name, values in found.items() if len(values)}
    if not found:
        return None
    runs = sum(map(len, found.values()))
    margins = layout.Margins(0.5, layout.width_of(found) + 0.35, 0.3, 0.48)
    with figure(7.0, 3.1, placed=True) as shape:
        left, right = layout.panels(shape, 2, 2, margins, (0.75, 0), shared=False)
        _square(left)
        _floor(left, table, pair)
        for name, values in found.items():
            colour, marker = looks[name]
            left.plot(values[:, 1], values[:, 0], marker, **_mark(colour, runs))
        for level in LEVELS:
            left.annotate(f"F1 {level}", (1.03, level / (2 - level)), fontsize=6, color=MUTED,
                          xytext=(1, 0), textcoords="offset points", va="center")  # fmt: skip
        left.set_xlabel(words.title(pair[1]))
        left.set_title(words.title(pair[0]), color=MUTED)
        _scores(right, table, pair, found, looks)
        _names(right, found, looks)
        alt = f"{words.title(pair[0])} against {words.title(pair[1])} of all runs."
        return render(shape, f"{group.slug}-tradeoff", alt)


def panel_each(table: Table) -> Drawing | None:
    """A panel of precision against recall for each contender; None where a score is missing."""
    pair, group = pair_of(table), table.group
    if pair is None:
        return None
    found = {line.name: pairs_of(line.contender, pair) for line in table.lines}
    if not any(len(values) for values in found.values()):
        return None
    columns = min(COLUMNS, len(found))
    rows = -(-len(found) // columns)
    lines = labels.lines_of(found, columns)
    margins = layout.Margins(0.45, 0.1, 0.37 + 0.13 * lines, 0.45)
    gap = 0.19 + 0.13 * lines
    side = (7.0 - 0.55 - (columns - 1) * 0.15) / columns
    height = rows * min(side, 1.6) + (rows - 1) * gap + margins.top + margins.bottom
    with figure(7.0, height, placed=True) as shape:
        grid = layout.panels(shape, len(found), columns, margins, (0.15, gap))
        for axes, (name, values) in zip(grid, found.items(), strict=True):
            _square(axes)
            _floor(axes, table, pair, named=False)
            scales.dots(axes, values[:, 1], values[:, 0], colour=INK, size=2.8, alpha=0.55)
            if len(values):
                middle = np.median(values, axis=0)
                axes.plot(middle[1], middle[0], "+", color=ACCENT, markersize=8,
                          markeredgewidth=1.6, zorder=5)  # fmt: skip
            labels.name_panel(axes, name, columns)
        labels.heading(shape, f"{words.title(pair[0])} (upward) against {words.title(pair[1])}")
        for axes in grid[-columns:]:
            axes.set_xlabel(words.title(pair[1]), labelpad=1.5)
        alt = f"{words.title(pair[0])} against {words.title(pair[1])}, one panel a variant."
        return render(shape, f"{group.slug}-tradeoffs", alt)


def _square(axes: Any) -> None:
    """From 0 to 1 on both axes, with curves of equal harmonic mean."""
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(-0.03, 1.03)
    scales.fix_ticks(axes.xaxis, [0, 0.5, 1])
    scales.fix_ticks(axes.yaxis, [0, 0.5, 1])
    recall, precision = [], []
    for level in LEVELS:
        r = np.geomspace(level / (2 - level), 1, 40)
        recall += [*r, np.nan]
        precision += [*(level * r / (2 * r - level)), np.nan]
    axes.plot(recall, precision, color=RULE, linewidth=0.7, zorder=0)


def _floor(axes: Any, table: Table, pair: tuple[str, str], *, named: bool = True) -> None:
    """Where real samples stand."""
    if not all(metric in table.floor for metric in pair):
        return
    y, x = (table.floor[metric].mean for metric in pair)
    axes.plot([x], [y], "*", color=SECOND, markersize=9, zorder=6)
    if named:
        axes.annotate("real samples", (x, y), xytext=(-6, 4), textcoords="offset points",
                      color=SECOND, fontsize=7, ha="right")  # fmt: skip


def _scores(
    axes: Any,
    table: Table,
    pair: tuple[str, str],
    found: Mapping[str, np.ndarray],
    looks: Mapping[str, Look],
) -> None:
    """The first score against the harmonic mean."""
    group = table.group
    scores = np.concatenate([values[:, 2] for values in found.values()])
    log, runs = scales.is_long(scores, ratio=5), len(scores)
    scales.scale(axes.yaxis, scores, log=log)
    axes.set_xlim(-0.03, 1.03)
    scales.fix_ticks(axes.xaxis, [0, 0.5, 1])
    for name, values in found.items():
        colour, marker = looks[name]
        axes.plot(harmonic(values[:, 0], values[:, 1]), values[:, 2], marker, **_mark(colour, runs))
    if group.first in table.floor and all(metric in table.floor for metric in pair):
        p, r = (np.array([table.floor[metric].mean]) for metric in pair)
        floor = table.floor[group.first].mean
        if axes.get_ylim()[0] <= floor <= axes.get_ylim()[1]:
            axes.plot(harmonic(p, r), [floor], "*", color=SECOND, markersize=9, zorder=6)
    axes.set_xlabel(f"F1 of {words.title(pair[0])} and {words.title(pair[1])}")
    axes.set_title(f"{words.title(group.first)}{' (log)' if log else ''}", color=MUTED)


def _mark(colour: str, runs: int) -> dict[str, Any]:
    return {
        "color": colour,
        "markersize": 2.8 if runs > CROWD else 4.2,
        "alpha": 0.75,
        "markeredgewidth": 0,
        "linestyle": "",
        "zorder": 3,
    }


def _names(axes: Any, found: Mapping[str, np.ndarray], looks: Mapping[str, Look]) -> None:
    from matplotlib.lines import Line2D

    marks = [Line2D([], [], marker=looks[n].marker, **_mark(looks[n].colour, 0)) for n in found]
    axes.legend(marks, list(found), loc="upper left", bbox_to_anchor=(1.0, 1.03), frameon=False,
                fontsize=8, handletextpad=0.3, borderpad=0.2, labelspacing=0.5)  # fmt: skip
