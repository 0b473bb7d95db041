"""The paragraph that a report opens with."""

from collections.abc import Sequence

import numpy as np

from bench.reporting.claims.judged import NOT, OPEN, PARTLY, REPRODUCED, Judged
from bench.reporting.tables.comparisons import Comparison
from bench.reporting.tables.overall import Overall
from bench.reporting.tables.search import search_of
from bench.reporting.text import words


def headline(comparisons: Sequence[Comparison], claims: Sequence[Judged]) -> str:
    """What came out, what it is worth, and what it says of the study's claims."""
    rankings = [c for c in comparisons if not c.stage.searches]
    searches = [c for c in comparisons if c.stage.searches]
    said = [_short(c) for c in rankings]
    if len(rankings) > 1:
        said = [
            f"{_place(c)}: {text[0].lower()}{text[1:]}"
            for c, text in zip(rankings, said, strict=True)
        ]
    said += [_searches(searches)] if searches else []
    return " ".join(sentence for sentence in (*said, tally(claims)) if sentence)


def answer(comparison: Comparison) -> str:
    """The opening of a comparison."""
    return _searches([comparison]) if comparison.stage.searches else words.answer(comparison.main)


def overall_said(overall: Overall) -> str:
    """What a test over data sets says, or why there is none."""
    count = words.counted(len(overall.datasets), "data set")
    if overall.p is None:
        return (
            f"No test: {count} cannot show a difference between {len(overall.lines)} variants; "
            f"{overall.needed} could."
        )
    return (
        f"Friedman's test over {count}: p = {overall.p:.2g}; variants that share a letter do not "
        "differ by Nemenyi's. Data sets so few are no sample of all there are."
    )


def _place(comparison: Comparison) -> str:
    return f"On {comparison.main.group.dataset}, protocol {comparison.main.group.protocol['name']}"


def _short(comparison: Comparison) -> str:
    """Without the tests' names, which stand beside the table."""
    table = comparison.main
    told = table.verdict.letters and len(table.verdict.compared) == len(table.lines)
    return f"{words.span(table)} {words.leaders(table) if told else words.verdict(table)}"


def tally(claims: Sequence[Judged]) -> str:
    """Of the study's twelve claims these rows reproduce four ...; none where none can be judged."""
    counts = {
        v: sum(claim.verdict == v for claim in claims) for v in (REPRODUCED, PARTLY, NOT, OPEN)
    }
    if counts[OPEN] == len(claims):
        return ""
    kinds = (("reproduce", REPRODUCED), ("reproduce in part", PARTLY), ("do not reproduce", NOT))
    parts = [f"{word} {words.NUMBERS[counts[kind]]}" for word, kind in kinds if counts[kind]]
    rest = (
        f"; for the other {words.NUMBERS[counts[OPEN]]} they do not have what it takes"
        if counts[OPEN]
        else ""
    )
    total = words.counted(len(claims), "claim")
    return f"Of the study's {total} these rows {words.listed(parts)}{rest}."


def _searches(comparisons: Sequence[Comparison]) -> str:
    """How far the defaults are from what a search chose."""
    variants = [one for c in comparisons for one in search_of(c.main).variants]
    pairs = [
        (one.default.score / one.best.score) ** one.sign
        for one in variants
        if one.best and one.default and one.best.score and one.default.score
    ]
    most = max((len(one.configs) for one in variants), default=0)
    names = words.listed(dict.fromkeys(c.main.group.dataset for c in comparisons))
    said = f"The search on {names} tried up to {most:,} configurations of a variant"
    if not pairs:
        return f"{said}."
    return (
        f"{said}; what it chose is {np.median(pairs):.1f} times better than the defaults (median)."
    )
