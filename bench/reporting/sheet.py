"""Sample sheet: for each variant the pictures of its median run, never the prettiest."""

import io
from typing import Any, NamedTuple

import numpy as np

from bench.reporting import rounding, words
from bench.reporting.style import MUTED, Drawing, drawn, figure, wrapped
from bench.reporting.summary import Table, median_run

COLUMNS = 5
SHOWN = 800  # pixels of the shorter side to which a picture is enlarged, so that edges stay sharp
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
    return (
        f"Each picture is of the run with its variant's median {words.title(table.group.first)}, "
        "the lower median of an even number, at fixed latents; none was chosen by eye."
    )


def samples(table: Table) -> list[Sample]:
    """A picture for each variant, in the table's order."""
    return [_sample(table, index) for index in range(len(table.lines))]


def sheet(table: Table, pictures: list[Sample]) -> Drawing | None:
    """All pictures in one labelled grid; None where there is no picture at all."""
    sizes = [p.pixels.shape for p in pictures if p.pixels is not None]
    if not sizes:
        return None
    height, width = max(s[0] for s in sizes), max(s[1] for s in sizes)
    columns = min(2 if any(p.wide for p in pictures) else COLUMNS, len(pictures))
    rows = -(-len(pictures) // columns)
    cell = 7.6 / columns
    with figure(7.6, rows * (cell * height / width + 0.38) + 0.1) as shape:
        grid = shape.subplots(rows, columns, squeeze=False)
        for axes in grid.flat:
            axes.set_axis_off()
        for axes, picture in zip(grid.flat, pictures, strict=False):
            axes.set_title(picture.score, color=MUTED)
            axes.annotate(
                wrapped(picture.name),
                (0, 1),
                xycoords="axes fraction",
                xytext=(0, 15),
                textcoords="offset points",
                va="baseline",
            )
            _show(axes, picture.pixels)
        names = words.listed(p.name for p in pictures if p.png is not None)
        return drawn(shape, f"{table.group.slug}-samples", f"Samples of {names}. {rule(table)}")


def _sample(table: Table, index: int) -> Sample:
    line, metric = table.lines[index], table.group.first
    found = median_run(line.contender, metric)
    if found is None:
        return Sample(line.name, "no finished run", "", None, None)
    value, run = found
    score = f"{words.title(metric)} {rounding.number(value, rounding.places_of(table)[metric])}"
    if run.picture is None:
        return Sample(line.name, f"{score}, no picture kept", run.run_id, None, None)
    return Sample(line.name, score, run.run_id, run.picture, _pixels(run.picture))


def _pixels(png: bytes) -> np.ndarray:
    """[H, W, 3]."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as opened:
        return np.asarray(opened.convert("RGB"))


def _show(axes: Any, pixels: np.ndarray | None) -> None:
    if pixels is None:
        axes.text(0.5, 0.5, "no picture", transform=axes.transAxes, ha="center", color=MUTED)
    else:
        factor = -(-SHOWN // min(pixels.shape[:2]))
        axes.imshow(pixels.repeat(factor, axis=0).repeat(factor, axis=1))
