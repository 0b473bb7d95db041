"""Data of the page's script: boards, runs to open, and the numbers of its charts."""

import json
import re
from dataclasses import replace

import pytest
from made import comparisons, seeds

from bench.plotting.style import assign_styles
from bench.reporting.analysis.chart_descriptions import describe_budget, describe_score_axis
from bench.reporting.charts import budget_chart
from bench.reporting.charts.vega_javascript import vega_javascript
from bench.reporting.output import interactive, run_details
from bench.reporting.output.leaderboard import build_boards, sort_board_rows
from bench.reporting.output.provenance import describe_environments
from bench.reporting.output.summary_csv import format_summary_csv
from bench.reporting.tables import rounding
from bench.reporting.tables.search import summarise_search
from bench.reporting.text.cells import cost_rows


def test_a_board_orders_each_score_by_its_own_direction(made):
    made.seeds("wgan", [1.0, 3.0], scores=[{"recall": 0.2}, {"recall": 0.4}])
    made.seeds("vae", [4.0, None], scores=[{"recall": 0.9}, None])
    made.add_real_baseline(frechet=0.25, recall=0.95)
    (board,) = build_boards(made.comparisons(), ())
    assert [line["name"] for line in sort_board_rows(board, "frechet")] == ["wgan", "vae"]
    assert [line["name"] for line in sort_board_rows(board, "recall")] == ["vae", "wgan"]
    wgan, vae = board["lines"]
    assert wgan["cells"]["frechet"]["mean"] == (2.0, "2.00")
    assert wgan["cells"]["frechet"]["low"][0] == 1.0 and wgan["cells"]["frechet"]["high"][0] == 3.0
    assert wgan["cells"]["recall"]["place"] == (2, "2")
    assert wgan["cells"]["frechet"]["interval"] == (None, "\u2013")  # of two runs there is none
    assert vae["facts"]["diverged"] == (1, "1") and vae["lost"] == "1 diverged"
    assert board["floors"][0]["cells"]["recall"][0] == 0.95


def test_similarity_of_pairs_is_best_where_it_is_that_of_real_data(made):
    made.metrics = {"ssim": "lower"}
    for variant, value in (("a", 0.25), ("b", 0.75), ("c", 0.5)):
        made.run(variant, 1.0, scores={"ssim": value})
    made.add_real_baseline(frechet=0.5, ssim=0.5625)  # distances 0.3125, 0.1875 and 0.0625
    (comparison,) = made.comparisons()
    (board,) = build_boards([comparison], ())
    assert [line["name"] for line in sort_board_rows(board, "ssim")] == ["c", "b", "a"]
    (ssim,) = [metric for metric in board["metrics"] if metric["name"] == "ssim"]
    assert (ssim["target"], ssim["direction"]) == (0.5625, "closest to real data is better")
    assert board["metrics"][0]["target"] is None
    assert "a,ssim,as real data,1,0.25" in format_summary_csv(comparison.main)


def test_boards_of_a_study_are_one_each_for_stage_and_checkpoint(made):
    made.search("wgan", [5.0, 1.0])
    made.seeds("wgan", [1.0, 2.0])
    comparisons = made.comparisons()
    seeds, wide = build_boards(comparisons, run_details.select_runs(comparisons))
    assert (seeds["unit"], wide["unit"]) == ("seeds", "configurations")
    assert wide["table"] == "digits: the search" and seeds["table"] != wide["table"]
    assert seeds["lines"][0]["runs"] == ["00000000-seeds", "00000001-seeds"]
    few = build_boards(comparisons, {"00000001-wide"})[1]["lines"][0]
    assert (few["runs"], few["more"]) == (["00000001-wide"], 1)


def test_a_large_study_keeps_best_median_and_default_runs_and_then_the_last_stage(
    made, monkeypatch
):
    made.search("wgan", [9.0, 5.0, 1.0, 7.0, 3.0])  # default 9, best 1, median 5
    made.seeds("wgan", [1.0, 2.0, 3.0])
    comparisons = made.comparisons()
    wide = [f"{number:08x}-wide" for number in range(5)]
    seeds = [f"{number:08x}-seeds" for number in range(3)]
    assert len(run_details.select_runs(comparisons)) == 8
    monkeypatch.setattr(run_details, "MAX_RUNS", 6)
    assert set(run_details.select_runs(comparisons)) == {*seeds, *wide[:3]}
    monkeypatch.setattr(run_details, "MAX_RUNS", 7)
    assert set(run_details.select_runs(comparisons)) == {*seeds, *wide[:4]}


