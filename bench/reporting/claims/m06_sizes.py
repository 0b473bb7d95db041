"""Assess M6: the order at 8x8 pixels predicts the order at 28x28."""

import numpy as np

from bench.reporting.analysis.rankings import outcomes_by_method
from bench.reporting.claims import modern
from bench.reporting.claims.claim import (
    NOT,
    OPEN,
    PARTLY,
    REPRODUCED,
    Claim,
    Finding,
    join_parts,
    needs,
)
from bench.reporting.claims.evidence import Evidence
from bench.reporting.tables.summary import LEVEL, RESAMPLES, Table, bootstrap_generator


def assess(evidence: Evidence) -> Finding:
    """Compute Kendall's tau of the methods' mean scores on small and on larger images."""
    limits, sentences, verdicts = modern.thresholds(), [], []
    sides = limits["sides"]
    for tables in (evidence.rankings, evidence.grids):
        small = [d for d in tables if sides.get(d) == 8]
        large = [d for d in tables if sides.get(d) == 28]
        for first, second in ((a, b) for a in small for b in large):
            scores = _shared_scores(tables[first], tables[second], limits["seeds"])
            if len(scores) < limits["methods"]:
                continue
            tau, low, high = _tau(scores)
            verdicts.append(_verdict(low, high, limits["order_agrees"]))
            sentences.append(
                f"the orders of {len(scores)} methods on {first} and on {second} have a "
                f"correlation of {tau:.2f} [{low:.2f}, {high:.2f}] (Kendall's tau)"
            )
    if not sentences:
        return needs(
            f"{limits['methods']} methods or more with {limits['seeds']} seeds or more, each on "
            "digits and on a data set of 28 pixels a side"
        )
    worst = max(verdicts, key=(REPRODUCED, PARTLY, OPEN, NOT).index)
    verdict = worst if len(set(verdicts)) == 1 or REPRODUCED not in verdicts else PARTLY
    return Finding(verdict, join_parts(sentences))


def _shared_scores(first: Table, second: Table, seeds: int) -> dict[str, list[np.ndarray]]:
    """Return method -> its logarithms on both, of methods with seeds enough and no divergence."""
    both = [outcomes_by_method(table) for table in (first, second)]
    found = {}
    for name in both[0].keys() & both[1].keys():
        values = [np.array(outcomes[name]) for outcomes in both]
        if min(map(len, values)) >= seeds and all((v > 0).all() for v in values):
            found[name] = [np.log(v) for v in values]
    return dict(sorted(found.items()))


def _tau(scores: dict[str, list[np.ndarray]]) -> tuple[float, float, float]:
    """Return tau of the mean logarithms, infinite for a diverged run, with its interval.

    Runs are drawn with replacement within each method and data set. The resampled means are noisier
    than the means, so that the interval lies too low: to be called an agreement is harder.
    """
    generator = bootstrap_generator()
    means = [np.array([[values[side].mean() for values in scores.values()]]) for side in (0, 1)]
    drawn = [
        np.array([generator.choice(v[side], size=(RESAMPLES, len(v[side]))).mean(1)
                  for v in scores.values()]).T
        for side in (0, 1)
    ]  # fmt: skip
    low, high = np.quantile(_taus(*drawn), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(_taus(*means)[0]), float(low), float(high)


def _taus(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return pairs in the same order less pairs in another, over all pairs, [R] of two [R, K].

    Kendall 1938, tau a: a pair that is equal on a side, two diverged methods say, counts as 0.
    """
    i, j = np.triu_indices(first.shape[1], 1)
    signs = [(x[:, i] > x[:, j]) * 1.0 - (x[:, i] < x[:, j]) for x in (first, second)]
    return (signs[0] * signs[1]).mean(1)


def _verdict(low: float, high: float, agrees: float) -> str:
    if low >= agrees:
        return REPRODUCED
    if low > 0:
        return PARTLY
    return NOT if high < agrees else OPEN


CLAIM = Claim(
    name="M6",
    text="The order of methods at 8x8 pixels predicts the order at 28x28.",
    source=modern.SOURCE,
    rule=(
        f"Kendall's tau of the mean logarithms of the scores of {modern.thresholds()['methods']} "
        f"methods or more with {modern.thresholds()['seeds']} seeds or more, on digits and on a "
        f"data set of 28x28 pixels, with its {LEVEL:.0%} bootstrap interval over runs. Reproduced: "
        f"the interval lies at {modern.thresholds()['order_agrees']} or above; partly: above 0; "
        f"not reproduced: it holds 0 and lies below {modern.thresholds()['order_agrees']}."
    ),
    assess=assess,
)
