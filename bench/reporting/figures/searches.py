"""All figures of a search, the main one first."""

from bench.plotting.style import Look
from bench.reporting.analysis.budgets import budget_of
from bench.reporting.analysis.sensitivity import effects_of
from bench.reporting.figures import (
    budget,
    captions,
    search_captions,
    sensitivity,
    spread,
    tradeoff,
)
from bench.reporting.figures.figure import Figure, main_figure, make_figure, sheet_figure
from bench.reporting.tables.search import Search
from bench.reporting.tables.summary import Table


def of_search(table: Table, search: Search, looks: dict[str, Look]) -> list[Figure | None]:
    """Figures of a stage in which contenders are variants with all their configurations."""
    boxes = spread.spread_plot(search)
    if boxes is None:  # no configuration has a score
        return [main_figure(table), sheet_figure(table)]
    found = [b for b in map(budget_of, search.variants) if b is not None]
    effects = effects_of(search)
    return [
        make_figure(
            "", search_captions.spread(search), boxes, spread.spread_plot(search, narrow=True)
        ),
        make_figure(
            "Best score against budget",
            search_captions.budget(search, found),
            budget.together(search, found, looks),
        ),
        make_figure(
            "Budget, variant by variant", search_captions.budgets(found), budget.each(search, found)
        ),
        make_figure(
            "Sensitivity to hyperparameters",
            search_captions.sensitivity(search, effects),
            sensitivity.sensitivity_plot(search, effects),
        ),
        make_figure(
            "Precision and recall", captions.tradeoff(table), tradeoff.both_panels(table, looks)
        ),
        make_figure(
            "Precision and recall, variant by variant",
            search_captions.tradeoffs(table),
            tradeoff.panel_each(table),
        ),
        sheet_figure(table),
    ]