def test_a_run_has_its_scores_under_each_board(made):
    made.seeds("wgan", [1.25], scores=[{"recall": 0.5}], settings=[{"learning_rate": 0.00123456}])
    comparisons = made.comparisons()
    data = run_details.build_run_data(comparisons, run_details.select_runs(comparisons))
    ((run_id, run),) = data["runs"].items()
    board = build_boards(comparisons, data["runs"])[0]
    values = dict(
        zip([m["name"] for m in board["metrics"]], run["scores"][board["slug"]], strict=True)
    )
    assert values["frechet"] == 1.25 and values["recall"] == 0.5
    assert run["settings"] == {"learning rate": "0.001235"}
    assert run_id == board["lines"][0]["runs"][0]


def test_the_budget_chart_has_the_expected_best(made):
    """Of 1, 2 and 6: one finds 3, two (2 * 1 + 2) / 3, three 1."""
    made.search("wgan", [6.0, 1.0, 2.0])
    search = summarise_search(made.comparisons()[0].main)
    budget = describe_budget(search, assign_styles(["wgan"]))
    assert budget.means == pytest.approx([3, 4 / 3, 1]) and not budget.log
    assert (budget.largest, budget.title) == (3, "Frechet distance, lower is better")
    chart = budget_chart.budget_chart(budget)
    points = chart["datasets"]["budgets"]
    assert [point["k"] for point in points] == [1, 2, 3]
    assert [point["value"] for point in points] == pytest.approx([3, 4 / 3, 1], rel=1e-5)
    assert budget_chart.budget_table(budget) == ([1, 2, 3], {"wgan": ["3.00", "1.33", "1.00"]})


def test_names_at_the_ends_of_curves_keep_apart(made):
    for name in ("a", "b", "c"):
        made.search(name, [9.0, 1.0])
    search = summarise_search(made.comparisons()[0].main)
    budget = describe_budget(search, assign_styles("abc"))
    ends = budget_chart.budget_chart(budget)["datasets"]["ends"]
    places = [end["value"] for end in ends]
    means = (5, 1)  # of one and of two
    gap = (means[0] - means[1]) * budget_chart.LINE_HEIGHT / budget_chart.HEIGHT
    assert places == pytest.approx([1, 1 + gap, 1 + 2 * gap], rel=1e-4)


def test_an_axis_holds_real_samples_and_is_logarithmic_where_means_span_more_than_thirty(made):
    made.seeds("wgan", [2.0, 4.0])
    made.seeds("vae", [80.0, 100.0])  # means 3 and 90
    assert describe_score_axis(made.comparisons()[0].main, "frechet") == (2, 100, False)
    made.add_real_baseline(frechet=0.25)
    table = made.comparisons()[0].main
    assert describe_score_axis(table, "frechet") == (0.25, 100, True)
    assert describe_score_axis(table, "recall") is None


def test_no_text_can_end_the_script_element_that_holds_it():
    text = "</script><script>alert('&')</script><!--"
    assert "<" not in interactive.format_script_json({"cause": text})
    assert json.loads(interactive.format_script_json({"cause": text})) == {"cause": text}
    assert not re.search("</script|<!--", vega_javascript()[0], re.IGNORECASE)


def test_a_run_tells_what_it_cost(made):
    costs = {"d_steps": 4000, "g_steps": 800, "images": 256000, "wall_seconds": 12.34}
    made.run("wgan", 2.0)
    comparisons = made.comparisons()
    (run,) = run_details.select_runs(comparisons).values()
    run = replace(run, facts=costs | {"peak_memory_gib": 0.256})
    shown = run_details.build_run_data(comparisons, {run.run_id: run})["runs"][run.run_id]
    assert shown["facts"] == {
        "discriminator steps": "4,000",
        "generator steps": "800",
        "real images seen": "256,000",
        "training time": "12 s",
        "peak memory, GiB": "0.26",
    }


def test_an_environment_says_once_whether_the_checkout_was_clean():
    record = {"python": "3.11.7", "commit": "ab12", "dirty": True, "code": ["x.py", "y.py"]}
    assert describe_environments([record, record | {"python": "3.12.1"}], "run") == {
        "python": "3.11.7 (one run); 3.12.1 (one run)",
        "commit": "ab12, with uncommitted changes",
        "code outside the package": "x.py, y.py",
    }


def test_costs_are_medians_of_finished_runs_and_the_highest_peak_of_all():
    facts = [
        {"d_steps": 1000 * n, "g_steps": 200 * n, "images": 64_000 * n, "wall_seconds": float(n)}
        | {"peak_memory_gib": peak}
        for n, peak in ((1, 0.5), (2, 0.25), (6, 0.125))
    ]
    runs = [replace(r, facts=f) for r, f in zip(seeds({"a": [1, 2, 3]}), facts, strict=True)]
    lost = replace(seeds({"a": [None] * 4})[3], facts={"d_steps": 9, "peak_memory_gib": 0.75})
    (costs,) = cost_rows(comparisons(runs + [lost])[0].main)
    counts = ("3", "1", rounding.DASH, rounding.DASH)
    assert costs == ("a", *counts, "2,000", "400", "128,000", "2.0 s", "0.75")
