"""Draw a sample sheet: pictures of each method's median run and of its best, by score."""

import io
from typing import Any

import numpy as np

from bench.plotting import labels, layout
from bench.plotting.style import MUTED, Drawing, figure, render, wrap_name
from bench.reporting.figures.figure import KINDS, FigureSpec, Sample, SectionData
from bench.reporting.tables import rounding
from bench.reporting.tables.summary import Table, TableRow, best_run, median_run
from bench.reporting.text import words

COLUMNS = 5
COLUMNS_OF_PAIRS = 6  # where each method has two pictures
MIN_RUNS_FOR_PAIRS = 3  # scored runs from which on the best is not the median
ROW_PIXELS = 1500  # to which the pictures of a row are enlarged, so that edges stay sharp


def draw(section: SectionData) -> Drawing | None:
    """Draw all pictures in one labelled grid; None where there is no picture at all."""
    samples = list_samples(section)
    sizes = [s.pixels.shape for s in samples if s.pixels is not None]
    if not sizes:
        return None
    height, width = max(s[0] for s in sizes), max(s[1] for s in sizes)
    max_columns = COLUMNS_OF_PAIRS if shows_pairs(section.table) else COLUMNS
    columns = min(2 if any(s.wide for s in samples) else max_columns, len(samples))
    n_rows = -(-len(samples) // columns)
    title_lines = labels.count_title_lines((s.name for s in samples), columns)
    above = 0.24 + 0.13 * title_lines  # inches of the words above a picture
    cell_width = (7.6 - 0.12 - (columns - 1) * 0.1) / columns
    cell_height = cell_width * height / width
    size = 8 * min(1.0, cell_width / layout.text_width(s.score for s in samples))
    margins = layout.Margins(0.06, 0.06, above, 0.06)
    total = n_rows * cell_height + (n_rows - 1) * (above + 0.08) + above + 0.06
    with figure(7.6, total, placed=True) as fig:
        gaps = (0.1, above + 0.08)
        grid = layout.add_panels(fig, len(samples), columns, margins, gaps, shared=False)
        for axes, sample in zip(grid, samples, strict=True):
            axes.set_axis_off()
            axes.set_title(sample.score, color=MUTED, fontsize=size)
            name = wrap_name(sample.name, labels.max_characters(columns))
            axes.annotate(name, (0, 1), xycoords="axes fraction", xytext=(0, 16),
                          textcoords="offset points", va="baseline", linespacing=1.05)  # fmt: skip
            _draw_pixels(axes, sample.pixels, ROW_PIXELS // columns)
        names = words.join_with_and(s.name for s in samples if s.png is not None)
        alt = f"Samples of {names}. {caption(section)}"
        return render(fig, f"{section.table.group.slug}-samples", alt)


def caption(section: SectionData) -> str:
    """Say how the runs were chosen, and of which checkpoint pictures and scores are."""
    group, score = section.table.group, words.metric_title(section.table.group.first)
    if not shows_pairs(section.table):
        choice = (
            f"Each picture is of the run with its variant's median {score}, the lower median of an "
            "even number, at fixed latents; none was chosen by eye."
        )
    else:
        choice = (
            f"Two pictures of each: of the run with the median {score}, the lower median of an "
            f"even number, and of the run with the best {score}, by the very score that stands "
            "above it; at fixed latents, none chosen by eye. Only the median says what to expect."
        )
    if group.checkpoint == "final":
        return choice
    return (
        f"{choice} Pictures are of the run's final checkpoint, the scores above them of its "
        f"{group.checkpoint} one."
    )


def shows_pairs(table: Table) -> bool:
    """Return whether some method has so many runs that its median run is not its best."""
    n_runs = [len(row.method.scored_runs(table.group.first)) for row in table.rows]
    return max(n_runs, default=0) >= MIN_RUNS_FOR_PAIRS


def list_samples(section: SectionData) -> tuple[Sample, ...]:
    """List each method's median run, and its best one too where pairs are shown."""
    table = section.table
    kinds = (", median", ", best") if shows_pairs(table) else ("",)
    return tuple(_sample(table, row, kind) for row in table.rows for kind in kinds)


def _sample(table: Table, row: TableRow, kind: str) -> Sample:
    metric, name = table.group.first, f"{row.name}{kind}"
    is_best = kind == ", best"
    chosen = best_run(table.group, row.method) if is_best else median_run(row.method, metric)
    if chosen is None:
        return Sample(name, "no finished run", "", None, None)
    value, run = chosen
    number = rounding.format_number(value, rounding.decimals_by_metric(table)[metric])
    score = f"{words.metric_title(metric)} {number}"
    if run.picture is None:
        return Sample(name, f"{score}, no picture kept", run.run_id, None, None)
    return Sample(name, score, run.run_id, run.picture, _decode(run.picture))


def _decode(png: bytes) -> np.ndarray:
    """Decode a picture to RGB, [H, W, 3]."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"))


def _draw_pixels(axes: Any, pixels: np.ndarray | None, min_side: int) -> None:
    """Draw pixels enlarged by a whole factor, so that their shorter side is at least `min_side`."""
    if pixels is None:
        axes.text(0.5, 0.5, "no picture", transform=axes.transAxes, ha="center", color=MUTED)
    else:
        factor = -(-min_side // min(pixels.shape[:2]))
        axes.imshow(pixels.repeat(factor, axis=0).repeat(factor, axis=1))


FIGURE = FigureSpec("Samples", KINDS, draw, caption, place=60, list_samples=list_samples)
