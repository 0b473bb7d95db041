"""Below each figure: what is drawn, by which rule, and what must not be read into it."""

from collections.abc import Mapping, Sequence

from bench.reporting import words
from bench.reporting.analysis.budgets import Budget
from bench.reporting.analysis.sensitivity import Effect
from bench.reporting.analysis.variance import Shares
from bench.reporting.figures.losses import KEPT, LINES
from bench.reporting.search import Search
from bench.reporting.summary import ALPHA, LEVEL, RESAMPLES, Table

DIVERGED = "A run that diverged counts as worse than any score."


def main(table: Table) -> str:
    """Of the dots of a table."""
    floor = ", the dotted line what real samples reach" if table.floor else ""
    return f"One dot per seed; the upright stroke is their mean{floor}."


def spread(search: Search) -> str:
    """Of the boxes of a search."""
    floor = " The dotted line is what real samples reach." if search.table.floor else ""
    return (
        "One point per configuration of the search, with one training seed; the box spans the "
        "first to the third quartile of those that have a score, the stroke is their median. The "
        f"star is the variant's defaults, the ring the configuration that is chosen"
        f"{_elsewhere(search)}. Crosses and counts at the side are configurations that diverged: "
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


def tradeoff(table: Table) -> str:
    """Of precision, recall and F1."""
    return (
        "Every run that has a score. Left: thin curves join equal F1, the harmonic mean of "
        f"precision and recall. Right: {words.title(table.group.first)} against F1. "
        "The star is what real samples reach. Runs that diverged have no point here."
    )


def tradeoffs(table: Table) -> str:
    """Of the same, variant by variant."""
    del table
    return (
        "The same for each variant by itself; the cross stands at the medians of both scores, "
        "which no single run need have."
    )


def ranks(table: Table, *, intervals: bool) -> str:
    """Of ranks with intervals."""
    del table
    drawn = (
        f" Bars are {LEVEL:.0%} bootstrap intervals over the seeds, each for its contender alone;"
        " they are rough where contenders hardly differ."
        if intervals
        else " There are too few seeds for intervals."
    )
    return (
        "Rank by the mean probability that a run is better than one of another contender. "
        f"{DIVERGED}{drawn} Contenders that share a letter do not differ significantly (exact "
        f"rank-sum tests, {ALPHA:.0%} for all pairs together), which does not say that they are "
        "equal."
    )


def improvement(table: Table, *, intervals: bool) -> str:
    """Of the matrix."""
    del table
    bold = (
        f" Bold: the {LEVEL:.0%} bootstrap interval over the seeds excludes 1/2, for each pair by "
        "itself, so that among many pairs some are bold by chance."
        if intervals
        else " There are too few seeds for intervals."
    )
    return (
        "Share of pairs of runs in which the row's is better than the column's, ties as halves: "
        f"1/2 for equals. {DIVERGED}{bold} It says how often one is better, not by how much."
    )


def progress(table: Table) -> str:
    """Of the Frechet distance while training."""
    del table
    return (
        "Median and range over the seeds, at the steps where at least half of them have a score; "
        "the medians of all others in grey. These scores are of the samples and the split that "
        "choose the best checkpoint, and are not those of the table."
    )


def losses(table: Table) -> str:
    """Of both losses."""
    del table
    return (
        f"One thin line per seed, or from {LINES + 1} seeds on their median and range. Losses of "
        "different variants are different quantities; each panel has an axis of its own, from the "
        f"{KEPT[0]:.0f}st to the {KEPT[1]:.0f}th percentile of the losses of its finished runs."
    )


def variance(shares: Sequence[Shares], table: Table) -> str:
    """Of the stacked shares."""
    known = all(one.evaluation is not None for one in shares)
    left = [line.name for line in table.lines if line.contender.variant not in _names(shares)]
    noise = (
        ""
        if known
        else " No scores under other latents were kept for some, so that the seed's share holds "
        "the noise of the evaluation as well."
    )
    few = f" Too few runs of {words.listed(left)}." if left and shares else ""
    return (
        "How the variance of the log score over the configurations of the search divides: what "
        "another training seed of the chosen configuration changes, and what is left to the "
        f"hyperparameters.{noise} The seed's variance is that of a chosen configuration and "
        "taken for all; for poor ones it may be larger. Runs that diverged count as the untrained "
        "generator. The factor is that of one standard deviation of everything together: "
        f"scores are commonly so many times larger or smaller than their typical one.{few}"
    )


def _names(shares: Sequence[Shares]) -> set[str]:
    return {one.variant for one in shares}


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
