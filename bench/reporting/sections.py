"""A section of a report: one comparison and its figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench import stats
from bench.reporting.analysis import budgets, outcomes, sensitivity, variance
from bench.reporting.comparisons import Comparison
from bench.reporting.figures import (
    budget,
    captions,
    dots,
    improvement,
    losses,
    progress,
    ranks,
    sheet,
    spread,
    tradeoff,
)
from bench.reporting.figures import sensitivity as sensitivity_figure
from bench.reporting.figures import variance as variance_figure
from bench.reporting.figures.sheet import Sample
from bench.reporting.search import Search, search_of
from bench.reporting.style import Drawing, Look, looks_of
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


def of_search(table: Table, search: Search, looks: dict[str, Look]) -> list[Figure | None]:
    """Figures of a stage in which contenders are variants with all their configurations."""
    boxes = spread.spread_plot(search)
    if boxes is None:  # no configuration has a score
        return [main_figure(table), sheet_figure(table)]
    found = [b for b in map(budgets.budget_of, search.variants) if b is not None]
    effects = sensitivity.effects_of(search)
    return [
        _figure("", captions.spread(search), boxes, spread.spread_plot(search, narrow=True)),
        _figure(
            "Best score against budget",
            captions.budget(search, found),
            budget.together(search, found, looks),
        ),
        _figure("Budget, variant by variant", captions.budgets(found), budget.each(search, found)),
        _figure(
            "Sensitivity to hyperparameters",
            captions.sensitivity(search, effects),
            sensitivity_figure.sensitivity_plot(search, effects),
        ),
        _figure(
            "Precision and recall", captions.tradeoff(table), tradeoff.both_panels(table, looks)
        ),
        _figure(
            "Precision and recall, variant by variant",
            captions.tradeoffs(table),
            tradeoff.panel_each(table),
        ),
        sheet_figure(table),
    ]


def of_seeds(table: Table, search: Search | None, looks: dict[str, Look]) -> list[Figure | None]:
    """Figures of a stage in which a contender's runs differ by seed alone.

    Args:
        search: the one that its configurations were chosen from, where there was one.
    """
    compared = outcomes.outcomes_of(table) if table.verdict.letters else {}
    ranked = outcomes.ranks_of(table) if compared else {}
    pairs = outcomes.improvement_of(table) if compared else None
    enough = bool(pairs) and pairs is not None and pairs.fewest >= stats.INTERVAL_RUNS
    shares = variance.shares_of(search, table) if search is not None else []
    return [
        main_figure(table),
        others_figure(table),
        _figure(
            "Ranks",
            captions.ranks(table, intervals=enough),
            ranks.ranks_plot(table, ranked, intervals=enough),
        ),
        _figure(
            "Probability of improvement",
            captions.improvement(table, intervals=enough),
            improvement.improvement_plot(table, pairs),
        ),
        _figure(
            "Precision and recall", captions.tradeoff(table), tradeoff.both_panels(table, looks)
        ),
        sheet_figure(table),
        _figure("Progress", captions.progress(table), progress.progress_plot(table)),
        _figure("Losses", captions.losses(table), losses.losses_plot(table)),
        _figure(
            "Sources of variance",
            captions.variance(shares, table),
            variance_figure.variance_plot(table, shares),
        ),
    ]


def main_figure(table: Table) -> Figure:
    """Every run's score."""
    drawing, narrow = dots.main_plot(table), dots.main_plot(table, narrow=True)
    return Figure("", captions.main(table), drawing, narrow)


def others_figure(table: Table) -> Figure | None:
    """The further scores."""
    said = "The other scores, of the same samples and features. Arrows point to the better side."
    return _figure("Further scores", said, dots.other_plots(table))


def sheet_figure(table: Table) -> Figure | None:
    """Samples."""
    pictures = sheet.samples(table)
    drawing = sheet.sheet(table, pictures)
    if drawing is None:
        return None
    return Figure("Samples", sheet.rule(table), drawing, samples=tuple(pictures))


def _figure(
    title: str, caption: str, drawing: Drawing | None, narrow: Drawing | None = None
) -> Figure | None:
    return None if drawing is None else Figure(title, caption, drawing, narrow)


def _search_behind(comparison: Comparison, study: Sequence[Comparison]) -> Search | None:
    """The search on the same data set, protocol and checkpoint; None where there is none."""
    group = comparison.main.group
    key = (group.dataset, group.checkpoint, group.protocol)
    for one in study:
        other = one.main.group
        if one.stage.searches and (other.dataset, other.checkpoint, other.protocol) == key:
            return search_of(one.main)
    return None
