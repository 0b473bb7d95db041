"""Grids of a stage: every combination is planned, trained, chosen from and reported."""

import json

import pytest
from support import TINY

from bench.core.errors import UserError
from bench.reporting.analysis.factorial import read_factorial
from bench.reporting.report import load_stages, write_report
from bench.reporting.tables.groups import group_rows
from bench.runs.plans import read_plan
from bench.runs.rows import read_rows
from bench.sweeping.stages import parse_stages

HEAD = TINY.split("hydra:")[0].replace(
    "override /dataset: ring",
    "override /ema: constant\n  - override /score: slim\n  - override /dataset: ring",
)
GRID = (
    HEAD.replace(", metrics: {prd: {clusterings: 1}}", ", raw: true, keep_last: 0")
    + """
hydra:
  sweeper:
    stages:
      factorial:
        variants: [ns_gan]
        datasets: [ring]
        seeds: [0, 1]
        grid:
          loss: [nonsaturating, hinge]
          penalty: {none: {}, r1: {hyperparameters.penalty_weight: 0.5}}
      best:
        after: factorial
        rule: {name: lowest, score: selection.frechet, checkpoint: best, count: 2}
        seeds: [2]
        grid: {consistency: [none, lecam]}
      again:
        variants: [ns_gan]
        datasets: [ring]
        seeds: [0]
        grid:
          penalty: {none: {}, r1: {hyperparameters.penalty_weight: 0.5}}
          loss: [hinge, minimax]
"""
)


def test_a_grid_is_planned_trained_chosen_from_and_reported(launch, tmp_path):
    done = launch(text=GRID)
    assert done.returncode == 0, done.stdout + done.stderr
    factorial, best, again = read_plan(tmp_path / "runs", "tiny").stages
    cells = [("loss=nonsaturating", "penalty=none"), ("loss=nonsaturating", "penalty=r1")]
    cells += [("loss=hinge", "penalty=none"), ("loss=hinge", "penalty=r1")]
    found = [tuple(o for o in r.overrides if o[:4] in ("loss", "pena")) for r in factorial.runs]
    assert found == [cell for cell in cells for _ in range(2)]  # two seeds of each
    assert [run.sample for run in factorial.runs] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert factorial.factors == {"loss": ["nonsaturating", "hinge"], "penalty": ["none", "r1"]}
    weights = [o for r in factorial.runs for o in r.overrides if "penalty_weight" in o]
    assert weights == ["hyperparameters.penalty_weight=0.5"] * 4
    # the two best of four cells, each with and without, on a fresh seed
    assert len(best.chosen) == 2 and best.chosen[0]["score"] <= best.chosen[1]["score"]
    assert [run.sample for run in best.runs] == [c["sample"] for c in best.chosen for _ in "ab"]
    assert {run.seed for run in best.runs} == {2} and "2 lowest" in best.rule
    # two runs of the first stage, which the last one asks for by its own overrides
    assert len(set(r.run_id for r in again.runs) & set(r.run_id for r in factorial.runs)) == 2
    assert "14 planned, 14 finished (2 skipped)" in done.stdout

    rows = read_rows(tmp_path / "runs", [factorial.runs[0].run_id])
    assert {row.checkpoint for row in rows} == {"final", "best", "raw"}
    by_checkpoint = {row.checkpoint: row for row in rows}
    assert by_checkpoint["raw"].protocol["ema"] is None
    assert by_checkpoint["final"].protocol["ema"]["rule"]["decay_rate"] == 0.999
    assert by_checkpoint["raw"].scores != by_checkpoint["final"].scores
    assert by_checkpoint["raw"].ema == "constant" and by_checkpoint["raw"].d_steps == 4

    stages = load_stages("tiny", tmp_path / "runs")
    assert not any(stage.is_search for stage in stages)
    read = [read_factorial(group) for stage in stages for group in group_rows(stage)]
    assert [f and tuple(f.factors) for f in read if f and f.group.checkpoint == "best"] == [
        ("loss", "penalty"),  # the others have one seed of each cell, which has no spread
    ]
    written = write_report(stages, tmp_path / "one")
    write_report(load_stages(str(written.folder), tmp_path), tmp_path / "two")
    loaded = load_stages(str(written.folder), tmp_path)
    for ours, theirs in zip(stages, loaded, strict=True):
        assert [(r.overrides, r.sample) for r in ours.runs] == [
            (r.overrides, r.sample) for r in theirs.runs
        ]
    plan = json.loads((tmp_path / "one/plan.json").read_text())
    assert ["otherwise" in stage for stage in plan["stages"]] == [True, False, False]
    one, two = ((tmp_path / name / "index.html").read_bytes() for name in ("one", "two"))
    assert one == two
    assert (tmp_path / "one/tables/factorial-ring-slim-best-effects.tex").is_file()
    assert b"loss=hinge with penalty=r1" in (tmp_path / "one/report.md").read_bytes()


def test_a_factor_cannot_be_overridden(launch):
    for override in ("loss=hinge", "hyperparameters.penalty_weight=3"):
        done = launch(override, text=GRID)
        key = override.partition("=")[0]
        assert done.returncode == 2 and f"{key} is what the sweep 'tiny' varies" in done.stderr


STAGE = {"variants": ["ns_gan"], "datasets": ["ring"], "seeds": [0]}
AFTER = {"after": "s", "rule": {"name": "lowest", "score": "frechet", "checkpoint": "best"}}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"grid": ["loss"]}, "grid is"),
        ({"grid": {"loss": "hinge"}}, "grid has loss: 'hinge'"),
        ({"grid": {"loss": {"hinge": {}, "rpgan": 1}}}, "grid.loss is 1"),
        ({"grid": {"loss": ["hinge"]}}, "two different values"),
        ({"grid": {"loss": ["hinge", "hinge"]}}, "two different values"),
        ({"grid": {"loss": ["a", "b"]}, "set": {"loss": "a"}}, "set or varied elsewhere"),
        ({"grid": {"seed": [0, 1]}}, "set or varied elsewhere"),
        ({"grid": {"a": {"x": {"k": 1}, "y": {}}, "k": [1, 2]}}, "k, which is set or varied"),
        ({"grid": {"a": {"x": {"k": 1}, "y": {}}}, "set": {"k": 1}}, "k, which is set or varied"),
        ({"grid": {"loss": ["a", "b"]}, "table": [{"beta1": 0.5}]}, "a grid, and draws or lists"),
    ],
)
def test_a_wrong_grid_is_refused(change, sentence):
    with pytest.raises(UserError) as error:
        parse_stages({"s": {**STAGE, **change}})
    assert sentence in f"{error.value.message} {error.value.fix}"


@pytest.mark.parametrize("count", [0, 1.5, "two"])
def test_a_rule_counts_in_whole_numbers(count):
    rule = {**AFTER["rule"], "count": count}
    with pytest.raises(UserError, match="rule is"):
        parse_stages({"s": STAGE, "t": {"after": "s", "seeds": [1], "rule": rule}})


def test_nothing_is_chosen_from_what_a_stage_crossed():
    first = {**STAGE, "grid": {"loss": ["a", "b"]}}
    crossing = {**AFTER, "seeds": [1], "grid": {"penalty": ["none", "r1"]}}
    last = {**AFTER, "after": "t", "seeds": [2]}
    with pytest.raises(UserError, match="crosses what it chose"):
        parse_stages({"s": first, "t": crossing, "u": last})
    again = {**AFTER, "seeds": [1], "grid": {"loss": ["c", "d"]}}
    with pytest.raises(UserError, match="set or varied elsewhere"):
        parse_stages({"s": first, "t": again})
