"""Committed results: what the page and the README print follows from the rows beside them."""

import csv
import re
import statistics
from collections import defaultdict

import pytest
from support import ROOT

FOLDERS = sorted(p.parent for p in ROOT.glob("results/*/rows.csv"))


def frechet_by_variant(folder) -> dict[str, list[float]]:
    scores = defaultdict(list)
    with open(folder / "rows.csv", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if not row["variant"].startswith("real") and row["scores.frechet"]:
                scores[row["variant"]].append(float(row["scores.frechet"]))
    return scores


def test_there_are_results():
    assert "quick" in [f.name for f in FOLDERS]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_the_report_prints_the_rows_means(folder):
    text = (folder / "report.md").read_text(encoding="utf-8")
    for variant, scores in frechet_by_variant(folder).items():
        line = re.search(rf"^\| {variant}\W.*$", text, re.MULTILINE)[0]
        printed = re.search(r"(\d[\d.]*) . (\d[\d.]*) \(", line)
        digits = len(printed[1].partition(".")[2])
        assert float(printed[1]) == pytest.approx(statistics.fmean(scores), abs=0.51 * 10**-digits)
        assert float(printed[2]) == pytest.approx(statistics.stdev(scores), abs=0.51 * 10**-digits)


def test_the_readmes_table_is_that_of_the_rows():
    text = (ROOT / "README.md").read_text()
    table = text.split("<!-- quick:begin -->")[1].split("<!-- quick:end -->")[0]
    means = {v: statistics.fmean(s) for v, s in frechet_by_variant(ROOT / "results/quick").items()}
    found = {
        name: float(mean)
        for name, mean in re.findall(r"^(\w+)\*? +2 +([\d.]+) \+/-", table, re.MULTILINE)
    }
    assert found.keys() == means.keys() and len(found) == 10
    for name, mean in means.items():
        assert found[name] == pytest.approx(mean, abs=0.051)
    assert list(found) == sorted(found, key=means.get)
