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
from bench.reporting import load
from bench.reporting.report import SUMS, write_report
from bench.runs.record import read_published_runs
from bench.training.job import prepare_job

FOLDERS = sorted(p.parent for p in ROOT.glob("results/*/rows.csv"))


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


@pytest.mark.parametrize(
    "folder",
    [
        pytest.param(f, marks=[pytest.mark.slow] if f.name != "quick" else [], id=f.name)
        for f in FOLDERS
    ],
)
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
        assert {name.rpartition("-")[0] for name in record.rows} == mine
        assert record.environment["packages"]["torch"]


@pytest.mark.parametrize("name", ["quick", "created_equal_digits"])
def test_published_runs_have_the_run_ids_of_today(name, tmp_path):
    """Packs or not: what was trained alone is known by the same name."""
    for record in read_published_runs(ROOT / "results" / name)[:10:3]:
        job = prepare_job(build.compose_config([*record.overrides, f"runs_root={tmp_path}"]))
        assert job.folder.run_id == record.run_id


def test_the_digits_are_complete():
    """Nine variants: twenty configurations with one seed, then the chosen one with ten others."""
    rows = [r for r in rows_of(ROOT / "results/created_equal_digits") if r["sample"]]
    final = [r for r in rows if r["checkpoint"] == "final"]
    wide, seeds = ([r for r in final if r["stage"] == name] for name in ("wide", "seeds"))
    assert len(wide) == 180 and len(seeds) == 90
    for variant in {r["variant"] for r in wide}:
        best = [r for r in rows if r["variant"] == variant and r["checkpoint"] == "best"]
        search = {r["sample"]: r for r in best if r["stage"] == "wide" and r["scores.frechet"]}
        chosen = min(search, key=lambda s: (float(search[s]["details.selection.frechet"]), int(s)))
        mine = [r for r in seeds if r["variant"] == variant]
        assert {r["sample"] for r in mine} == {chosen}
        assert sorted(int(r["seed"]) for r in mine) == list(range(1, 11))


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
