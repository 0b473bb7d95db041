"""Dot plots: every seed's score, its mean, and the floor that real samples reach."""

from typing import Any

from bench.plotting import labels, layout, scales
from bench.plotting.style import ACCENT, INK, SECOND, Drawing, figure, render
from bench.reporting.figures.axis_titles import quantity
from bench.reporting.tables import rounding
from bench.reporting.tables.summary import Table, TableRow
from bench.reporting.text import words


def main_plot(table: Table, *, narrow: bool = False) -> Drawing:
    """The first metric, one line a contender in the table's order.

    Args:
        narrow: for a telephone; on the page alone.
    """
    group, metric = table.group, table.group.first
    names = [line.name for line in table.lines]
    lost = [_lost(line) for line in table.lines]
    margins = layout.Margins(
        layout.width_of(names) + 0.15,
        layout.width_of(lost, 7) + 0.2 if any(lost) else 0.15,
        0.25,
        0.62 if narrow else 0.5,
    )
    width = max(3.6 if narrow else 7.0, margins.left + margins.right + 1.5)
    height = 0.25 * len(names) + margins.top + margins.bottom
    with figure(width, height, placed=True) as shape:
        (axes,) = layout.panels(shape, 1, 1, margins)
        log = _dots(axes, table, metric, most=5 if narrow else 9)
        labels.name_rows(axes, names)
        for y, said in enumerate(lost):
            labels.beside_row(axes, y, said)
        axes.set_xlabel(quantity(group, log=log, between="\n" if narrow else ", "))
        alt = f"{words.title(metric)} of each variant, one dot per seed; the table has the numbers."
        name = f"{group.slug}-{metric}{'-narrow' if narrow else ''}"
        return render(shape, name, alt, inline_only=narrow)


def other_plots(table: Table) -> Drawing | None:
    """A small panel for each other score; None where there is none."""
    group = table.group
    metrics = [m for m in group.metrics if m != group.first]
    if not metrics:
        return None
    columns = min(3, len(metrics))
    rows = -(-len(metrics) // columns)
    names = [line.name for line in table.lines]
    margins = layout.Margins(layout.width_of(names) + 0.15, 0.15, 0.26, 0.26)
    high, gaps = 0.17 * len(names) + 0.05, (0.25, 0.58)
    total = rows * high + (rows - 1) * gaps[1] + margins.top + margins.bottom
    with figure(max(7.0, margins.left + 1.6 * columns), total, placed=True) as shape:
        grid = layout.panels(shape, len(metrics), columns, margins, gaps, shared=False)
        for index, (axes, metric) in enumerate(zip(grid, metrics, strict=True)):
            axes.set_ylim(len(names) - 0.4, -0.6)
            log = _dots(axes, table, metric, small=True)
            arrow = "\u2190" if group.metrics[metric] == "lower" else "\u2192"
            axes.set_title(f"{words.title(metric)} {arrow}{' (log)' if log else ''}")
            labels.name_rows(axes, names)
            axes.tick_params(labelleft=index % columns == 0)
        listed = words.listed(words.title(m) for m in metrics)
        alt = f"{listed} of each variant, one dot per seed; arrows point to the better side."
        return render(shape, f"{group.slug}-scores", alt)


def _dots(axes: Any, table: Table, metric: str, *, small: bool = False, most: int = 5) -> bool:
    """Dots, means and floor on one axis; whether it is logarithmic."""
    floor = table.floor.get(metric)
    cells = [line.cells[metric] for line in table.lines if metric in line.cells]
    shown = [*cells, floor] if floor is not None else cells
    log = bool(cells) and min(c.low for c in shown) > 0
    log = log and scales.is_long(c.mean for c in shown)
    if shown:
        ends = [c.low for c in shown] + [c.high for c in shown]
        scales.scale(axes.xaxis, ends, log=log, most=most)
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
        if small:
            scales.dots(axes, scores, [y] * len(scores), colour=INK, size=3.2, alpha=0.5)
        else:
            axes.scatter(
                scores, [y] * len(scores), s=22, color=INK, alpha=0.45, linewidth=0, zorder=3
            )
        if scores:
            mean = line.cells[metric].mean
            axes.plot([mean, mean], [y - 0.3, y + 0.3], color=ACCENT, linewidth=1.8, zorder=4)
    return log


def _lost(line: TableRow) -> str:
    """What became of the runs that gave no dot."""
    counts = line.contender.counts
    said = [f"{count} {word}" for word, count in counts.items() if count and word != "finished"]
    return ", ".join(said)
