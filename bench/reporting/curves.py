"""Learning curves: both losses over steps, a thin line for each seed, a panel for each variant."""

from typing import Any

import numpy as np

from bench.reporting.contenders import Contender
from bench.reporting.style import ACCENT, INK, MUTED, SECOND, Drawing, drawn, figure, wrapped
from bench.reporting.summary import Table
from bench.reporting.sweep import Curve, Run

COLUMNS = 4
KEPT = (1.0, 99.0)  # percentiles that an axis spans, of the finished runs' losses if there are any
LOSSES = {"d_loss": SECOND, "g_loss": ACCENT}


def learning_curves(table: Table) -> Drawing | None:
    """Small multiples in the table's order; None where no run kept a history."""
    contenders = [line.contender for line in table.lines]
    found = {c.name: [(m.run, _losses(m.run)) for m in c.members] for c in contenders}
    if not any(curves for runs in found.values() for _, curves in runs):
        return None
    columns = min(COLUMNS, len(contenders))
    rows = -(-len(contenders) // columns)
    with figure(7.0, 0.45 + 1.25 * rows) as shape:
        grid = shape.subplots(rows, columns, squeeze=False, sharex=True)
        for axes, contender in zip(grid.flat, contenders, strict=False):
            _panel(axes, contender, found[contender.name])
        for axes in grid.flat[len(contenders) :]:
            axes.set_axis_off()
        handles = [_sample(colour) for colour in LOSSES.values()] + [_sample(INK, marker="x")]
        names = ["discriminator's loss, or the only one", "generator's loss", "diverged"]
        shape.legend(handles, names, loc="outside upper left", ncols=3, frameon=False, fontsize=8)
        shape.supxlabel("discriminator steps", fontsize=8, color=MUTED)
        alt = "Losses of discriminator and generator against steps, one panel for each variant."
        return drawn(shape, f"{table.group.slug}-losses", alt)


def _losses(run: Run) -> dict[str, Curve]:
    return {name: run.history[name] for name in LOSSES if name in run.history}


def _panel(axes: Any, contender: Contender, runs: list[tuple[Run, dict[str, Curve]]]) -> None:
    axes.set_title(wrapped(contender.name))
    shown = [(run, curves) for run, curves in runs if curves]
    kept = [curves for run, curves in shown if run.status == "finished"]
    values = [v for curves in kept or [curves for _, curves in shown] for _, v in curves.values()]
    if not values:
        axes.text(0.5, 0.5, "no history", transform=axes.transAxes, ha="center", fontsize=7)
        return
    low, high = np.percentile(np.concatenate(values), KEPT)
    margin = 0.08 * (high - low) or 0.5
    axes.set_ylim(low - margin, high + margin)
    axes.margins(x=0.02)
    for run, curves in shown:
        for name, (steps, losses) in curves.items():
            axes.plot(steps, losses, color=LOSSES[name], linewidth=0.8, alpha=0.75)
        if run.status == "diverged":
            end = max(steps[-1] for steps, _ in curves.values())
            axes.plot(
                [end], [0.95], "x", color=INK, markersize=5, transform=axes.get_xaxis_transform()
            )


def _sample(colour: str, *, marker: str = "") -> Any:
    """A line for the legend."""
    from matplotlib.lines import Line2D

    return Line2D(
        [],
        [],
        color=colour,
        linestyle="" if marker else "-",
        marker=marker,
        linewidth=1.2,
        markersize=5,
    )
