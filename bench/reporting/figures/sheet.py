"""Sample sheet: for each contender the pictures of its median run and of its best, by score."""

import io
from typing import Any, NamedTuple

import numpy as np

from bench.plotting import labels, layout
from bench.plotting.style import MUTED, Drawing, figure, render, wrapped
from bench.reporting.data.records import RunRecord
from bench.reporting.tables import rounding
from bench.reporting.tables.summary import Table, TableRow, median_run
from bench.reporting.text import words

COLUMNS = 5
PAIRED = 6  # columns where each contender has two pictures
MANY = 3  # scored runs from which on the best is not the median
SHOWN = 1500  # pixels of a row to which its pictures are enlarged, so that edges stay sharp
WIDE = 1.5  # width over height of a picture of which two stand side by side


class Sample(NamedTuple):
    """A variant's picture.

    Args:
        score: of the run shown, in words; why there is no picture where there is none.
        run_id: of the run shown; empty for none.
        png: the picture's file, or None.
        pixels: of it, [H, W, 3], or None.
    """

    name: str
    score: str
    run_id: str
    png: bytes | None
    pixels: np.ndarray | None

    @property
    def wide(self) -> bool:
        """Whether the picture is much wider than high."""
        return self.pixels is not None and self.pixels.shape[1] > WIDE * self.pixels.shape[0]


def rule(table: Table) -> str:
    """How the runs were chosen."""
    score = words.title(table.group.first)
    if not in_pairs(table):
        said = (
            f"Each picture is of the run with its variant's median {score}, the lower median of an "
            "even number, at fixed latents; none was chosen by eye."
        )
    else:
        said = (
            f"Two pictures of each: of the run with the median {score}, the lower median of an "
            f"even number, and of the run with the best {score}, by the very score that stands "
            "above it; at fixed latents, none chosen by eye. Only the median says what to expect."
        )
    if table.group.checkpoint != "final":
        said += (
            " Pictures are of the run's final checkpoint, the scores above them of its "
            f"{table.group.checkpoint} one."
        )
    return said


def in_pairs(table: Table) -> bool:
    """Whether some contender has so many runs that median and best are not the same one."""
    metric = table.group.first
    return any(len(line.contender.scored(metric)) >= MANY for line in table.lines)


def samples(table: Table) -> list[Sample]:
    """Pictures for each contender, in the table's order: median, and best where `in_pairs`."""
    kinds = (", median", ", best") if in_pairs(table) else ("",)
    return [_sample(table, line, kind) for line in table.lines for kind in kinds]


def sheet(table: Table, pictures: list[Sample]) -> Drawing | None:
    """All pictures in one labelled grid; None where there is no picture at all."""
    sizes = [p.pixels.shape for p in pictures if p.pixels is not None]
    if not sizes:
        return None
    height, width = max(s[0] for s in sizes), max(s[1] for s in sizes)
    most = PAIRED if in_pairs(table) else COLUMNS
    columns = min(2 if any(p.wide for p in pictures) else most, len(pictures))
    rows = -(-len(pictures) // columns)
    lines = labels.lines_of((p.name for p in pictures), columns)
    above = 0.24 + 0.13 * lines  # inches of the words above a picture
    cell = (7.6 - 0.12 - (columns - 1) * 0.1) / columns
    high = cell * height / width
    size = 8 * min(1.0, cell / layout.width_of(p.score for p in pictures))
    margins = layout.Margins(0.06, 0.06, above, 0.06)
    total = rows * high + (rows - 1) * (above + 0.08) + above + 0.06
    with figure(7.6, total, placed=True) as shape:
        gaps = (0.1, above + 0.08)
        grid = layout.panels(shape, len(pictures), columns, margins, gaps, shared=False)
        for axes, picture in zip(grid, pictures, strict=True):
            axes.set_axis_off()
            axes.set_title(picture.score, color=MUTED, fontsize=size)
            axes.annotate(
                wrapped(picture.name, labels.letters(columns)),
                (0, 1),
                xycoords="axes fraction",
                xytext=(0, 16),
                textcoords="offset points",
                va="baseline",
                linespacing=1.05,
            )
            _show(axes, picture.pixels, SHOWN // columns)
        names = words.listed(p.name for p in pictures if p.png is not None)
        return render(shape, f"{table.group.slug}-samples", f"Samples of {names}. {rule(table)}")


def _sample(table: Table, line: TableRow, kind: str) -> Sample:
    metric, name = table.group.first, f"{line.name}{kind}"
    best = kind == ", best"
    found = _best_run(table, line) if best else median_run(line.contender, metric)
    if found is None:
        return Sample(name, "no finished run", "", None, None)
    value, run = found
    score = f"{words.title(metric)} {rounding.number(value, rounding.places_of(table)[metric])}"
    if run.picture is None:
        return Sample(name, f"{score}, no picture kept", run.run_id, None, None)
    return Sample(name, score, run.run_id, run.picture, _pixels(run.picture))


def _best_run(table: Table, line: TableRow) -> tuple[float, RunRecord] | None:
    """The run with the best score; ties by run_id."""
    sign = table.group.sign
    scored = line.contender.scored(table.group.first)
    return min(scored, key=lambda pair: (sign * pair[0], pair[1].run_id), default=None)


def _pixels(png: bytes) -> np.ndarray:
    """[H, W, 3]."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as opened:
        return np.asarray(opened.convert("RGB"))


def _show(axes: Any, pixels: np.ndarray | None, wanted: int) -> None:
    if pixels is None:
        axes.text(0.5, 0.5, "no picture", transform=axes.transAxes, ha="center", color=MUTED)
    else:
        factor = -(-wanted // min(pixels.shape[:2]))
        axes.imshow(pixels.repeat(factor, axis=0).repeat(factor, axis=1))
