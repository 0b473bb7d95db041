"""Below each figure: what is drawn, by which rule, and what must not be read into it."""

from collections.abc import Sequence

from bench.reporting.analysis.variance import Shares
from bench.reporting.figures.losses import KEPT, LINES
from bench.reporting.tables.summary import ALPHA, LEVEL, Table
from bench.reporting.text import words

DIVERGED = "A run that diverged counts as worse than any score."


def main(table: Table) -> str:
    """Of the dots of a table."""
    floor = ", the dotted line what real samples reach" if table.floor else ""
    return f"One dot per seed; the upright stroke is their mean{floor}."


def tradeoff(table: Table) -> str:
    """Of precision, recall and F1."""
    return (
        "Every run that has a score. Left: thin curves join equal F1, the harmonic mean of "
        f"precision and recall. Right: {words.title(table.group.first)} against F1. "
        "The star is what real samples reach. Runs that diverged have no point here."
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
