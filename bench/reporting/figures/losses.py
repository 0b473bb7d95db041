"""Losses over steps, a panel for each variant: thin lines for few seeds, a band for many."""

from typing import Any

import numpy as np

from bench.plotting import labels, layout, scales
from bench.plotting.style import ACCENT, INK, SECOND, Drawing, figure, render
from bench.reporting.analysis.bands import band_of
from bench.reporting.data.records import Curve, RunRecord
from bench.reporting.tables.summary import Table

COLUMNS = 4
LINES = 5  # seeds up to which each is a line
KEPT = (1.0, 99.0)  # percentiles that an axis spans, of the finished runs' losses if there are any
LOSSES = {"d_loss": SECOND, "g_loss": ACCENT}


def losses_plot(table: Table) -> Drawing | None:
    """Small multiples in the table's order; None where no run kept a history."""
    contenders = [line.contender for line in table.lines]
    found = {c.name: [(m.run, _losses(m.run)) for m in c.members] for c in contenders}
    if not any(curves for runs in found.values() for _, curves in runs):
        return None
    columns = min(COLUMNS, len(contenders))
    rows = -(-len(contenders) // columns)
    lines = labels.lines_of((c.name for c in contenders), columns)
    top = 0.35 + 0.14 * lines
    margins = layout.Margins(0.5, 0.1, top, 0.45)
    gaps = (0.42, 0.24 + 0.13 * lines)
    height = top + 0.45 + rows * 0.85 + (rows - 1) * gaps[1]
    with figure(7.0, height, placed=True) as shape:
        grid = layout.panels(shape, len(contenders), columns, margins, gaps, shared=False)
        for axes, contender in zip(grid, contenders, strict=True):
            labels.name_panel(axes, contender.name, columns)
            _panel(axes, found[contender.name])
        last = max(float(a.get_xlim()[1]) for a in grid)
        for index, axes in enumerate(grid):
            scales.scale(axes.xaxis, [0, last], log=False, most=3)
            outer = index + columns >= len(grid)
            axes.tick_params(labelbottom=outer)
            axes.set_xlabel("discriminator steps" if outer else "", labelpad=1.5)
        labels.key(shape, _marks(), columns=3, below=0.0)
        alt = "Losses of discriminator and generator against steps, one panel for each variant."
        return render(shape, f"{table.group.slug}-losses", alt)


def _losses(run: RunRecord) -> dict[str, Curve]:
    return {name: run.history[name] for name in LOSSES if name in run.history}


def _panel(axes: Any, runs: list[tuple[RunRecord, dict[str, Curve]]]) -> None:
    shown = [(run, curves) for run, curves in runs if curves]
    kept = [curves for run, curves in shown if run.status == "finished"]
    values = [v for curves in kept or [curves for _, curves in shown] for _, v in curves.values()]
    if not values:
        axes.set_xlim(0, 0)
        scales.fix_ticks(axes.yaxis, [])
        labels.note(axes, 0.5, 0.5, "no history", ha="center")
        return
    low, high = np.percentile(np.concatenate(values), KEPT)
    scales.scale(axes.yaxis, [low, high], log=False, most=4)
    axes.set_xlim(0, max(float(s[-1]) for _, curves in shown for s, _ in curves.values()))
    for name, colour in LOSSES.items():
        found = [curves[name] for _, curves in shown if name in curves]
        if len(found) > LINES:
            _band(axes, found, colour)
        else:
            for steps, losses in found:
                axes.plot(steps, losses, color=colour, linewidth=0.8, alpha=0.75)
    for run, curves in shown:
        if run.status == "diverged":
            end = max(steps[-1] for steps, _ in curves.values())
            axes.plot(
                [end], [0.95], "x", color=INK, markersize=5, transform=axes.get_xaxis_transform()
            )


def _band(axes: Any, curves: list[Curve], colour: str) -> None:
    band = band_of(curves)
    if band is not None:
        axes.fill_between(band.steps, band.low, band.high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(band.steps, band.median, color=colour, linewidth=1.1)


def _marks() -> list[tuple[Any, str]]:
    from matplotlib.lines import Line2D

    d, g = (Line2D([], [], color=colour, linewidth=1.2) for colour in LOSSES.values())
    cross = Line2D([], [], color=INK, marker="x", linestyle="", markersize=5)
    return [
        (d, "discriminator's loss, or the only one"), (g, "generator's loss"), (cross, "diverged"),
    ]  # fmt: skip
