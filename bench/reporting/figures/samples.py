"""Draw a sample sheet: each method's best, median and worst run by score, and real images."""

import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from bench.plotting.style import DPI, MUTED, Drawing, figure, render, wrap_name
from bench.reporting.figures.figure import KINDS, FigureSpec, Sample, SectionData, group_samples
from bench.reporting.tables import rounding
from bench.reporting.tables.methods import TableGroup
from bench.reporting.tables.summary import TableRow, notable_runs
from bench.reporting.text import words

SHEET = 1800  # pixels of a sheet's width, unless one method's pictures take more
MIN_CELL = 240  # pixels to which a smaller picture is enlarged by a whole factor
MARGIN, GAP, LINE = 12, 16, 28  # pixels: around the sheet, between pictures, of a line of text
CHARACTER = 12.5  # pixels of a letter in a method's name
REAL = "real images"


class Layout(NamedTuple):
    """Sizes of a sheet in pixels, where each method has a block of as many cells.

    Args:
        cell: width and height of a picture's place.
        cells: pictures side by side in a block.
        blocks: blocks side by side.
        above: height of the text above a picture.
    """

    cell: tuple[int, int]
    cells: int
    blocks: int
    above: int

    @property
    def block_width(self) -> int:
        """Return the width of a block."""
        return self.cells * (self.cell[0] + GAP) - GAP

    @property
    def width(self) -> int:
        """Return the width of the sheet."""
        return 2 * MARGIN + self.blocks * (self.block_width + 2 * GAP) - 2 * GAP


def draw(section: SectionData) -> Drawing | None:
    """Draw all pictures in one sheet, enlarged by whole factors; None where there is none."""
    strips = _strips(section)
    samples = [sample for strip in strips for sample in strip]
    if all(sample.pixels is None for sample in samples):
        return None
    sheet = _lay_out(strips)
    rows = -(-len(strips) // sheet.blocks)
    row_height = sheet.above + sheet.cell[1] + GAP
    height = 2 * MARGIN + rows * row_height - GAP
    with figure(sheet.width / DPI, height / DPI, placed=True) as fig:
        for index, strip in enumerate(strips):
            row, column = divmod(index, sheet.blocks)
            left = MARGIN + column * (sheet.block_width + 2 * GAP)
            top = MARGIN + row * row_height
            name = wrap_name(strip[0].name, int(sheet.block_width / CHARACTER))
            place = {"va": "top", "linespacing": 1.05}
            fig.text(left / sheet.width, 1 - top / height, name, fontsize=9, **place)
            for sample in strip:
                _draw_sample(fig, sample, sheet, (left, top))
                left += sheet.cell[0] + GAP
        shown = words.join_with_and(strip[0].name for strip in strips)
        return render(fig, f"{section.table.group.slug}-samples", f"Samples: {shown}.")


def caption(section: SectionData) -> str:
    """Say how the runs were chosen, and of which checkpoint pictures and scores are."""
    group, score = section.table.group, words.metric_title(section.table.group.first)
    found = {sample.kind for sample in list_samples(section)}
    kinds = [kind for kind in ("best", "median", "worst") if kind in found]
    which = f"{words.join_with_and(kinds)} run by {score}" if kinds else "run"
    real = ", beside real images at the same scale" if group.real_picture else ""
    text = f"Samples of each variant's {which}{real}. The number is the run's {score}. Latents are "
    text += "fixed, and no picture was chosen by eye."
    if group.conditional and group.real_picture:  # else they may be points
        text += " Each row is a class."
    if "median" in kinds:
        text += " The median run shows what to expect."
    if group.checkpoint == "final":
        return text
    return f"{text} Pictures show the final checkpoint, scores are of the {group.checkpoint} one."


def list_samples(section: SectionData) -> tuple[Sample, ...]:
    """List the real images, if a picture was kept, and each method's best, median, worst run."""
    group = section.table.group
    places = rounding.decimals_by_metric(section.table)[group.first]
    real = [_picture(REAL, "", "", "", group.real_picture)] if group.real_picture else []
    return (*real, *(s for row in section.table.rows for s in _samples(group, row, places)))


def _samples(group: TableGroup, row: TableRow, places: int) -> list[Sample]:
    runs = notable_runs(group, row.method)
    if not runs:
        return [Sample(row.name, "", "no finished run", "", None, None)]
    return [
        _picture(row.name, kind, rounding.format_number(value, places), run.run_id, run.picture)
        for kind, (value, run) in runs.items()
    ]


def _picture(name: str, kind: str, score: str, run_id: str, png: bytes | None) -> Sample:
    """Return a sample with its decoded pixels, RGB [H, W, 3]."""
    from PIL import Image

    if png is None:
        return Sample(name, kind, f"{score}, no picture kept", run_id, None, None)
    with Image.open(io.BytesIO(png)) as image:
        return Sample(name, kind, score, run_id, png, np.asarray(image.convert("RGB")))


def _strips(section: SectionData) -> list[list[Sample]]:
    """Return the samples of each method, in the table's order."""
    return list(group_samples(list_samples(section)).values())


def _lay_out(strips: Sequence[Sequence[Sample]]) -> Layout:
    shapes = [s.pixels.shape for strip in strips for s in strip if s.pixels is not None]
    sizes = [(width * _factor(width), height * _factor(width)) for height, width, _ in shapes]
    cell = (max(width for width, _ in sizes), max(height for _, height in sizes))
    sheet = Layout(cell, max(map(len, strips)), 1, 0)
    fitting = (SHEET - 2 * MARGIN + 2 * GAP) // (sheet.block_width + 2 * GAP)
    names = [wrap_name(s[0].name, int(sheet.block_width / CHARACTER)) for s in strips]
    lines = 1 + max(name.count("\n") + 1 for name in names)
    return sheet._replace(blocks=max(1, min(fitting, len(strips))), above=LINE * lines)


def _factor(width: int) -> int:
    """Return the whole factor by which a picture is enlarged."""
    return max(1, MIN_CELL // width)


def _draw_sample(fig: Any, sample: Sample, sheet: Layout, corner: tuple[int, int]) -> None:
    """Draw a picture, each of its pixels as a square of whole pixels, and the words above it.

    Args:
        corner: left and top of the place of both, in pixels.
    """
    width, height = (round(side) for side in fig.get_size_inches() * DPI)
    left, top = corner[0], corner[1] + sheet.above
    said = f"{sample.kind} {sample.score}".strip()
    fig.text(left / width, 1 - (top - 7) / height, said, fontsize=8, color=MUTED, va="baseline")
    if sample.pixels is None:
        return
    factor = _factor(sample.pixels.shape[1])
    rows, columns = (side * factor for side in sample.pixels.shape[:2])
    bottom = height - top - rows
    axes = fig.add_axes((left / width, bottom / height, columns / width, rows / height))
    axes.set_axis_off()
    axes.imshow(sample.pixels, interpolation="none", aspect="auto")


FIGURE = FigureSpec("Samples", KINDS, draw, caption, place=60, list_samples=list_samples)
