"""All figures of contenders with several seeds, the main one first."""

from bench import stats
from bench.plotting.style import Look
from bench.reporting.analysis import outcomes
from bench.reporting.analysis.variance import shares_of
from bench.reporting.figures import (
    captions,
    improvement,
    losses,
    progress,
    ranks,
    tradeoff,
    variance,
)
from bench.reporting.figures.figure import (
    Figure,
    main_figure,
    make_figure,
    others_figure,
    sheet_figure,
)
from bench.reporting.tables.search import Search
from bench.reporting.tables.summary import Table


def of_seeds(table: Table, search: Search | None, looks: dict[str, Look]) -> list[Figure | None]:
    """Figures of a stage in which a contender's runs differ by seed alone.

    Args:
        search: the one that its configurations were chosen from, where there was one.
    """
    compared = outcomes.outcomes_of(table) if table.verdict.letters else {}
    ranked = outcomes.ranks_of(table) if compared else {}
    pairs = outcomes.improvement_of(table) if compared else None
    enough = bool(pairs) and pairs is not None and pairs.fewest >= stats.INTERVAL_RUNS
    shares = shares_of(search, table) if search is not None else []
    return [
        main_figure(table),
        others_figure(table),
        make_figure(
            "Ranks",
            captions.ranks(table, intervals=enough),
            ranks.ranks_plot(table, ranked, intervals=enough),
        ),
        make_figure(
            "Probability of improvement",
            captions.improvement(table, intervals=enough),
            improvement.improvement_plot(table, pairs),
        ),
        make_figure(
            "Precision and recall", captions.tradeoff(table), tradeoff.both_panels(table, looks)
        ),
        sheet_figure(table),
        make_figure("Progress", captions.progress(table), progress.progress_plot(table)),
        make_figure("Losses", captions.losses(table), losses.losses_plot(table)),
        make_figure(
            "Sources of variance",
            captions.variance(shares, table),
            variance.variance_plot(table, shares),
        ),
    ]
