"""Licences of the data sets, as their authors state them."""

import csv
from collections.abc import Iterable
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("licences.csv")


@cache
def load_licences() -> dict[str, str]:
    """Return data set -> licence and source in one sentence."""
    with open(FILE, encoding="utf-8", newline="") as lines:
        return {
            row["dataset"]: f"{row['licence']} ({row['source']})" for row in csv.DictReader(lines)
        }


def licences_of(datasets: Iterable[str]) -> dict[str, str]:
    """Return the licences of some data sets, and say which ones are not listed."""
    unlisted = "not listed: drawn by the suite, or the user's own"
    return {name: load_licences().get(name, unlisted) for name in dict.fromkeys(datasets)}
