"""The study's numbers: Lucic et al. 2018 (arXiv:1711.10337), the table of best FIDs.

Mean and standard deviation over the re-runs of the best of 100 settings, 10,000 samples against
the test split, features of Inception. The paper's own table could not be read; the numbers are
as later papers quote it, and the VAE's, from memory, are marked as unverified.
"""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bench.reporting.tables.methods import Group

FILE = Path(__file__).with_name("published.csv")
EXTRACTOR = "inception_2015"  # with which a Frechet distance is the published quantity


class Published(NamedTuple):
    """One cell of the study's table."""

    variant: str
    dataset: str
    mean: float
    sd: float
    source: str
    verified: bool


@cache
def published() -> tuple[Published, ...]:
    """The whole table."""
    with open(FILE, encoding="utf-8", newline="") as lines:
        return tuple(
            Published(
                variant=line["variant"],
                dataset=line["dataset"],
                mean=float(line["mean"]),
                sd=float(line["sd"]),
                source=line["source"],
                verified=line["verified"] == "yes",
            )
            for line in csv.DictReader(lines)
        )


@cache
def study() -> frozenset[str]:
    """The study's eight variants."""
    return frozenset(cell.variant for cell in published())


def published_for(group: Group) -> dict[str, Published]:
    """variant -> the study's number on this dataset, for the variants present."""
    present = {contender.variant for contender in group.contenders}
    return {
        cell.variant: cell
        for cell in published()
        if cell.dataset == group.dataset and cell.variant in present
    }


def same_quantity(group: Group) -> bool:
    """Whether the first metric is what the study published, up to samples and selection."""
    return group.first == "frechet" and group.protocol["extractor"] == EXTRACTOR
