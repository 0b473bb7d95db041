"""Terms of the data sets, as their authors state them."""

import csv
from collections.abc import Iterable
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("licences.csv")


@cache
def licences() -> dict[str, str]:
    """Data set -> licence and source in one sentence."""
    with open(FILE, encoding="utf-8", newline="") as lines:
        return {
            line["dataset"]: f"{line['licence']} ({line['source']})"
            for line in csv.DictReader(lines)
        }


def licences_of(datasets: Iterable[str]) -> dict[str, str]:
    """Those of some data sets; one that is not listed is drawn by the suite or the user's own."""
    own = "not listed: drawn by the suite, or the user's own"
    return {name: licences().get(name, own) for name in dict.fromkeys(datasets)}
