"""Dot plots: every seed's score, its mean, and the floor that real samples reach."""

from collections.abc import Sequence
from typing import Any

from bench.reporting import rounding, words
from bench.reporting.style import ACCENT, INK, MUTED, RULE, SECOND, Drawing, drawn, figure
from bench.reporting.summary import Line, Table

LOG_RATIO = 30.0  # largest over smallest mean from which on the axis is logarithmic
LONG_RATIO = 300.0  # largest over smallest score from which on it is marked at powers of 10 only


def main_plot(table: Table, *, narrow: bool = False) -> Drawing:
    """The first metric, one line a variant in the table's order.

    Args:
        narrow: for a telephone; on the page alone.
    """
    group, metric = table.group, table.group.first
    with figure(3.6 if narrow else 7.0, 1.0 + 0.25 * len(table.lines)) as shape:
        axes = shape.subplots()
        log = _dots(axes, table, metric)
        _name_lines(axes, table.lines)
        _lost(axes, table.lines)
        scale = ", logarithmic axis" if log else ""
        between = "\n" if narrow else ", "
        direction = f"{words.better(metric, group)}{scale}"
        axes.set_xlabel(f"{words.full_title(metric, group)}{between}{direction}")
        alt = f"{words.title(metric)} of each variant, one dot per seed; the table has the numbers."
        name = f"{group.slug}-{metric}{'-narrow' if narrow else ''}"
        return drawn(shape, name, alt, inline_only=narrow)


def other_plots(table: Table) -> Drawing | None:
    """A small panel for each other score; None where there is none."""
    group = table.group
    metrics = [m for m in group.metrics if m != group.first]
    if not metrics:
        return None
    columns = min(3, len(metrics))
    rows = -(-len(metrics) // columns)
    with figure(7.0, rows * (0.6 + 0.17 * len(table.lines))) as shape:
        shape.get_layout_engine().set(h_pad=0.09)
        grid = shape.subplots(rows, columns, squeeze=False, sharey=True)
        for axes, metric in zip(grid.flat, metrics, strict=False):
            log = _dots(axes, table, metric, size=11)
            arrow = "\u2190" if group.metrics[metric] == "lower" else "\u2192"
            axes.set_title(f"{words.title(metric)} {arrow}{' (log)' if log else ''}")
        for axes in grid.flat[len(metrics) :]:
            axes.set_axis_off()
        for axes in grid.flat[: len(metrics)]:
            _name_lines(axes, table.lines)
        listed = words.listed(words.title(m) for m in metrics)
        alt = f"{listed} of each variant, one dot per seed; arrows point to the better side."
        return drawn(shape, f"{group.slug}-scores", alt)


def _dots(axes: Any, table: Table, metric: str, *, size: float = 22) -> bool:
    """Dots, means and floor on one axis; whether it is logarithmic."""
    floor = table.floor.get(metric)
    cells = [line.cells[metric] for line in table.lines if metric in line.cells]
    shown = [*cells, floor] if floor is not None else cells
    log = bool(cells) and min(c.low for c in shown) > 0
    log = log and max(c.mean for c in cells) > LOG_RATIO * min(c.mean for c in shown)
    if log:
        _set_log(axes, max(c.high for c in shown) / min(c.low for c in shown))
    if floor is not None:
        axes.axvline(floor.mean, color=SECOND, linewidth=1.0, linestyle=(0, (1, 1.5)), zorder=1)
        if metric == table.group.first:
            axes.annotate(
                f"real samples {rounding.floor_number(table, metric)}",
                (floor.mean, 1),
                xycoords=("data", "axes fraction"),
                xytext=(0, 3),
                textcoords="offset points",
                color=SECOND,
                fontsize=7,
                ha="left" if table.group.sign > 0 else "right",
            )
    for y, line in enumerate(table.lines):
        scores = [value for value, _ in line.contender.scored(metric)]
        axes.scatter(
            scores, [y] * len(scores), s=size, color=INK, alpha=0.45, linewidth=0, zorder=3
        )
        if scores:
            mean = line.cells[metric].mean
            axes.plot([mean, mean], [y - 0.3, y + 0.3], color=ACCENT, linewidth=1.8, zorder=4)
    return log


def _set_log(axes: Any, ratio: float) -> None:
    """A logarithmic axis with plain numbers at 1, 2 and 5, or at 1 where it is long."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if ratio < LONG_RATIO else (1.0,)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def _name_lines(axes: Any, lines: Sequence[Line]) -> None:
    """Variants at the left, the first one on top."""
    axes.set_yticks(range(len(lines)), [line.name for line in lines])
    axes.tick_params(axis="y", length=0, labelcolor=INK, labelsize=8)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.spines["left"].set_visible(False)
    for y in range(len(lines)):
        axes.axhline(y, color=RULE, linewidth=0.5, zorder=0)


def _lost(axes: Any, lines: Sequence[Line]) -> None:
    """Say at the right what became of the runs that gave no dot."""
    for y, line in enumerate(lines):
        counts = line.contender.counts
        said = [f"{count} {word}" for word, count in counts.items() if count and word != "finished"]
        axes.annotate(
            ", ".join(said),
            (1, y),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            fontsize=7,
            color=MUTED,
            va="center",
        )
