"""The W&B Report of a study: the numbers of the local one, to the digit."""

import json
import re

import made
import pytest
from made import normal, search, seeds

from bench.core.errors import UserError
from bench.reporting.data.records import StageRecord
from bench.reporting.output.latex import build_latex_files
from bench.reporting.tables.score_choice import ScoreChoice
from bench.reporting.wandb.publish import build_leaderboards, publish_leaderboards

LOW, HIGH = (list(normal(mean, 1, 10)) for mean in (10, 40))
SPACE = search({"a": [12, 6, 9, 3, 15], "b": [2, 4, 6, 8, 10]})


def stages(*runs):
    return [StageRecord("s", "c", f"stage{i}", tuple(r), ()) for i, r in enumerate(runs)]


def test_the_report_has_the_local_tables_numbers(tmp_path):
    study = stages(SPACE, seeds({"a": LOW, "b": [*HIGH, None]}))
    (place,) = publish_leaderboards(study, "me/gans", tmp_path)
    content = json.loads((tmp_path / "stage1-digits-quick.json").read_text())
    assert place == str(tmp_path / "stage1-digits-quick.html")
    assert (content["entityName"], content["projectName"]) == ("me", "gans")
    tables = [b["content"] for b in content["spec"]["blocks"] if b["type"] == "markdown-block"]
    lines = [re.split(r" *\| *", line)[1:-1] for line in tables[0].splitlines()[2:]]
    printed = build_latex_files(made.comparisons(SPACE, study[1].runs), [])
    local = printed["scores-quick-digits_convnet-final.tex"]
    for _, name, _, mean, sd, *_ in lines:
        assert rf"{name} & {mean} $\pm$ {sd}" in local
    assert [line[:3] for line in lines] == [["1", "a", "10"], ["2", "b", "10"]]


def test_the_budget_is_the_exact_expectation():
    """Of 3, 6, 9, 12, 15 the best of two is 3 (4 + 3 * 2 + 2 * 3 + 4) / 10 = 6."""
    boards = dict(build_leaderboards(made.comparisons(SPACE, seeds({"a": LOW, "b": HIGH}))))
    (board,) = boards.values()
    points = board.budgets["a"]
    assert [(k, float(best)) for k, best, _ in points] == [(1, 9.0), (2, 6.0), (5, 3.0)]
    assert [interval for *_, interval in points][1:] == ["no interval"] * 2


def test_the_budget_of_another_protocol_is_not_shown():
    other = search({"a": [1, 2], "b": [3, 4]}, protocol={"n_fake": 500})
    (board,) = dict(
        build_leaderboards(made.comparisons(other, seeds({"a": LOW, "b": HIGH})))
    ).values()
    assert not board.budgets


def test_a_search_alone_has_no_leaderboard(tmp_path):
    with pytest.raises(UserError, match="only searches"):
        publish_leaderboards(stages(SPACE), "me/gans", tmp_path)


def test_the_score_is_chosen_and_real_samples_stand_below(made):
    """By recall b leads; real samples reach 0.9."""
    made.seeds("a", [1.0, 2.0], scores=[{"recall": 0.2}, {"recall": 0.4}])
    made.seeds("b", [8.0, 9.0], scores=[{"recall": 0.6}, {"recall": 0.8}])
    made.add_real_baseline(frechet=0.1, recall=0.9)
    choice = ScoreChoice("recall")
    (board,) = dict(build_leaderboards(made.comparisons(choice))).values()
    assert [row[:3] for row in board.rows] == [("b", "2", "0.700"), ("a", "2", "0.300")]
    assert [score for _, score in board.real] == ["0.900"]
    assert board.metric.startswith("recall") and board.better == "higher is better"
    assert board.column.endswith("/recall")
