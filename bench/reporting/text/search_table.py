"""Build the table of a search as text: what the configurations of each variant scored."""

import numpy as np

from bench.reporting.tables import rounding
from bench.reporting.tables.search import Search, SearchedVariant

COLUMN_TITLES = ("variant", "tried", "diverged", "defaults", "median (quartiles)", "chosen")


def search_rows(search: Search) -> list[tuple[str, ...]]:
    """Return a row under COLUMN_TITLES for each variant, by the score that selection picks.

    "18 of 20" were tried where others have not ended; those that diverged count as the untrained
    generator; what is chosen stands there with its number.
    """
    scores = [v.best.score for v in search.variants if v.best and v.best.score is not None]
    return [_search_row(variant, rounding.column_decimals(scores)) for variant in search.variants]


def _search_row(variant: SearchedVariant, places: int) -> tuple[str, ...]:
    count = len(variant.configs)
    diverged = sum(config.diverged > 0 for config in variant.configs)
    median_text = rounding.DASH
    if count:
        quartiles = sorted(variant.sign * q for q in np.quantile(variant.costs, [0.25, 0.75]))
        median = variant.sign * float(np.median(variant.costs))
        decimals = rounding.column_decimals([median])
        low, high = (rounding.format_number(q, decimals) for q in quartiles)
        median_text = f"{rounding.format_number(median, decimals)} ({low} to {high})"
    best, default = variant.best, variant.default
    chosen = rounding.DASH
    if best is not None and best.score is not None:
        chosen = f"{rounding.format_number(best.score, places)} (no. {best.sample})"
    unended = variant.n_unended
    default_text = rounding.DASH
    if default is not None and default.score is not None:
        decimals = rounding.column_decimals([default.score])
        default_text = rounding.format_number(default.score, decimals)
    tried = f"{count} of {count + unended}" if unended else f"{count}"
    n_diverged = str(diverged or rounding.DASH)
    return (variant.name, tried, n_diverged, default_text, median_text, chosen)
