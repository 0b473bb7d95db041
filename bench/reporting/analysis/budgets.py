"""What a search of k configurations finds: the score of the one it would choose, against k.

The study's central figure (Lucic et al. 2018, arXiv:1711.10337) is the distribution of the best
score under a budget. A search chooses by one split and reports another, so that what it finds is
the reported score of the lowest of k by what selects: sum_i w_i s_(i), with the weights of
`bench.stats.budget.order_weights` and s_(i) the reported scores in the order of selection. Where
nothing else selects this is `bench.stats.expected_best`.
"""

from dataclasses import dataclass

import numpy as np

from bench import stats
from bench.reporting.search import Searched
from bench.reporting.summary import LEVEL, RESAMPLES
from bench.stats.budget import order_weights

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
    """Budgets of one variant; None where no configuration of it ended."""
    n = len(searched.configs)
    if not n:
        return None
    scores = chosen_order(searched)
    ks = budgets(n)
    weights = np.stack([order_weights(n, int(k)) for k in ks])
    generator = np.random.Generator(np.random.PCG64(0))
    drawn = generator.integers(n, size=(RESAMPLES, n), dtype=np.int32)
    firsts = np.minimum.accumulate(drawn, axis=1)[:, ks - 1]
    trusted = stats.trusted_budget(n)
    repeated = scores[np.sort(drawn, axis=1)] @ weights[ks <= trusted].T
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    return Budget(
        variant=searched.variant,
        ks=ks,
        mean=weights @ scores,
        quantiles=np.stack([_quantiles(scores, w) for w in weights]),
        resampled=scores[firsts].mean(0),
        trusted=trusted,
        intervals=np.quantile(repeated, tails, axis=0).T,
    )


def chosen_order(searched: Searched) -> np.ndarray:
    """Reported scores in the order in which configurations would be chosen, [n].

    A configuration without a score stands at the untrained generator's.
    """
    order = np.argsort(np.asarray(searched.selection), kind="stable")
    return searched.sign * np.asarray(searched.costs)[order]


def budgets(n: int) -> np.ndarray:
    """1 to n, thinned where n is large."""
    far = np.geomspace(min(n, EACH), n, EACH).round().astype(int)
    return np.unique(np.concatenate([np.arange(1, min(n, EACH) + 1), far]))


def _quantiles(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Smallest score below which so much of the weight lies, for each of BAND."""
    order = np.argsort(scores, kind="stable")
    mass = np.cumsum(weights[order])
    places = np.searchsorted(mass, np.asarray(BAND) * (1 - 1e-12))
    return scores[order][places.clip(max=len(scores) - 1)]
