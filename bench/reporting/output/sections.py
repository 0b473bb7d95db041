"""A report that was written, and its sections: each one comparison with its figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.plotting.style import Look, looks_of
from bench.reporting.claims import Judged
from bench.reporting.data.records import StageRecord
from bench.reporting.figures.figure import Figure
from bench.reporting.figures.searches import of_search
from bench.reporting.figures.seeds import of_seeds
from bench.reporting.tables.comparisons import Comparison, search_behind
from bench.reporting.tables.search import Search, search_of
from bench.reporting.tables.summary import Table

MANY = 4  # sections from which on further processes are worth their start


@dataclass(frozen=True)
class Section:
    """One comparison with its figures, the main one first."""

    comparison: Comparison
    figures: tuple[Figure, ...]

    @property
    def table(self) -> Table:
        """The comparison's main one."""
        return self.comparison.main


@dataclass(frozen=True)
class Report:
    """What was written, and what the terminal shows of it.

    Args:
        sweep: all its stages as one.
    """

    sweep: StageRecord
    sections: tuple[Section, ...]
    claims: Sequence[Judged]
    folder: Path

    @property
    def page(self) -> Path:
        """The page that opens in a browser."""
        return self.folder / "index.html"


def sections_of(study: Sequence[Comparison]) -> tuple[Section, ...]:
    """Draw everything of a study; a contender looks the same in each section.

    Many sections are drawn in as many processes as there are cores: each is its own work.
    """
    looks = looks_of(c.name for one in study for c in one.main.group.contenders)
    tasks = [(one.main, one.stage.searches, search_behind(one, study), looks) for one in study]
    if len(tasks) < MANY:
        drawn = [_figures(*task) for task in tasks]
    else:
        from joblib import Parallel, delayed

        drawn = Parallel(n_jobs=-1)(delayed(_figures)(*task) for task in tasks)
    return tuple(Section(one, figures) for one, figures in zip(study, drawn, strict=True))


def _figures(
    table: Table, searches: bool, behind: Search | None, looks: dict[str, Look]
) -> tuple[Figure, ...]:
    if searches:
        found = of_search(table, search_of(table), looks)
    else:
        found = of_seeds(table, behind, looks)
    return tuple(figure for figure in found if figure is not None)
