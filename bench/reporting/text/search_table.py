"""The table of a search: what the configurations of each variant came to."""

from typing import NamedTuple

import numpy as np

from bench.reporting.tables import rounding
from bench.reporting.tables.search import Search, Searched


class SearchRow(NamedTuple):
    """A variant's line, as text.

    Args:
        tried: configurations; "18 of 20" where others have not ended.
        diverged: of those; they count as the untrained generator.
        default: score of the defaults.
        median: over all configurations, with the quartiles.
        chosen: score of the one that selection picks, and which it is.
    """

    name: str
    tried: str
    diverged: str
    default: str
    median: str
    chosen: str


HEADS = ("variant", "tried", "diverged", "defaults", "median (quartiles)", "chosen")


def search_rows(search: Search) -> list[SearchRow]:
    """The variants in the order of what was chosen."""
    scores = [v.best.score for v in search.variants if v.best and v.best.score is not None]
    return [_line(one, rounding.decimals(scores)) for one in search.variants]


def _line(one: Searched, places: int) -> SearchRow:
    count = len(one.configs)
    lost = sum(config.diverged > 0 for config in one.configs)
    median = rounding.DASH
    if count:
        quartiles = sorted(one.sign * q for q in np.quantile(one.costs, [0.25, 0.75]))
        middle = one.sign * float(np.median(one.costs))
        spaces = rounding.decimals([middle])
        low, high = (rounding.number(q, spaces) for q in quartiles)
        median = f"{rounding.number(middle, spaces)} ({low} to {high})"
    best, default = one.best, one.default
    chosen = rounding.DASH
    if best is not None and best.score is not None:
        chosen = f"{rounding.number(best.score, places)} (no. {best.sample})"
    return SearchRow(
        name=one.name,
        tried=f"{count}" if not one.open else f"{count} of {count + one.open}",
        diverged=str(lost or rounding.DASH),
        default=_score(None if default is None else default.score),
        median=median,
        chosen=chosen,
    )


def _score(score: float | None) -> str:
    return rounding.DASH if score is None else rounding.number(score, rounding.decimals([score]))
