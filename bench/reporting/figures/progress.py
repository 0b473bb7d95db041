"""The Frechet distance while training: median and range over seeds, a panel for each variant."""

from typing import Any

import numpy as np

from bench.plotting import labels, layout, scales
from bench.plotting.style import ACCENT, INK, RULE, Drawing, figure, render
from bench.reporting.analysis.bands import Band, band_of
from bench.reporting.tables.summary import Table

COLUMNS = 5


def bands_of(table: Table) -> dict[str, Band]:
    """Contender -> band of its scored checkpoints, of those that kept any."""
    found = {
        line.name: band_of(
            [m.run.history["frechet"] for m in line.contender.members if "frechet" in m.run.history]
        )
        for line in table.lines
    }
    return {name: band for name, band in found.items() if band is not None}


def progress_plot(table: Table) -> Drawing | None:
    """Small multiples in the table's order; None where no run scored two checkpoints."""
    bands = bands_of(table)
    if max((len(band.steps) for band in bands.values()), default=0) < 2:
        return None
    columns = min(COLUMNS, len(bands))
    rows = -(-len(bands) // columns)
    lines = labels.lines_of(bands, columns)
    margins = layout.Margins(0.5, 0.1, 0.3 + 0.14 * lines, 0.45)
    gaps = (0.15, 0.2 + 0.13 * lines)
    height = margins.top + margins.bottom + rows * 1.05 + (rows - 1) * gaps[1]
    with figure(7.0, height, placed=True) as shape:
        grid = layout.panels(shape, len(bands), columns, margins, gaps)
        values = np.concatenate([np.concatenate([b.low, b.high]) for b in bands.values()])
        log = scales.is_long(values)
        scales.scale(grid[0].yaxis, values, log=log, most=5)
        steps = np.concatenate([b.steps for b in bands.values()])
        scales.scale(grid[0].xaxis, [0, steps.max()], log=False, most=3)
        for axes, (name, band) in zip(grid, bands.items(), strict=True):
            _panel(axes, band, list(bands.values()))
            labels.name_panel(axes, name, columns)
        for axes in grid[-columns:]:
            axes.set_xlabel("discriminator steps", labelpad=1.5)
        said = ", lower is better" + (", logarithmic axis" if log else "")
        labels.heading(shape, f"Frechet distance of the checkpoints scored while training{said}")
        alt = "Frechet distance against discriminator steps, one panel for each variant."
        return render(shape, f"{table.group.slug}-progress", alt)


def _panel(axes: Any, band: Band, others: list[Band]) -> None:
    x = np.concatenate([np.append(b.steps, np.nan) for b in others])
    y = np.concatenate([np.append(b.median, np.nan) for b in others])
    axes.plot(x, y, color=RULE, linewidth=0.8, zorder=1)
    axes.fill_between(band.steps, band.low, band.high, color=ACCENT, alpha=0.2, linewidth=0)
    axes.plot(band.steps, band.median, color=ACCENT, linewidth=1.4, zorder=4)
    scales.dots(axes, band.steps, band.median, colour=INK, size=2.6, alpha=1)
