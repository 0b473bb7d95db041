"""Draw a report's sections, each one comparison with its figures; and the written report."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench.plotting.style import MethodStyle, assign_styles
from bench.reporting.claims.claim import ClaimResult
from bench.reporting.data.records import StageRecord
from bench.reporting.figures import draw_figures
from bench.reporting.figures.figure import Figure, SectionData
from bench.reporting.figures.short_names import with_short_names
from bench.reporting.tables.comparisons import Comparison, find_search
from bench.reporting.tables.overall import OverallRanking, compare_over_datasets
from bench.reporting.tables.search import summarise_search
from bench.reporting.tables.summary import Table

MIN_PARALLEL_SECTIONS = 4  # with fewer sections, starting processes costs more than it saves


@dataclass(frozen=True)
class Section:
    """One comparison with its figures, the main one first."""

    comparison: Comparison
    figures: tuple[Figure, ...]

    @property
    def table(self) -> Table:
        """Return the comparison's main table."""
        return self.comparison.main


@dataclass(frozen=True)
class Report:
    """A written report: its folder, and what the terminal prints of it.

    Args:
        sweep: all stages of the sweep merged into one.
    """

    sweep: StageRecord
    sections: tuple[Section, ...]
    claims: Sequence[ClaimResult]
    folder: Path

    @property
    def page(self) -> Path:
        """Return the path of the page for a browser."""
        return self.folder / "index.html"

    @cached_property
    def overall(self) -> OverallRanking | None:
        """Return the ranking over all data sets, which Markdown and page both show."""
        return compare_over_datasets([section.comparison for section in self.sections])


def draw_sections(study: Sequence[Comparison], *, pdf: bool = False) -> tuple[Section, ...]:
    """Draw the figures of all comparisons; a method has one colour and marker in all of them.

    From MIN_PARALLEL_SECTIONS on, the comparisons are drawn in one process for each core.

    Args:
        pdf: make a PDF of each figure too.
    """
    shown = with_short_names(study)
    styles = assign_styles(m.name for one in shown for m in one.main.group.methods)
    data = [_section_data(one, shown, styles) for one in shown]
    if len(data) < MIN_PARALLEL_SECTIONS:
        figures = [draw_figures(one, pdf=pdf) for one in data]
    else:
        from joblib import Parallel, delayed

        figures = Parallel(n_jobs=-1)(delayed(draw_figures)(one, pdf=pdf) for one in data)
    return tuple(Section(one, drawn) for one, drawn in zip(study, figures, strict=True))


def _section_data(
    comparison: Comparison, study: Sequence[Comparison], styles: dict[str, MethodStyle]
) -> SectionData:
    if comparison.stage.is_search:
        search = summarise_search(comparison.main)
        return SectionData(comparison.main, styles, shown_search=search)
    return SectionData(comparison.main, styles, source_search=find_search(comparison, study))
