"""Judge what mechanisms do to the score by a factorial: what M1 to M5 share."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from bench import stats
from bench.core.files import read_text
from bench.reporting.analysis.factorial import Factorial, ratio
from bench.reporting.claims.claim import NOT, OPEN, PARTLY, REPRODUCED, Finding, join_parts
from bench.reporting.claims.evidence import Evidence
from bench.reporting.text import words
from bench.stats import DIFFERENT, EQUIVALENT, Interval

SOURCE = "this suite's question"
Part = bool | None  # whether a part of a claim holds; None where these seeds leave it undecided


@cache
def thresholds() -> Mapping[str, Any]:
    """Return the thresholds of the rules, from modern.yaml."""
    content = yaml.safe_load(read_text(Path(__file__).with_name("modern.yaml")))
    assert isinstance(content, dict)
    return content


def margin() -> float:
    """Return the margin of equivalence, of a logarithm."""
    return math.log(thresholds()["margin"])


def factorials(
    evidence: Evidence, factors: Mapping[str, Sequence[str]], checkpoint: str = ""
) -> list[Factorial]:
    """Return for each data set the largest factorial of Frechet distances with these factors.

    Args:
        factors: factor -> levels that it needs, two or more of any where none are named.
        checkpoint: that is scored; the main one of each comparison where empty.
    """
    largest: dict[str, Factorial] = {}
    for factorial in evidence.factorials(checkpoint):
        fits = all(
            set(levels) <= set(factorial.factors.get(name, ()))
            and len(factorial.factors.get(name, ())) > 1
            for name, levels in factors.items()
        )
        enough = len(factorial.seeds) >= thresholds()["seeds"]
        if fits and enough and factorial.group.first == "frechet":
            before = largest.get(factorial.group.dataset)
            if before is None or factorial.logs.size > before.logs.size:
                largest[factorial.group.dataset] = factorial
    return list(largest.values())


def interval(logs: np.ndarray, comparisons: int = 1) -> Interval:
    """Return the mean with an interval whose level holds for so many of them together.

    Args:
        logs: differences of logarithms, by seed, [N].
    """
    level = 1 - (1 - thresholds()["level"]) / comparisons
    return stats.t_interval(logs, level=level)


def describe(logs: np.ndarray, comparisons: int = 1) -> str:
    """Return "0.84 [0.71, 0.99]", a ratio of geometric means with its interval."""
    value, low, high = ratio(logs, 1 - (1 - thresholds()["level"]) / comparisons)
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


def above(logs: np.ndarray, bound: float, comparisons: int = 1) -> Part:
    """Return whether the mean of differences of logarithms lies above a bound, or below."""
    _, low, high = interval(logs, comparisons)
    return True if low > bound else False if high < bound else None


def helps(logs: np.ndarray, comparisons: int = 1) -> Part:
    """Return whether a mechanism lowers the score: not so where it raises it, or is equivalent."""
    found = interval(logs, comparisons)
    kind = stats.compare(found, margin())
    if kind == DIFFERENT:
        return found.value < 0
    return False if kind == EQUIVALENT else None


def pairs(logs: np.ndarray, names: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield "hinge / rpgan" with the differences of two levels' logarithms, [N] of [levels, N]."""
    for (i, first), (j, second) in combinations(enumerate(names), 2):
        yield f"{first} / {second}", logs[i] - logs[j]


def against_losses(grid: Factorial, gain: np.ndarray) -> tuple[list[Part], str]:
    """Return whether a gain exceeds each difference of two losses, and these in words.

    Args:
        gain: logarithm by seed, [N].
    """
    names = grid.factors["loss"]
    found = dict(pairs(np.array([grid.mean_at(loss=name) for name in names]), names))
    ratios = ", ".join(f"{name} {describe(d, len(found))}" for name, d in found.items())
    return exceeds(gain, list(found.values())), ratios


def exceeds(gain: np.ndarray, differences: Sequence[np.ndarray]) -> list[Part]:
    """Return for each difference whether a gain is larger than its size.

    A gain exceeds |d| where gain - d and gain + d are both above 0, each by a one-sided test: an
    intersection of tests, which needs no adjustment. It is smaller where one of all of them is
    below 0, adjusted for their number.

    Args:
        gain, differences: logarithms by seed, [N] each.
    """
    parts: list[Part] = []
    alpha = 1 - thresholds()["level"]
    for difference in differences:
        both = [gain - difference, gain + difference]
        if all(stats.t_interval(one, level=1 - 2 * alpha).low > 0 for one in both):
            parts.append(True)
        elif any(interval(one, 2 * len(differences)).high < 0 for one in both):
            parts.append(False)
        else:
            parts.append(None)
    return parts


def finding(parts: Sequence[Part], sentences: Sequence[str]) -> Finding:
    """Return REPRODUCED where all parts hold, PARTLY where some do, NOT where none does.

    Where no part holds and some are undecided, these rows cannot judge.
    """
    explanation = join_parts(sentences)
    if all(parts):
        return Finding(REPRODUCED, explanation)
    if any(parts):
        return Finding(PARTLY, explanation)
    if None in parts:
        return Finding(OPEN, f"Needs more seeds: these leave it undecided. {explanation}")
    return Finding(NOT, explanation)


def judge_words() -> str:
    """Return how parts become a verdict, for the words of a rule."""
    return (
        "Reproduced: all parts; partly: some; not reproduced: none, and each is refuted. Intervals "
        f"are Student's over {thresholds()['seeds']} seeds or more, of the logarithm of the score, "
        f"{thresholds()['level']:.0%} for all of a rule together; two are equivalent where the "
        f"interval of their ratio lies within {thresholds()['margin']} times either way."
    )


def needs_factors(*factors: str) -> str:
    """Return the words for a factorial that a claim needs."""
    return (
        f"a grid of {words.join_with_and(factors)} with {thresholds()['seeds']} seeds of each cell"
    )
