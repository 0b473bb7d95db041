"""Compute what a search of k configurations finds: the score of its choice, against k.

The study's central figure (Lucic et al. 2018, arXiv:1711.10337) is the distribution of the best
score under a budget. A search chooses by one split and reports another, so that what it finds is
the reported score of the lowest of k by what selects: `by` of `bench.stats.expected_best`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bench import stats
from bench.reporting.tables.search import Search, SearchedVariant
from bench.reporting.tables.summary import LEVEL, RESAMPLES, bootstrap_generator

QUANTILES = (0.1, 0.5, 0.9)  # drawn beside the mean
MAX_CONSECUTIVE = 24  # budgets up to here are all drawn; beyond, as many again in equal ratios


@dataclass(frozen=True)
class BudgetCurve:
    """Scores that a variant's searches find, at K budgets.

    Args:
        ks: budgets, that is numbers of configurations, [K].
        mean: expected score of the choice, over all searches without replacement, [K].
        quantiles: QUANTILES of that score, [K, 3].
        resampled: its mean over RESAMPLES searches with replacement, as in the study, [K].
        trusted: largest budget whose interval is drawn.
        intervals: bootstrap intervals of the mean for the T budgets up to `trusted`, [T, 2].
    """

    variant: str
    ks: np.ndarray
    mean: np.ndarray
    quantiles: np.ndarray
    resampled: np.ndarray
    trusted: int
    intervals: np.ndarray


def compute_budget_curves(search: Search) -> list[BudgetCurve]:
    """Compute the curve of every variant of which a configuration ended."""
    return [compute_budget_curve(searched) for searched in search.variants if searched.configs]


def compute_budget_curve(searched: SearchedVariant) -> BudgetCurve:
    """Compute the curve of one variant; a configuration without a score counts as untrained."""
    n, by = len(searched.configs), searched.selection
    scores = searched.sign * np.asarray(searched.costs)
    ks, trusted = budget_sizes(n), stats.trusted_budget(n)
    resampling: Any = {"resamples": RESAMPLES, "generator": bootstrap_generator(), "by": by}
    intervals = stats.best_interval(scores, ks[ks <= trusted], level=LEVEL, **resampling)
    return BudgetCurve(
        variant=searched.name,
        ks=ks,
        mean=stats.expected_best(scores, ks, by=by),
        quantiles=np.stack([stats.best_quantile(scores, int(k), QUANTILES, by=by) for k in ks]),
        resampled=stats.resampled_best(scores, ks, replace=True, **resampling).mean,
        trusted=trusted,
        intervals=np.array([(bounds.low, bounds.high) for bounds in intervals]),
    )


def budget_sizes(n: int) -> np.ndarray:
    """Return budgets from 1 to n, thinned where n is large."""
    thinned = np.geomspace(min(n, MAX_CONSECUTIVE), n, MAX_CONSECUTIVE).round().astype(int)
    return np.unique(np.concatenate([np.arange(1, min(n, MAX_CONSECUTIVE) + 1), thinned]))
