"""What a search of k configurations finds: the score of the one it would choose, against k.

The study's central figure (Lucic et al. 2018, arXiv:1711.10337) is the distribution of the best
score under a budget. A search chooses by one split and reports another, so that what it finds is
the reported score of the lowest of k by what selects: `by` of `bench.stats.expected_best`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bench import stats
from bench.reporting.tables.search import Searched
from bench.reporting.tables.summary import LEVEL, RESAMPLES, generator

BAND = (0.1, 0.5, 0.9)  # quantiles drawn beside the mean
EACH = 24  # budgets up to this one are all drawn; beyond, as many again in equal ratios


@dataclass(frozen=True)
class Budget:
    """What searches of so many configurations find.

    Args:
        ks: budgets, [K].
        mean: expected score of the chosen one, over all searches without replacement, [K].
        quantiles: of BAND, of the same, [K, 3].
        resampled: the mean over RESAMPLES searches with replacement, as in the study, [K].
        trusted: largest budget whose interval is drawn.
        intervals: bootstrap intervals of the mean for the budgets up to `trusted`, [T, 2].
    """

    variant: str
    ks: np.ndarray
    mean: np.ndarray
    quantiles: np.ndarray
    resampled: np.ndarray
    trusted: int
    intervals: np.ndarray


def budget_of(searched: Searched) -> Budget | None:
    """Budgets of one variant; None where no configuration of it ended.

    A configuration without a score stands at the untrained generator's.
    """
    n, by = len(searched.configs), searched.selection
    if not n:
        return None
    scores = searched.sign * np.asarray(searched.costs)
    ks, trusted = budgets(n), stats.trusted_budget(n)
    draws: Any = {"resamples": RESAMPLES, "generator": generator(), "by": by}
    intervals = stats.best_interval(scores, ks[ks <= trusted], level=LEVEL, **draws)
    return Budget(
        variant=searched.name,
        ks=ks,
        mean=stats.expected_best(scores, ks, by=by),
        quantiles=np.stack([stats.best_quantile(scores, int(k), BAND, by=by) for k in ks]),
        resampled=stats.resampled_best(scores, ks, replace=True, **draws).mean,
        trusted=trusted,
        intervals=np.array([(found.low, found.high) for found in intervals]),
    )


def budgets(n: int) -> np.ndarray:
    """1 to n, thinned where n is large."""
    far = np.geomspace(min(n, EACH), n, EACH).round().astype(int)
    return np.unique(np.concatenate([np.arange(1, min(n, EACH) + 1), far]))
