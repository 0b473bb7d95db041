"""Build the table of a search as text: what the configurations of each variant scored."""

from typing import NamedTuple

import numpy as np

from bench.reporting.tables import rounding
from bench.reporting.tables.search import Search, SearchedVariant


class SearchRow(NamedTuple):
    """A variant's row of the table, as text.

    Args:
        tried: number of configurations; "18 of 20" if others have not ended.
        diverged: how many of these diverged; they count as the untrained generator.
        default: score of the defaults.
        median: median over all configurations, with the quartiles.
        chosen: score and number of the configuration that selection picks.
    """

    name: str
    tried: str
    diverged: str
    default: str
    median: str
    chosen: str


COLUMN_TITLES = ("variant", "tried", "diverged", "defaults", "median (quartiles)", "chosen")


def search_rows(search: Search) -> list[SearchRow]:
    """Return the variants' rows, ordered by the score of the chosen configuration."""
    scores = [v.best.score for v in search.variants if v.best and v.best.score is not None]
    return [_search_row(variant, rounding.column_decimals(scores)) for variant in search.variants]


def _search_row(variant: SearchedVariant, places: int) -> SearchRow:
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
    return SearchRow(
        name=variant.name,
        tried=f"{count} of {count + unended}" if unended else f"{count}",
        diverged=str(diverged or rounding.DASH),
        default=_format_score(None if default is None else default.score),
        median=median_text,
        chosen=chosen,
    )


def _format_score(score: float | None) -> str:
    if score is None:
        return rounding.DASH
    return rounding.format_number(score, rounding.column_decimals([score]))
