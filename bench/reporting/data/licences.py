"""Licences of the data sets, as their authors state them."""

import csv
from collections.abc import Iterable
from pathlib import Path

FILE = Path(__file__).with_name("licences.csv")


def licences_of(datasets: Iterable[str]) -> dict[str, str]:
    """Return data set -> licence and source in one sentence; some sets are not listed."""
    with open(FILE, encoding="utf-8", newline="") as lines:
        licences = {r["dataset"]: f"{r['licence']} ({r['source']})" for r in csv.DictReader(lines)}
    unlisted = "not listed: drawn by the suite, or the user's own"
    return {name: licences.get(name, unlisted) for name in dict.fromkeys(datasets)}
