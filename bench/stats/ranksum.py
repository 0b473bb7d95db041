"""Which variants really differ: exact rank tests of few runs, and the groups they leave."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from math import comb

import numpy as np

# The smallest p that n against n runs can reach is 2 / C(2n, n), when one variant is better in
# every run: 0.1 for 3 against 3, 0.029 for 4 against 4. Below 4 no outcome at all reaches 0.05.
MIN_RUNS = 4
MANY = 400  # the exact p of so many takes 0.3 GB and two seconds; the approximation errs by 1e-3 p


def mann_whitney(first: Sequence[float], second: Sequence[float]) -> float:
    """Exact two-sided p of the rank-sum test: Mann and Whitney 1947 (Ann. Math. Stat. 18, 50).

    p = 2 min(P(W <= w), P(W >= w)), at most 1, over all ways to deal the pooled values to the
    two variants; ties get mid-ranks and are dealt like the rest, so p stays exact with them. Beyond
    MANY runs in all it is the normal approximation with the correction for ties, as scipy's.

    Args:
        first, second: scores of two variants, one per run. Infinity may stand for a run that
            is worse than any number.

    Raises:
        ValueError: a variant has no run, or a score is NaN.
    """
    from scipy.stats import mannwhitneyu, rankdata  # takes a second to import

    pooled = np.concatenate([np.asarray(first, float), np.asarray(second, float)])
    n = len(first)
    if not 0 < n < len(pooled) or np.isnan(pooled).any():
        raise ValueError("mann_whitney: one run of each variant at least, and no NaN")
    if len(np.unique(pooled)) == len(pooled) <= MANY:
        return float(mannwhitneyu(first, second, method="exact").pvalue)
    if len(pooled) > MANY:
        return float(mannwhitneyu(first, second, method="asymptotic").pvalue)
    ranks = np.rint(2 * rankdata(pooled)).astype(int)  # doubled: mid-ranks become integers
    # ways[i, s]: number of subsets of i values whose ranks sum to s
    ways = np.zeros((n + 1, ranks.sum() + 1))
    ways[0, 0] = 1
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, : ways.shape[1] - rank].copy()
    observed, share = ranks[:n].sum(), ways[n] / comb(len(pooled), n)
    return float(min(1.0, 2 * min(share[: observed + 1].sum(), share[observed:].sum())))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p of m tests, max over j <= i of (m - j + 1) p_(j), at most 1: Holm 1979.

    Scand. J. Stat. 6, 65. Comparing them with alpha keeps the probability of a single false
    difference in the whole family below alpha.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = p.argsort(kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order]).clip(max=1)
    return adjusted.tolist()


def runs_needed(variants: int, *, alpha: float) -> int:
    """Runs of each of so many variants with which Holm's first step can be passed at all.

    The smallest n with 2 / C(2n, n) <= alpha / C(variants, 2), and MIN_RUNS at least: 4 for
    2 variants at alpha = 0.05, 7 for 10.
    """
    tests, n = comb(variants, 2), MIN_RUNS
    while 2 * tests > alpha * comb(2 * n, n):
        n += 1
    return n


def differences(
    scores: Mapping[str, Sequence[float]], *, alpha: float
) -> dict[frozenset[str], float]:
    """Pairs of variants that differ, with their p adjusted by Holm over all pairs.

    Args:
        scores: variant -> one score per run.
        alpha: probability of one false difference or more.
    """
    pairs = list(combinations(scores, 2))
    adjusted = holm([mann_whitney(scores[a], scores[b]) for a, b in pairs])
    return {frozenset(pair): p for pair, p in zip(pairs, adjusted, strict=True) if p <= alpha}


def groups(names: Sequence[str], different: Iterable[frozenset[str]]) -> list[tuple[str, ...]]:
    """Largest groups of variants without a significant difference: Piepho 2004.

    J. Comput. Graph. Stat. 13, 456: begin with one group of all; for each pair that differs,
    part every group that holds both; drop groups inside others. Two variants share a group if
    and only if they do not differ significantly, which is not to say that they are equal.

    Args:
        names: variants in the order of the table, the best first.
        different: pairs that differ.

    Returns:
        Groups in that order by their first member; each keeps it inside.
    """
    found = [frozenset(names)]
    for pair in different:
        parted = [part for g in found for part in ([g - {x} for x in pair] if pair <= g else [g])]
        unique = list(dict.fromkeys(parted))
        found = [g for g in unique if not any(g < other for other in unique)]
    place = {name: index for index, name in enumerate(names)}
    ordered = [tuple(sorted(g, key=place.__getitem__)) for g in found]
    return sorted(ordered, key=lambda group: [place[name] for name in group])
