"""Draw the score against each hyperparameter of a search: a row of small panels a variant.

All rows of a column are one pair of axes, cut into bands: fifty axes would take a second to draw.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bench.core.text import printable, shorten
from bench.plotting import labels, layout, scales
from bench.plotting.style import ACCENT, INK, MUTED, RULE, Drawing, figure, render
from bench.reporting.analysis.effects import Effect, hyperparameter_effects, prefers_log_axis
from bench.reporting.figures.figure import SEARCH, FigureSpec, SectionData
from bench.reporting.figures.shared_text import axis_title, describe_untrained_estimate
from bench.reporting.tables.summary import ALPHA
from bench.reporting.text import words

ROW = 0.7  # inches of a band
COLUMN_CHARACTERS = 22  # of a name or a value above or below a column
TEXT_SHARE, PAD = 0.36, 0.09  # shares of a band: the text above its points, the space below them


class Scale(NamedTuple):
    """A linear or logarithmic map from [low, high] to [0, 1]."""

    low: float
    high: float
    log: bool

    def map(self, values: Any) -> np.ndarray:
        """Return the values' positions; 1/2 where low and high are one number."""
        array, low, high = np.asarray(values, dtype=np.float64), self.low, self.high
        if self.log:
            array, low, high = np.log(array), np.log(low), np.log(high)
        return (array - low) / (high - low) if high > low else np.full_like(array, 0.5)

    def ticks(self, margin: float = 0.0) -> list[float]:
        """Return few round values within the scale, which a margin extends by a share of it."""
        if self.log:
            factor = (self.high / self.low) ** margin
            return scales.log_ticks(self.low / factor, self.high * factor, 3)
        gap = margin * (self.high - self.low)
        return scales.linear_ticks(self.low - gap, self.high + gap, 3)


def draw(section: SectionData) -> Drawing | None:
    """Draw the grid of panels; None where no hyperparameter was varied."""
    search, group = section.search, section.search.table.group
    effects = hyperparameter_effects(search)
    variants = [one.name for one in search.variants if effects[one.name]]
    if not variants:
        return None
    shared, others = split_columns({v: effects[v] for v in variants})
    scores = np.concatenate([e.scores for v in variants for e in effects[v].values()])
    y_scale = Scale(float(scores.min()), float(scores.max()), scales.needs_log_axis(scores))
    n_others = max(map(len, others.values()))
    more = [f"other {n}" for n in range(1, n_others + 1)] if n_others > 1 else ["other"] * n_others
    columns = [*map(_short, shared), *more]
    shown = labels.wrap_rows(variants)
    margins = layout.Margins(layout.text_width(shown) + 0.5, 0.1, 0.45, 0.35)
    width = max(7.0, 1.05 * len(columns) + margins.left)
    with figure(width, ROW * len(variants) + 0.8, placed=True) as fig:
        count = len(columns)
        grid = layout.add_panels(fig, count, count, margins, (0.12, 0), shared=False)
        for axes, title in zip(grid, columns, strict=True):
            _prepare_bands(axes, len(variants))
            axes.set_title(title)
        for axes, name in zip(grid, shared, strict=False):
            _draw_column(axes, [effects[v].get(name) for v in variants], y_scale)
        for y, variant in enumerate(variants):
            for axes, name in zip(grid[len(shared) :], others[variant], strict=False):
                _draw_named_band(axes, y, name, effects[variant][name], y_scale)
        _label_bands(grid[0], shown, y_scale)
        labels.add_heading(fig, axis_title(group, log=y_scale.log))
        alt = f"{words.metric_title(group.first)} against each hyperparameter, for each variant."
        return render(fig, f"{group.slug}-sensitivity", alt)


def caption(section: SectionData) -> str:
    """Say what a panel shows, and what its rank correlation cannot."""
    effects = hyperparameter_effects(section.search)
    sizes = [len(e.values) for of_variant in effects.values() for e in of_variant.values()]
    least, most = min(sizes, default=0), max(sizes, default=0)
    count = f"{least} to {most}" if least < most else f"{most}"
    return (
        f"Every configuration, {count} of each variant, against one hyperparameter at a time, on "
        "a logarithmic axis where that spreads its values more evenly; strokes mark the medians of "
        "discrete values. Columns titled 'other' show hyperparameters that few variants have, each "
        "named in its panel. \u03c1 is Spearman's rank correlation of value and score, bold where "
        f"fewer than {ALPHA:.0%} of searches without any relation would show one as large. Panels "
        "are tested one by one, so that among many some are bold by chance. The correlation misses "
        "scores that rise and fall again, and hyperparameters that act only together. Crosses are "
        "runs that diverged, at the untrained generator's score"
        f"{describe_untrained_estimate(section.search)}."
    )


def split_columns(
    effects: Mapping[str, Mapping[str, Any]],
) -> tuple[list[str], dict[str, list[str]]]:
    """Return the hyperparameters of at least half of the variants, and each variant's others."""
    names = dict.fromkeys(name for of_variant in effects.values() for name in of_variant)
    counts = {name: sum(name in of_variant for of_variant in effects.values()) for name in names}
    shared = [name for name, count in counts.items() if 2 * count >= len(effects)]
    shared.sort(key=lambda name: -counts[name])
    return shared, {v: [n for n in names if n not in shared] for v, names in effects.items()}


