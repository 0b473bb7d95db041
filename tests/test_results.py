"""Committed results: what the page and the README print follows from the rows beside them."""

import csv
import importlib.metadata
import platform
import re
import statistics
from collections import defaultdict

import pytest
from support import ROOT

from bench.config import build
from bench.core.errors import UserError
from bench.core.files import SUMS
from bench.reporting import load
from bench.reporting.report import write_report
from bench.runs.record import read_published_runs
from bench.training.job import prepare_job

OF_VERSION_1 = ("created_equal_digits",)  # until it is made anew; see the banner on its page
FOLDERS = sorted(
    p.parent for p in ROOT.glob("results/*/rows.csv") if p.parent.name not in OF_VERSION_1
)


def frechet_by_variant(folder) -> dict[str, list[float]]:
    """Of the first table of the last stage."""
    scores = defaultdict(list)
    rows = rows_of(folder)
    last = [row for row in rows if row["stage"] == rows[-1]["stage"]]
    for row in last:
        shown = row["group"] == last[0]["group"] and not row["variant"].startswith("real")
        if shown and row["scores.frechet"]:
            scores[row["variant"]].append(float(row["scores.frechet"]))
    return scores


def rows_of(folder) -> list[dict[str, str]]:
    with open(folder / "rows.csv", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


DRAWN_BY = ("jinja2", "matplotlib", "numpy", "pillow", "pyarrow", "scipy", "vl-convert-python")


def constrained() -> bool:
    """Whether what makes the bytes of a report is what constraints.txt holds."""
    pins = re.findall(r"^([\w-]+)==([\w.]+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    held = all(importlib.metadata.version(n) == v for n, v in pins if n in DRAWN_BY)
    return held and (platform.system(), platform.machine()) == ("Linux", "x86_64")


@pytest.mark.parametrize("name", OF_VERSION_1)
@pytest.mark.parametrize("read", [load, read_published_runs])
def test_results_of_version_1_are_refused_under_a_banner(name, read):
    folder = ROOT / "results" / name
    for page in ("report.md", "index.html", "README.md"):
        text = (folder / page).read_text(encoding="utf-8")
        assert "version 1" in text and "19cc27b" in text
    with pytest.raises(UserError, match="version 1 of the suite(.|\n)*19cc27b82f74 is the last"):
        read(folder)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_published_rows_make_the_published_report_again(folder, tmp_path):
    """The same bytes under constraints.txt, elsewhere the same numbers."""
    write_report(load(folder).stages, tmp_path)
    names = [line.split("  ", 1)[1] for line in (folder / SUMS).read_text().splitlines()]
    if constrained():
        assert (tmp_path / SUMS).read_text() == (folder / SUMS).read_text()
        for name in names:
            assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name
    for name in (name for name in names if name.startswith("tables/") and name.endswith(".csv")):
        ours, theirs = (cells_of(f / name) for f in (tmp_path, folder))
        for mine, yours in zip(ours, theirs, strict=True):
            assert [number(cell) for cell in mine] == [
                pytest.approx(number(cell), rel=1e-9) if isinstance(number(cell), float) else cell
                for cell in yours
            ]


def cells_of(path) -> list[list[str]]:
    with open(path, encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))


def number(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell


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


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_published_runs_are_those_of_the_rows(folder):
    records = {record.run_id: record for record in read_published_runs(folder)}
    rows = [row for row in rows_of(folder) if not row["variant"].startswith("real")]
    assert records.keys() == {row["run_id"] for row in rows}
    for record in records.values():
        assert {"step-0", "generator"} <= record.chain.keys() and len(record.chain) >= 4
        mine = {row["checkpoint"] for row in rows if row["run_id"] == record.run_id}
        assert {name.partition("/")[0] for name in record.scores} == mine
        assert record.environment["packages"]["torch"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_published_runs_have_the_run_ids_of_today(folder, tmp_path):
    """Packs or not: what was trained alone is known by the same name."""
    for record in read_published_runs(folder)[:10:3]:
        job = prepare_job(build.compose_config([*record.overrides, f"runs_root={tmp_path}"]))
        assert job.folder.run_id == record.run_id


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
