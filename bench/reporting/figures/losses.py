"""Draw losses over steps in a panel for each variant: thin lines for few seeds, a band for many."""

from typing import Any

import numpy as np

from bench.plotting import labels, layout, scales
from bench.plotting.style import ACCENT, INK, SECOND, Drawing, figure, render
from bench.reporting.analysis.seed_bands import compute_band
from bench.reporting.data.records import Curve, RunRecord
from bench.reporting.figures.figure import SEEDS, FigureSpec, SectionData

COLUMNS = 4
MAX_LINES = 5  # seeds up to which each is a line
SPAN = (1.0, 99.0)  # percentiles that an axis spans, of the finished runs' losses if there are any
COLOURS = {"d_loss": SECOND, "g_loss": ACCENT}

RunCurves = list[tuple[RunRecord, dict[str, Curve]]]


def draw(section: SectionData) -> Drawing | None:
    """Draw small multiples in the table's order; None where no run has a history."""
    methods = [row.method for row in section.table.rows]
    curves: dict[str, RunCurves] = {
        m.name: [(seed_run.run, _loss_curves(seed_run.run)) for seed_run in m.runs] for m in methods
    }
    if not any(losses for runs in curves.values() for _, losses in runs):
        return None
    columns = min(COLUMNS, len(methods))
    n_rows = -(-len(methods) // columns)
    title_lines = labels.count_title_lines((m.name for m in methods), columns)
    top = 0.35 + 0.14 * title_lines
    margins = layout.Margins(0.5, 0.1, top, 0.45)
    gaps = (0.42, 0.24 + 0.13 * title_lines)
    height = top + 0.45 + n_rows * 0.85 + (n_rows - 1) * gaps[1]
    with figure(7.0, height, placed=True) as fig:
        grid = layout.add_panels(fig, len(methods), columns, margins, gaps, shared=False)
        for axes, method in zip(grid, methods, strict=True):
            labels.set_panel_title(axes, method.name, columns)
            _draw_panel(axes, curves[method.name])
        last = max(float(a.get_xlim()[1]) for a in grid)
        for index, axes in enumerate(grid):
            scales.set_scale(axes.xaxis, [0, last], log=False, max_ticks=3)
            outer = index + columns >= len(grid)
            axes.tick_params(labelbottom=outer)
            axes.set_xlabel("discriminator steps" if outer else "", labelpad=1.5)
        labels.add_legend(fig, _legend_marks(), columns=3, below=0.0)
        alt = "Losses of discriminator and generator against steps, one panel for each variant."
        return render(fig, f"{section.table.group.slug}-losses", alt)


def caption(section: SectionData) -> str:
    """Say what a line is, and that losses of two variants cannot be compared."""
    return (
        f"One thin line per seed; with {MAX_LINES + 1} seeds or more, their median and range. "
        "Losses of different variants cannot be compared, so each panel has its own axis: from "
        f"the {SPAN[0]:.0f}st to the {SPAN[1]:.0f}th percentile of its finished runs' losses."
    )


def _loss_curves(run: RunRecord) -> dict[str, Curve]:
    return {name: run.history[name] for name in COLOURS if name in run.history}


def _draw_panel(axes: Any, runs: RunCurves) -> None:
    shown = [(run, curves) for run, curves in runs if curves]
    finished = [curves for run, curves in shown if run.status == "finished"]
    spanned = finished or [curves for _, curves in shown]
    values = [losses for curves in spanned for _, losses in curves.values()]
    if not values:
        axes.set_xlim(0, 0)
        scales.set_ticks(axes.yaxis, [])
        labels.add_note(axes, 0.5, 0.5, "no history", ha="center")
        return
    low, high = np.percentile(np.concatenate(values), SPAN)
    scales.set_scale(axes.yaxis, [low, high], log=False, max_ticks=4)
    axes.set_xlim(0, max(float(s[-1]) for _, curves in shown for s, _ in curves.values()))
    for name, colour in COLOURS.items():
        player_curves = [curves[name] for _, curves in shown if name in curves]
        if len(player_curves) > MAX_LINES:
            _draw_band(axes, player_curves, colour)
        else:
            for steps, losses in player_curves:
                axes.plot(steps, losses, color=colour, linewidth=0.8, alpha=0.75)
    for run, curves in shown:
        if run.status == "diverged":
            end = max(steps[-1] for steps, _ in curves.values())
            place = {"transform": axes.get_xaxis_transform()}
            axes.plot([end], [0.95], "x", color=INK, markersize=5, **place)


def _draw_band(axes: Any, curves: list[Curve], colour: str) -> None:
    band = compute_band(curves)
    if band is not None:
        axes.fill_between(band.steps, band.low, band.high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(band.steps, band.median, color=colour, linewidth=1.1)


def _legend_marks() -> list[tuple[Any, str]]:
    from matplotlib.lines import Line2D

    d, g = (Line2D([], [], color=colour, linewidth=1.2) for colour in COLOURS.values())
    cross = Line2D([], [], color=INK, marker="x", linestyle="", markersize=5)
    discriminator = (d, "discriminator's loss, or the only loss")
    return [discriminator, (g, "generator's loss"), (cross, "diverged")]


FIGURE = FigureSpec("Losses", (SEEDS,), draw, caption, place=80)
