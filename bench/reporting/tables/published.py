"""Numbers published by Lucic et al. 2018 (arXiv:1711.10337): the table of best FIDs.

Mean and standard deviation over the re-runs of the best of 100 settings, 10,000 samples against
the test split, features of Inception. The paper's own table could not be read; the numbers are
as later papers quote it, and the VAE's, from memory, are marked as unverified.
"""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bench.reporting.tables.methods import Method, TableGroup
from bench.runs.rows import LATER_GROUPS

FILE = Path(__file__).with_name("published.csv")
EXTRACTOR = "inception_2015"  # with which a Frechet distance is the published quantity
MECHANISMS = {"model", "loss", *LATER_GROUPS}  # config groups that make another method of a variant


class PublishedScore(NamedTuple):
    """One cell of the study's table."""

    variant: str
    dataset: str
    mean: float
    sd: float
    source: str
    verified: bool


@cache
def published_scores() -> tuple[PublishedScore, ...]:
    """Read the study's table, cell by cell."""
    with open(FILE, encoding="utf-8", newline="") as lines:
        return tuple(
            PublishedScore(
                variant=cell["variant"],
                dataset=cell["dataset"],
                mean=float(cell["mean"]),
                sd=float(cell["sd"]),
                source=cell["source"],
                verified=cell["verified"] == "yes",
            )
            for cell in csv.DictReader(lines)
        )


@cache
def study_variants() -> frozenset[str]:
    """Return the names of the study's eight variants."""
    return frozenset(cell.variant for cell in published_scores())


def is_study_method(method: Method) -> bool:
    """Return whether a method is one of the study's eight, with no mechanism exchanged or added."""
    keys = {o.lstrip("+").partition("=")[0] for run, _ in method.runs for o in run.overrides}
    return method.variant in study_variants() and not keys & MECHANISMS


def published_for(group: TableGroup) -> dict[str, PublishedScore]:
    """Return variant -> the study's number on this data set, for the variants in the group.

    None of a group of conditional runs: the study's are unconditional.
    """
    present = {method.variant for method in group.methods if not group.conditional}
    return {
        cell.variant: cell
        for cell in published_scores()
        if cell.dataset == group.dataset and cell.variant in present
    }


def is_published_quantity(group: TableGroup) -> bool:
    """Check that the first metric is what the study published, up to samples and selection."""
    same = group.first == "frechet" and group.protocol["extractor"] == EXTRACTOR
    return same and not group.conditional
