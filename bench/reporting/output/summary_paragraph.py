"""Write the paragraphs that open a report and its sections."""

import math
from collections.abc import Sequence

import numpy as np

from bench.reporting.analysis.factorial import read_factorial
from bench.reporting.claims.claim import NOT, OPEN, PARTLY, REPRODUCED, ClaimResult
from bench.reporting.tables.comparisons import Comparison
from bench.reporting.tables.overall import OverallRanking
from bench.reporting.tables.search import summarise_search
from bench.reporting.text import words


def describe_study(comparisons: Sequence[Comparison], claims: Sequence[ClaimResult]) -> str:
    """Write a report's opening paragraph: the results, their certainty, the study's claims."""
    grids = [c for c in comparisons if c.stage.factors]
    rankings = [c for c in comparisons if not c.stage.is_search and not c.stage.factors]
    searches = [c for c in comparisons if c.stage.is_search]
    sentences = [_describe_briefly(c) for c in rankings]
    if len(rankings) > 1:
        groups = [c.main.group for c in rankings]
        sentences = [
            f"On {g.dataset}, protocol {words.protocol_title(g)}: {text[0].lower()}{text[1:]}"
            for g, text in zip(groups, sentences, strict=True)
        ]
    sentences += [_describe_grid(grid) for grid in grids]
    sentences += [_describe_searches(searches)] if searches else []
    sentences += [words.describe_sources(c.main for c in comparisons)]
    return " ".join(text for text in (*sentences, describe_claim_counts(claims)) if text)


def describe_comparison(comparison: Comparison) -> str:
    """Write the opening paragraph of a comparison's section."""
    if comparison.stage.is_search:
        return _describe_searches([comparison])
    table = comparison.main
    text = f"{words.describe_score_range(table)} {words.describe_ranking(table)}"
    return f"{_describe_grid(comparison)} {text}" if comparison.stage.factors else text


def describe_overall_test(overall: OverallRanking) -> str:
    """Report the result of the test over data sets, or why there is none."""
    count = words.count_phrase(len(overall.datasets), "data set")
    if overall.p is None:
        return (
            f"No test was made: {count} cannot show a difference between {len(overall.rows)} "
            f"variants; it takes {overall.datasets_needed}."
        )
    return (
        f"Friedman's test over {count}: p = {overall.p:.2g}; variants that share a letter do not "
        "differ significantly (Nemenyi's test). So few data sets say little about others."
    )


def _describe_briefly(comparison: Comparison) -> str:
    """Describe a ranking without the names of the tests, which stand beside its table."""
    table = comparison.main
    all_compared = table.ranking.letters and len(table.ranking.compared) == len(table.rows)
    order = words.describe_leaders(table) if all_compared else words.describe_ranking(table)
    return f"{words.describe_score_range(table)} {order}"


def _describe_grid(comparison: Comparison) -> str:
    """Say what a grid crosses, and which of its factors changes the score most."""
    group = comparison.main.group
    factorial = read_factorial(group)
    names = words.join_with_and(map(words.factor_title, group.factors))
    head = f"{comparison.stage.stage.capitalize()} on {group.dataset}: {names}"
    if factorial is None:
        return f"{head}; too few seeds have a score in every cell to tell effects."
    mains = [effect for effect in factorial.effects if len(effect.levels) == 1]
    (levels, (value, low, high)) = max(mains, key=lambda e: abs(math.log(e.ratio.value)))
    ((factor, level),) = levels.items()
    first = factorial.factors[factor][0]
    return (
        f"{head}. {factor}={level} changes the {words.metric_title(group.first)} most, to "
        f"{value:.2f} [{low:.2f}, {high:.2f}] times that of {factor}={first}."
    )


def describe_claim_counts(claims: Sequence[ClaimResult]) -> str:
    """Write "Of the study's twelve claims, these runs reproduce four ..."; "" if none is judged."""
    by_source = {
        "the study's": [c for c in claims if c.name.startswith("C")],
        "this suite's own": [c for c in claims if not c.name.startswith("C")],
    }
    return " ".join(filter(None, (_count_claims(whose, c) for whose, c in by_source.items())))


def _count_claims(whose: str, claims: Sequence[ClaimResult]) -> str:
    counts = {v: sum(c.verdict == v for c in claims) for v in (REPRODUCED, PARTLY, NOT, OPEN)}
    if counts[OPEN] == len(claims):
        return ""
    verbs = {REPRODUCED: "reproduce {}", PARTLY: "reproduce {} in part", NOT: "do not reproduce {}"}
    parts = [t.format(words.NUMBER_WORDS[counts[v]]) for v, t in verbs.items() if counts[v]]
    others = words.NUMBER_WORDS[counts[OPEN]]
    rest = f"; they cannot judge the other {others}" if counts[OPEN] else ""
    total = words.count_phrase(len(claims), "claim")
    return f"Of {whose} {total}, these runs {words.join_with_and(parts)}{rest}."


def _describe_searches(comparisons: Sequence[Comparison]) -> str:
    """Compare the chosen configurations of searches with the defaults."""
    variants = [one for c in comparisons for one in summarise_search(c.main).variants]
    gains = [
        (one.default.score / one.best.score) ** one.sign
        for one in variants
        if one.best and one.default and one.best.score and one.default.score
    ]
    most = max((len(one.configs) for one in variants), default=0)
    names = words.join_with_and(dict.fromkeys(c.main.group.dataset for c in comparisons))
    sentence = f"The search on {names} tried up to {most:,} configurations of a variant"
    if not gains:
        return f"{sentence}."
    gain = np.median(gains)
    better = f"{gain:.1f} times better than the defaults (median over variants)"
    return f"{sentence}; its choice is {better}."
