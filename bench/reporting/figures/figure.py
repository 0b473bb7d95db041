"""A figure of a report."""

from dataclasses import dataclass

from bench.plotting.style import Drawing
from bench.reporting.figures import captions, dots, sheet
from bench.reporting.figures.sheet import Sample
from bench.reporting.tables.summary import Table


@dataclass(frozen=True)
class Figure:
    """A drawing as a report shows it.

    Args:
        title: above it; empty for the first of a section.
        caption: below it: what is drawn, by which rule, what must not be read into it.
        narrow: the same for a telephone, on the page alone.
        samples: the single pictures of a sheet, which the page shows instead.
    """

    title: str
    caption: str
    drawing: Drawing
    narrow: Drawing | None = None
    samples: tuple[Sample, ...] = ()


def make_figure(
    title: str, caption: str, drawing: Drawing | None, narrow: Drawing | None = None
) -> Figure | None:
    """The figure of a drawing, where there is one."""
    return None if drawing is None else Figure(title, caption, drawing, narrow)


def main_figure(table: Table) -> Figure:
    """Every run's score."""
    drawing, narrow = dots.main_plot(table), dots.main_plot(table, narrow=True)
    return Figure("", captions.main(table), drawing, narrow)


def others_figure(table: Table) -> Figure | None:
    """The further scores."""
    said = "The other scores, of the same samples and features. Arrows point to the better side."
    return make_figure("Further scores", said, dots.other_plots(table))


def sheet_figure(table: Table) -> Figure | None:
    """Samples."""
    pictures = sheet.samples(table)
    drawing = sheet.sheet(table, pictures)
    if drawing is None:
        return None
    return Figure("Samples", sheet.rule(table), drawing, samples=tuple(pictures))
