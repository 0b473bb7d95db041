"""Score against each hyperparameter of a search: a row of small panels for each variant.

All rows of a column are one pair of axes, cut into bands: fifty axes would take a second to draw.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bench.plotting import labels, layout, scales
from bench.plotting.style import ACCENT, INK, MUTED, RULE, Drawing, figure, render
from bench.reporting.analysis.sensitivity import Effect, even_in_log
from bench.reporting.figures.axis_titles import quantity
from bench.reporting.tables.search import Search
from bench.reporting.text import words

ALPHA = 0.05  # below which a correlation is printed dark, each panel by itself
ROW = 0.7  # inches of a band
STRIP, PAD = 0.36, 0.09  # of a band: words above its points, and what is left free below them


class Scale(NamedTuple):
    """From numbers to [0, 1]."""

    low: float
    high: float
    log: bool

    def at(self, values: Any) -> np.ndarray:
        """Places of the values."""
        array, low, high = np.asarray(values, dtype=np.float64), self.low, self.high
        if self.log:
            array, low, high = np.log(array), np.log(low), np.log(high)
        return (array - low) / (high - low) if high > low else np.full_like(array, 0.5)


def sensitivity_plot(search: Search, effects: Mapping[str, Mapping[str, Effect]]) -> Drawing | None:
    """The grid; None where no hyperparameter was varied."""
    variants = [one.name for one in search.variants if effects[one.name]]
    if not variants:
        return None
    group = search.table.group
    shared, own = columns_of({v: effects[v] for v in variants})
    scores = np.concatenate([e.scores for v in variants for e in effects[v].values()])
    up = Scale(float(scores.min()), float(scores.max()), scales.is_long(scores))
    columns: list[str] = [*shared, *[""] * max(map(len, own.values()))]
    margins = layout.Margins(layout.width_of(variants) + 0.5, 0.1, 0.45, 0.35)
    with figure(max(7.0, 1.05 * len(columns) + margins.left), ROW * len(variants) + 0.8,
                placed=True) as shape:  # fmt: skip
        grid = layout.panels(shape, len(columns), len(columns), margins, (0.12, 0), shared=False)
        for axes, name in zip(grid, columns, strict=True):
            _empty(axes, len(variants))
            axes.set_title(name.replace("_", " ") or "its own")
        for axes, name in zip(grid, shared, strict=False):
            _column(axes, [effects[v].get(name) for v in variants], up)
        for y, variant in enumerate(variants):
            for axes, name in zip(grid[len(shared) :], own[variant], strict=False):
                _own(axes, y, name, effects[variant][name], up)
        _left(grid[0], variants, up)
        labels.heading(shape, quantity(group, log=up.log))
        alt = f"{words.title(group.first)} against each hyperparameter, for each variant."
        return render(shape, f"{group.slug}-sensitivity", alt)


def columns_of(
    effects: Mapping[str, Mapping[str, Effect]],
) -> tuple[list[str], dict[str, list[str]]]:
    """Hyperparameters that at least half of the variants have, and for each variant the others."""
    names = dict.fromkeys(name for found in effects.values() for name in found)
    counts = {name: sum(name in found for found in effects.values()) for name in names}
    shared = [n for n, count in counts.items() if 2 * count >= len(effects)]
    shared.sort(key=lambda name: -counts[name])
    return shared, {v: [n for n in found if n not in shared] for v, found in effects.items()}


def _empty(axes: Any, rows: int) -> None:
    axes.set_xlim(-0.08, 1.08)
    axes.set_ylim(rows, 0)
    scales.fix_ticks(axes.xaxis, [])
    scales.fix_ticks(axes.yaxis, [])
    axes.spines["left"].set_visible(False)
    for y in range(rows + 1):
        axes.axhline(y, color=RULE, linewidth=0.5, zorder=0)


def _column(axes: Any, effects: Sequence[Effect | None], up: Scale) -> None:
    """One hyperparameter of all variants, on one axis."""
    from matplotlib.ticker import FixedFormatter, FixedLocator

    known = [e for e in effects if e is not None]
    labels = max((e.labels for e in known), key=len)
    numbers = np.concatenate([e.values for e in known if not e.labels] or [np.zeros(1)])
    across = Scale(float(numbers.min()), float(numbers.max()), even_in_log(numbers))
    for y, effect in enumerate(effects):
        if effect is not None:
            _band(axes, y, effect, across, up)
    if all(e.labels for e in known):
        ticks, said = _centres(len(labels)).tolist(), list(labels)
    else:
        marks = _round_marks(across)
        ticks, said = across.at(marks).tolist(), [scales.plain(mark) for mark in marks]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FixedFormatter(said))


def _round_marks(across: Scale) -> list[float]:
    """Round values within a column, or so near its ends that they have their places there."""
    if across.log:
        near = (across.high / across.low) ** 0.05
        return scales.log_ticks(across.low / near, across.high * near, 3)
    near = 0.05 * (across.high - across.low)
    return scales.linear_ticks(across.low - near, across.high + near, 3)


def _own(axes: Any, y: int, name: str, effect: Effect, up: Scale) -> None:
    """One hyperparameter that few variants have: its name and range stand in the panel."""
    low, high = float(effect.values.min()), float(effect.values.max())
    across = Scale(low, high, even_in_log(effect.values))
    _band(axes, y, effect, across, up, line=0.2)
    span = ", ".join(effect.labels) if effect.labels else f"{_short(low)}\u2013{_short(high)}"
    axes.text(-0.06, y + 0.05, f"{name.replace('_', ' ')}\n{span}", fontsize=6, color=MUTED,
              va="top", linespacing=1.0)  # fmt: skip


def _short(value: float) -> str:
    return scales.plain(float(f"{value:.2g}"))


def _band(axes: Any, y: int, effect: Effect, across: Scale, up: Scale, line: float = 0.05) -> None:
    """One panel; its correlation stands so far below its top."""
    if effect.labels:
        centres = _centres(len(effect.labels))
        places = centres[effect.values.astype(int)]
        places = places + scales.jitter(len(places), 0.25 / len(centres))
        for centre, median in zip(centres, effect.medians, strict=True):
            half = 0.32 / len(centres)
            at = _height(y, up, median)
            axes.plot(
                [centre - half, centre + half], [at, at], color=ACCENT, linewidth=1.5, zorder=4
            )
    else:
        places = across.at(effect.values)
    heights = _height(y, up, effect.scores)
    scales.dots(axes, places[~effect.lost], heights[~effect.lost], colour=INK, size=2.4)
    axes.plot(places[effect.lost], heights[effect.lost], "x", color=MUTED, markersize=2.5,
              markeredgewidth=0.6)  # fmt: skip
    if effect.rho is not None and effect.p is not None:
        axes.text(
            1.07, y + line, f"\u03c1 {effect.rho:+.2f}".replace("-", "\u2212"), fontsize=6,
            ha="right", va="top", color=INK if effect.p < ALPHA else MUTED,
            fontweight="bold" if effect.p < ALPHA else "normal",
        )  # fmt: skip


def _height(y: int, up: Scale, scores: Any) -> Any:
    """The better end of the scale stands where the number does: larger scores are higher."""
    return y + 1 - PAD - (1 - STRIP - PAD) * up.at(scores)


def _centres(count: int) -> np.ndarray:
    return (np.arange(count) + 0.5) / count


def _left(axes: Any, variants: Sequence[str], up: Scale) -> None:
    """Names of the variants, and numbers of the scores' axis beside each band."""
    make = scales.log_ticks if up.log else scales.linear_ticks
    marks = make(up.low, up.high, 3)
    marks = [marks[0], marks[-1]] if len(marks) > 1 else marks
    for y, variant in enumerate(variants):
        axes.annotate(
            variant, (0, y + 0.5), xycoords=("axes fraction", "data"), xytext=(-24, 0), fontsize=8,
            textcoords="offset points", ha="right", va="center",
        )  # fmt: skip
        for mark in marks:
            axes.annotate(scales.plain(mark), (0, float(_height(y, up, mark))), fontsize=6,
                          xycoords=("axes fraction", "data"), xytext=(-3, 0), color=MUTED,
                          textcoords="offset points", ha="right", va="center")  # fmt: skip
