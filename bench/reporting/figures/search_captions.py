"""Below each figure of a search: what is drawn, by which rule, what must not be read into it."""

from collections.abc import Mapping, Sequence

from bench.reporting.analysis.budgets import Budget
from bench.reporting.analysis.sensitivity import Effect
from bench.reporting.tables.search import Search
from bench.reporting.tables.summary import ALPHA, LEVEL, RESAMPLES, Table
from bench.reporting.text import words


def spread(search: Search) -> str:
    """Of the boxes of a search."""
    floor = " The dotted line is what real samples reach." if search.table.floor else ""
    return (
        "One point per configuration of the search, with one training seed; the box spans the "
        "first to the third quartile of those that have a score, the stroke is their median. The "
        f"star is the variant's defaults, the ring the configuration that is chosen"
        f"{_elsewhere(search)}. A cross with a count stands for configurations that diverged: "
        "they have no score and are in no box. Variants stand in the order of what is chosen, "
        f"which is the lucky end of a search and no ranking.{floor}"
    )


def budget(search: Search, budgets: Sequence[Budget]) -> str:
    """Of the study's central figure."""
    trusted = max((b.trusted for b in budgets), default=1)
    return (
        f"Expected {words.title(search.table.group.first)} of the configuration that a search of "
        "so many random configurations chooses, the exact mean over all ways to draw them from "
        f"those of the search without replacement{_chosen(search)}. A configuration that diverged "
        f"costs its place and counts as the untrained generator{_guessed(search)}. Lines are "
        f"solid as far as a bootstrap interval could be trusted, up to {trusted} configurations, "
        "and dashed beyond, where few configurations decide. One seed each: what is chosen is in "
        "part luck, and repeats under fresh seeds are the other stage's business."
    )


def budgets(found: Sequence[Budget]) -> str:
    """Of the same, variant by variant."""
    trusted = max((b.trusted for b in found), default=1)
    return (
        "The same for each variant, the means of all others in grey. Mean, median and the band "
        "from the 10 to the 90 % quantile of what single searches of that budget find; upright "
        f"strokes are {LEVEL:.0%} bootstrap intervals of the mean, up to {trusted} configurations. "
        f"Dots are the study's way, the mean of {RESAMPLES:,} searches drawn with replacement, "
        "which shows too little progress where the budget nears the number of configurations."
    )


def sensitivity(search: Search, effects: Mapping[str, Mapping[str, Effect]]) -> str:
    """Of the grid of small panels."""
    sizes = [len(e.values) for found in effects.values() for e in found.values()]
    most = max(sizes, default=0)
    count = f"{min(sizes, default=0)} to {most}" if min(sizes, default=0) < most else f"{most}"
    return (
        f"Every configuration, {count} of each variant, against one hyperparameter at a time, on "
        "a logarithmic axis where its values lie more evenly there; columns have strokes at their "
        "medians. \u03c1 is Spearman's rank correlation of value and score, bold where it would "
        f"be as large in fewer than {ALPHA:.0%} of searches without any relation: for each panel "
        "by itself, so that among many panels some are bold by chance. It does not see what rises "
        "and falls again, nor what acts only together with another hyperparameter. Crosses "
        f"diverged; they stand at the untrained generator's score{_guessed(search)}."
    )


def tradeoffs(table: Table) -> str:
    """Of the same, variant by variant."""
    del table
    return (
        "The same for each variant by itself; the cross stands at the medians of both scores, "
        "which no single run need have."
    )


def _elsewhere(search: Search) -> str:
    """Where choice and report use different splits."""
    return " by the score on another split, so that it need not be the lowest here" * _split(search)


def _chosen(search: Search) -> str:
    if not _split(search):
        return ""
    return (
        "; the choice is by the score on another split than the one reported, so that the line "
        "may rise again where the choice is not the best here"
    )


def _split(search: Search) -> bool:
    return any(c.chosen_by != c.score for one in search.variants for c in one.configs)


def _guessed(search: Search) -> str:
    """Only where it matters: something diverged and the untrained generator was not scored."""
    lost = any(c.score is None for one in search.variants for c in one.configs)
    told = ", for which, as it was not scored, the worst score of the table stands"
    return told * (search.guessed and lost)
