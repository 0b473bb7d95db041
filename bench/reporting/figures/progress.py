"""Draw the Frechet distance while training: median and range over seeds, a panel a variant."""

from typing import Any

import numpy as np

from bench.plotting import labels, layout, scales
from bench.plotting.style import ACCENT, INK, Drawing, figure, render
from bench.reporting.analysis.seed_bands import SeedBand, compute_band
from bench.reporting.figures.budget_panels import draw_in_grey
from bench.reporting.figures.figure import SEEDS, FigureSpec, SectionData
from bench.reporting.tables.summary import Table

COLUMNS = 5


def bands_by_method(table: Table) -> dict[str, SeedBand]:
    """Return method -> band of the checkpoints scored while training, where there are any."""
    bands = {
        row.name: compute_band(
            [m.run.history["frechet"] for m in row.method.runs if "frechet" in m.run.history]
        )
        for row in table.rows
    }
    return {name: band for name, band in bands.items() if band is not None}


def draw(section: SectionData) -> Drawing | None:
    """Draw small multiples in the table's order; None where no run scored two checkpoints."""
    bands = bands_by_method(section.table)
    if max((len(band.steps) for band in bands.values()), default=0) < 2:
        return None
    columns = min(COLUMNS, len(bands))
    n_rows = -(-len(bands) // columns)
    title_lines = labels.count_title_lines(bands, columns)
    margins = layout.Margins(0.5, 0.1, 0.3 + 0.14 * title_lines, 0.45)
    gaps = (0.15, 0.2 + 0.13 * title_lines)
    height = margins.top + margins.bottom + n_rows * 1.05 + (n_rows - 1) * gaps[1]
    with figure(7.0, height, placed=True) as fig:
        grid = layout.add_panels(fig, len(bands), columns, margins, gaps)
        values = np.concatenate([np.concatenate([b.low, b.high]) for b in bands.values()])
        log = scales.needs_log_axis(values)
        scales.set_scale(grid[0].yaxis, values, log=log, max_ticks=5)
        steps = np.concatenate([b.steps for b in bands.values()])
        scales.set_scale(grid[0].xaxis, [0, steps.max()], log=False, max_ticks=3)
        for axes, (name, band) in zip(grid, bands.items(), strict=True):
            draw_in_grey(axes, [(b.steps, b.median) for b in bands.values()])
            _draw_band(axes, band)
            labels.set_panel_title(axes, name, columns)
        for axes in grid[-columns:]:
            axes.set_xlabel("discriminator steps", labelpad=1.5)
        heading = "Frechet distance of the checkpoints scored while training, lower is better"
        labels.add_heading(fig, f"{heading}{', logarithmic axis' if log else ''}")
        alt = "Frechet distance against discriminator steps, one panel for each variant."
        return render(fig, f"{section.table.group.slug}-progress", alt)


def caption(section: SectionData) -> str:
    """Say what the band is, and why its scores are not those of the table."""
    return (
        "Median and range over seeds, at steps where at least half of the seeds have a score; the "
        "medians of the other variants are grey. These are the scores that choose the best "
        "checkpoint, on other samples than the scores in the table."
    )


def _draw_band(axes: Any, band: SeedBand) -> None:
    axes.fill_between(band.steps, band.low, band.high, color=ACCENT, alpha=0.2, linewidth=0)
    axes.plot(band.steps, band.median, color=ACCENT, linewidth=1.4, zorder=4)
    scales.draw_points(axes, band.steps, band.median, colour=INK, size=2.6, alpha=1)


FIGURE = FigureSpec("Progress", (SEEDS,), draw, caption, place=70)
