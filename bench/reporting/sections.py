"""A section of a report: one comparison and its pictures."""

from dataclasses import dataclass

from bench.reporting import curves, dots, sheet
from bench.reporting.comparisons import Comparison
from bench.reporting.sheet import Sample
from bench.reporting.style import Drawing
from bench.reporting.summary import Table


@dataclass(frozen=True)
class Section:
    """One comparison with its pictures.

    Args:
        main, others, losses, sheet: figures; None where there is nothing to draw.
        narrow: the main one for a telephone, on the page alone.
        samples: the single pictures of the sheet.
    """

    comparison: Comparison
    main: Drawing
    narrow: Drawing
    others: Drawing | None
    losses: Drawing | None
    sheet: Drawing | None
    samples: tuple[Sample, ...]

    @property
    def table(self) -> Table:
        """The comparison's main one."""
        return self.comparison.main

    @property
    def drawings(self) -> tuple[Drawing, ...]:
        """All that become files."""
        return tuple(d for d in (self.main, self.others, self.losses, self.sheet) if d is not None)


def section_of(comparison: Comparison) -> Section:
    """Draw everything of a comparison."""
    table = comparison.main
    pictures = sheet.samples(table)
    return Section(
        comparison=comparison,
        main=dots.main_plot(table),
        narrow=dots.main_plot(table, narrow=True),
        others=dots.other_plots(table),
        losses=curves.learning_curves(table),
        sheet=sheet.sheet(table, pictures),
        samples=tuple(pictures),
    )
