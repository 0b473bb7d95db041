"""Assess C3: scores depend much on hyperparameters, and no model is clearly more stable."""

import numpy as np

from bench.reporting.claims.claim import Claim, Finding, combine_parts, join_parts, needs
from bench.reporting.claims.evidence import Evidence
from bench.reporting.tables.search import SearchedVariant
from bench.reporting.tables.summary import LEVEL, RESAMPLES, bootstrap_generator
from bench.reporting.text import words

CONFIGS = 10  # fewer have no quartiles to speak of
RATIO = 2.0  # third over first quartile from which on a variant counts as sensitive


def assess(evidence: Evidence) -> Finding:
    """Compute the ratio of the quartiles of the configurations' scores, with its interval."""
    sensitive, alike, parts = [], [], []
    for dataset, search in evidence.searches.items():
        variants = [v for v in search.variants if len(v.configs) >= CONFIGS and _has_ratio(v)]
        costs = {v.name: np.log(v.costs) for v in variants}
        if len(costs) < 2:
            continue
        ratios = {name: _log_ratio(values) for name, values in costs.items()}
        middle = float(np.median(list(ratios.values())))
        stable = [
            v.name
            for v in variants
            if not _diverges(v) and _highest(costs[v.name], len(costs)) < middle / 2
        ]
        sensitive.append(middle >= np.log(RATIO))
        alike.append(not stable)
        low, high = min(ratios, key=ratios.__getitem__), max(ratios, key=ratios.__getitem__)
        stabler = "no variant is clearly more stable"
        if stable:
            stabler = f"clearly more stable: {words.join_with_and(stable)}"
        parts.append(
            f"on {dataset} the third quartile of the configurations' scores is "
            f"{np.exp(middle):.1f} times the first for the median variant ({low} "
            f"{np.exp(ratios[low]):.1f}, {high} {np.exp(ratios[high]):.1f}); "
            f"{stabler}"
        )
    if not parts:
        return needs(f"a search with {CONFIGS} configurations or more of two variants or more")
    return Finding(combine_parts([all(sensitive), all(alike)]), join_parts(parts))


def _has_ratio(one: SearchedVariant) -> bool:
    """Return whether some configuration has a score and none is 0, which has no logarithm."""
    return one.best is not None and min(one.costs) > 0


def _diverges(one: SearchedVariant) -> bool:
    """Return whether the third quartile is of diverged runs: these are equal, but not stable."""
    return 4 * sum(config.score is None for config in one.configs) >= len(one.configs)


def _log_ratio(logs: np.ndarray) -> float:
    low, high = np.quantile(logs, [0.25, 0.75])
    return float(high - low)


def _highest(logs: np.ndarray, variants: int) -> float:
    """Return an upper bound of the log ratio that holds at LEVEL for all variants together."""
    resamples = bootstrap_generator().choice(logs, size=(RESAMPLES, len(logs)))
    low, high = np.quantile(resamples, [0.25, 0.75], axis=1)
    return float(np.quantile(high - low, 1 - (1 - LEVEL) / variants))


CLAIM = Claim(
    name="C3",
    text=(
        "GAN training is very sensitive to hyperparameters, and no model is clearly more stable "
        "than the others."
    ),
    source="report on arXiv:1711.10337v1 (wide search, box plots)",
    rule=(
        f"Two parts. Sensitive: for the median variant the third quartile of the configurations' "
        f"scores is {RATIO:.0f} times the first or more. None more stable: on a log scale, no "
        f"variant's ratio of quartiles lies below half the median variant's, by its {LEVEL:.0%} "
        "bound over all variants; a variant is not stable if a quarter of its configurations or "
        "more diverged. Reproduced: both on every data set; partly: one."
    ),
    assess=assess,
)
