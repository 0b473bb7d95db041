"""A section of a report: one comparison and its figures."""

from dataclasses import dataclass

from bench.reporting import curves, dots, sheet
from bench.reporting.comparisons import Comparison
from bench.reporting.sheet import Sample
from bench.reporting.style import Drawing
from bench.reporting.summary import Table


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


@dataclass(frozen=True)
class Section:
    """One comparison with its figures, the main one first."""

    comparison: Comparison
    figures: tuple[Figure, ...]

    @property
    def table(self) -> Table:
        """The comparison's main one."""
        return self.comparison.main


def section_of(comparison: Comparison) -> Section:
    """Draw everything of a comparison."""
    table = comparison.main
    figures = [main_figure(table), others_figure(table), sheet_figure(table), losses_figure(table)]
    return Section(comparison, tuple(figure for figure in figures if figure is not None))


def main_figure(table: Table) -> Figure:
    """Every seed's score."""
    floor = ", the dotted line what real samples reach" if table.floor else ""
    return Figure(
        "",
        f"One dot per seed; the upright stroke is their mean{floor}.",
        dots.main_plot(table),
        dots.main_plot(table, narrow=True),
    )


def others_figure(table: Table) -> Figure | None:
    """The further scores."""
    drawing = dots.other_plots(table)
    said = "The other scores, of the same samples and features. Arrows point to the better side."
    return None if drawing is None else Figure("Further scores", said, drawing)


def sheet_figure(table: Table) -> Figure | None:
    """Samples."""
    pictures = sheet.samples(table)
    drawing = sheet.sheet(table, pictures)
    if drawing is None:
        return None
    return Figure("Samples", sheet.rule(table), drawing, samples=tuple(pictures))


def losses_figure(table: Table) -> Figure | None:
    """Losses over steps."""
    drawing = curves.learning_curves(table)
    said = (
        "One thin line per seed. Losses of different variants are different quantities; each panel "
        "has an axis of its own, from the 1st to the 99th percentile of the losses of its finished "
        "runs."
    )
    return None if drawing is None else Figure("Learning curves", said, drawing)