def _prepare_bands(axes: Any, count: int) -> None:
    axes.set_xlim(-0.08, 1.08)
    axes.set_ylim(count, 0)
    scales.set_ticks(axes.xaxis, [])
    scales.set_ticks(axes.yaxis, [])
    axes.spines["left"].set_visible(False)
    for y in range(count + 1):
        axes.axhline(y, color=RULE, linewidth=0.5, zorder=0)


def _draw_column(axes: Any, effects: Sequence[Effect | None], y_scale: Scale) -> None:
    """Draw one hyperparameter of all variants that have it, on one x axis."""
    from matplotlib.ticker import FixedFormatter, FixedLocator

    present = [e for e in effects if e is not None]
    categories = max((e.labels for e in present), key=len)
    numbers = np.concatenate([e.values for e in present if not e.labels] or [np.zeros(1)])
    x_scale = Scale(float(numbers.min()), float(numbers.max()), prefers_log_axis(numbers))
    for y, effect in enumerate(effects):
        if effect is not None:
            _draw_band(axes, y, effect, x_scale, y_scale)
    if all(e.labels for e in present):
        ticks, tick_labels = _centres(len(categories)).tolist(), [_short(c) for c in categories]
    else:
        marks = x_scale.ticks(margin=0.05)  # or so near the ends that they can stand there
        ticks, tick_labels = x_scale.map(marks).tolist(), [scales.format_tick(m) for m in marks]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FixedFormatter(tick_labels))


def _draw_named_band(axes: Any, y: int, name: str, effect: Effect, y_scale: Scale) -> None:
    """Draw a hyperparameter that few variants have, its name and range inside the band."""
    low, high = float(effect.values.min()), float(effect.values.max())
    x_scale = Scale(low, high, prefers_log_axis(effect.values))
    _draw_band(axes, y, effect, x_scale, y_scale, rho_y=0.2)
    span = "\u2013".join(scales.format_tick(float(f"{end:.2g}")) for end in (low, high))
    span = _short(", ".join(effect.labels)) if effect.labels else span
    axes.text(-0.06, y + 0.05, f"{_short(name)}\n{span}", fontsize=6, color=MUTED,
              va="top", linespacing=1.0)  # fmt: skip


def _draw_band(
    axes: Any, y: int, effect: Effect, x_scale: Scale, y_scale: Scale, rho_y: float = 0.05
) -> None:
    """Draw one hyperparameter of one variant in the band below y, its correlation at y + rho_y."""
    if effect.labels:
        centres = _centres(len(effect.labels))
        x = centres[effect.values.astype(int)]
        x = x + scales.jitter(len(x), 0.25 / len(centres))
        for centre, median in zip(centres, effect.medians, strict=True):
            half, height = 0.32 / len(centres), _height(y, y_scale, median)
            ends = [centre - half, centre + half]
            axes.plot(ends, [height, height], color=ACCENT, linewidth=1.5, zorder=4)
    else:
        x = x_scale.map(effect.values)
    heights, diverged = _height(y, y_scale, effect.scores), effect.diverged
    scales.draw_points(axes, x[~diverged], heights[~diverged], colour=INK, size=2.4)
    axes.plot(x[diverged], heights[diverged], "x", color=MUTED, markersize=2.5,
              markeredgewidth=0.6)  # fmt: skip
    if effect.rho is not None and effect.p is not None:
        axes.text(
            1.07, y + rho_y, f"\u03c1 {effect.rho:+.2f}".replace("-", "\u2212"), fontsize=6,
            ha="right", va="top", color=INK if effect.p < ALPHA else MUTED,
            fontweight="bold" if effect.p < ALPHA else "normal",
        )  # fmt: skip


def _short(name: str) -> str:
    """Return a hyperparameter's name or value as a column holds it."""
    return shorten(printable(name.replace("_", " ")), COLUMN_CHARACTERS)


def _height(y: int, y_scale: Scale, scores: Any) -> Any:
    """Return the y of scores in the band that begins at y; larger scores stand higher."""
    return y + 1 - PAD - (1 - TEXT_SHARE - PAD) * y_scale.map(scores)


def _centres(count: int) -> np.ndarray:
    return (np.arange(count) + 0.5) / count


def _label_bands(axes: Any, variants: Sequence[str], y_scale: Scale) -> None:
    """Write the variant's name and the ends of the score axis beside each band."""
    marks = y_scale.ticks()
    marks = [marks[0], marks[-1]] if len(marks) > 1 else marks
    for y, variant in enumerate(variants):
        axes.annotate(
            variant, (0, y + 0.5), xycoords=("axes fraction", "data"), xytext=(-24, 0), fontsize=8,
            textcoords="offset points", ha="right", va="center",
        )  # fmt: skip
        for mark in marks:
            height = float(_height(y, y_scale, mark))
            axes.annotate(scales.format_tick(mark), (0, height), fontsize=6,
                          xycoords=("axes fraction", "data"), xytext=(-3, 0), color=MUTED,
                          textcoords="offset points", ha="right", va="center")  # fmt: skip


FIGURE = FigureSpec("Sensitivity to hyperparameters", (SEARCH,), draw, caption, place=30)
