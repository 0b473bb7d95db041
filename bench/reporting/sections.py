"""A section of a report: one comparison and its figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.reporting.comparisons import Comparison
from bench.reporting.figures.figure import Figure
from bench.reporting.figures.searches import of_search
from bench.reporting.figures.seeds import of_seeds
from bench.reporting.search import Search, search_of
from bench.reporting.style import looks_of
from bench.reporting.summary import Table


@dataclass(frozen=True)
class Section:
    """One comparison with its figures, the main one first."""

    comparison: Comparison
    figures: tuple[Figure, ...]

    @property
    def table(self) -> Table:
        """The comparison's main one."""
        return self.comparison.main


def section_of(comparison: Comparison, study: Sequence[Comparison] = ()) -> Section:
    """Draw everything of a comparison.

    Args:
        study: all comparisons of it, so that a contender looks the same in each, and for what
            takes two stages.
    """
    names = (c.name for one in study or (comparison,) for c in one.main.group.contenders)
    looks = looks_of(names)
    if comparison.stage.searches:
        found = of_search(comparison.main, search_of(comparison.main), looks)
    else:
        found = of_seeds(comparison.main, _search_behind(comparison, study), looks)
    return Section(comparison, tuple(figure for figure in found if figure is not None))


def _search_behind(comparison: Comparison, study: Sequence[Comparison]) -> Search | None:
    """The search on the same data set, protocol and checkpoint; None where there is none."""
    group = comparison.main.group
    key = (group.dataset, group.checkpoint, group.protocol)
    for one in study:
        other = one.main.group
        if one.stage.searches and (other.dataset, other.checkpoint, other.protocol) == key:
            return search_of(one.main)
    return None
