"""Many contenders on the same blocks, a data set with a seed say: Friedman's test and Nemenyi's.

Demsar 2006 (J. Mach. Learn. Res. 7, 1), section 3.2.
"""

from collections.abc import Mapping
from itertools import combinations
from math import factorial, inf, sqrt
from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc

from bench.stats.checks import Values, ordered, probability
from bench.stats.ranksum import groups

# If all N blocks order k contenders alike, p is (k!)^(1 - N), exactly: 1/16 for two contenders in
# 5 blocks, 1/32 in 6. Below 6 no outcome of two contenders reaches 0.05, and the chi-square of
# Friedman's test would say otherwise (0.046 for 4 blocks).
MIN_BLOCKS = 6


class Friedman(NamedTuple):
    """Friedman's test.

    Args:
        ranks: mean rank of each contender, [K], 1 for the best.
        statistic: chi-square with K - 1 degrees of freedom, corrected for ties.
        p: of at least this much, were all contenders alike.
    """

    ranks: np.ndarray
    statistic: float
    p: float


def friedman(scores: np.ndarray) -> Friedman:
    """12 N / (k (k + 1)) sum_j (R_j - (k + 1) / 2)^2 over 1 - sum (t^3 - t) / (N (k^3 - k)).

    Demsar 2006, section 3.2.2, with the usual correction for t values tied in a block.

    Args:
        scores: [N blocks, k contenders], lower is better; infinity for a diverged run.

    Returns:
        p of the chi-square, which wants more than about 10 blocks and 5 contenders. Seeds of one
        data set are no independent blocks for what holds on other data sets: then a data set is
        the block, and its score a mean over seeds. p = 1 where all scores of each block tie.

    Raises:
        ValueError: no table of two blocks and two contenders at least, or NaN.
    """
    from scipy.stats import rankdata  # takes a second to import

    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2 or min(table.shape) < 2 or np.isnan(table).any():
        raise ValueError(f"friedman: 2 blocks x 2 contenders without NaN, found {table.shape}")
    n, k = table.shape
    ranks = rankdata(table, axis=1)
    mean = ranks.mean(0)
    # sum of squared ranks of a block: k (k + 1) (2k + 1) / 6 less (t^3 - t) / 12 for each tie
    spread = np.square(ranks - (k + 1) / 2).sum() / (n * (k - 1))
    if spread == 0:
        return Friedman(mean, 0.0, 1.0)
    statistic = float(n * np.square(mean - (k + 1) / 2).sum() / spread)
    return Friedman(mean, statistic, float(chdtrc(k - 1, statistic)))


def nemenyi_difference(contenders: int, blocks: int, *, alpha: float) -> float:
    """q_alpha sqrt(k (k + 1) / (6 N)): Demsar 2006, section 3.2.2, q_alpha of table 5(a).

    Returns:
        Difference of mean ranks from which on two of k contenders differ, in N blocks, with a
        probability alpha of any false difference; q_alpha is the studentized range's over sqrt 2.

    Raises:
        ValueError: fewer than two contenders or blocks, or alpha outside (0, 1).
    """
    from scipy.stats import studentized_range  # takes a second to import

    probability("nemenyi_difference: alpha", alpha)
    if contenders < 2 or blocks < 2:
        raise ValueError(f"nemenyi_difference: 2 at least, found {contenders} in {blocks} blocks")
    q = float(studentized_range.ppf(1 - alpha, contenders, inf)) / sqrt(2)
    return q * sqrt(contenders * (contenders + 1) / (6 * blocks))


def nemenyi_groups(scores: Mapping[str, Values], *, alpha: float) -> list[tuple[str, ...]]:
    """Largest groups of contenders without a significant difference of mean ranks.

    Args:
        scores: contender -> one score per block, [N], the same blocks in the same order.
        alpha: of Friedman's test, and then of Nemenyi's.

    Returns:
        As `groups`, by mean rank, the best first; one group of all where Friedman's test finds
        no difference, for then there is nothing to look for (Demsar 2006, section 3.2.2).

    Raises:
        ValueError: contenders with different numbers of blocks, or as `friedman` and
            `nemenyi_difference`.
    """
    columns = [ordered(f"nemenyi_groups, {name}", values) for name, values in scores.items()]
    if len({len(column) for column in columns}) != 1:
        raise ValueError("nemenyi_groups: every contender in the same blocks")
    found = friedman(np.stack(columns, axis=1))
    ranks = dict(zip(scores, found.ranks, strict=True))
    names = sorted(scores, key=lambda name: (ranks[name], name))
    critical = nemenyi_difference(len(names), len(columns[0]), alpha=alpha)
    far = [frozenset({a, b}) for a, b in combinations(names, 2) if ranks[b] - ranks[a] >= critical]
    return groups(names, far if found.p <= alpha else [])


def blocks_needed(contenders: int, *, alpha: float) -> int:
    """Smallest N with (k!)^(1 - N) <= alpha: no fewer blocks can show a difference at all.

    Returns:
        6 for two contenders at alpha = 0.05, 3 for three, 2 for more.

    Raises:
        ValueError: fewer than two contenders, or alpha outside (0, 1).
    """
    probability("blocks_needed: alpha", alpha)
    if contenders < 2:
        raise ValueError(f"blocks_needed: two contenders at least, found {contenders}")
    n = 2
    while factorial(contenders) ** (n - 1) * alpha < 1:
        n += 1
    return n
