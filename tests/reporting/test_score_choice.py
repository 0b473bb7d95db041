"""Choosing the score that ranks, the scores that are shown, and the file of a leaderboard."""

import csv
import io

import pytest
from made import normal

from bench.commands import cli
from bench.core.errors import UserError
from bench.reporting.output.latex import build_latex_files
from bench.reporting.output.leaderboard_file import write_leaderboard
from bench.reporting.report import write_report
from bench.reporting.tables.score_choice import ScoreChoice


@pytest.fixture
def study(made):
    """By frechet a leads, by recall b."""
    made.seeds("a", [1.0, 2.0], scores=[{"recall": 0.2, "precision": 0.5}] * 2)
    made.seeds("b", [8.0, 9.0], scores=[{"recall": 0.6, "precision": 0.4}] * 2)
    made.add_real_baseline(frechet=0.1, recall=0.9)
    return made


def test_the_chosen_score_ranks_and_the_chosen_columns_stand_beside_it(study):
    table = study.comparisons(ScoreChoice("recall", ("precision",)))[0].main
    assert list(table.group.metrics) == ["recall", "precision"]
    assert [row.name for row in table.rows] == ["b", "a"]
    table = study.comparisons(ScoreChoice(columns=("recall",)))[0].main
    assert list(table.group.metrics) == ["frechet", "recall"]
    assert [row.name for row in table.rows] == ["a", "b"]


@pytest.mark.parametrize("choice", [ScoreChoice("recal"), ScoreChoice(columns=("recal",))])
def test_an_unknown_score_is_answered_with_the_nearest(study, choice):
    with pytest.raises(UserError, match="no score 'recal'") as error:
        study.comparisons(choice)
    assert error.value.fix.startswith("did you mean recall? the scores are frechet, ")


def test_a_score_that_is_best_at_that_of_real_data_cannot_rank(made):
    made.seeds("a", [1.0], scores=[{"ssim": 0.2}])
    with pytest.raises(UserError, match="ssim cannot rank"):
        made.comparisons(ScoreChoice("ssim"))


def test_latex_and_data_of_a_report_by_another_score(study, tmp_path):
    """The tables are by the chosen score; the rows keep all of them."""
    files = build_latex_files(study.comparisons(ScoreChoice("recall")), [])
    text = files["scores-quick-digits_convnet-final.tex"]
    assert text.index(r"b & 0.600 $\pm$ 0.000") < text.index(r"a & 0.200 $\pm$ 0.000")
    assert "published FID" not in text
    write_report(study.records(), tmp_path / "a")
    write_report(study.records(), tmp_path / "b", ScoreChoice("recall", ("precision",)))
    same = [(tmp_path / name / "rows.csv").read_bytes() for name in "ab"]
    assert same[0] == same[1]
    assert "| b | 2 | 0.600" in (tmp_path / "b" / "report.md").read_text()


def test_a_leaderboard_file_has_places_intervals_and_real_samples(made, tmp_path):
    made.seeds("a", normal(10, 1, 10))
    made.seeds("b", [*normal(20, 1, 10), None])
    made.add_real_baseline(frechet=0.25)
    for suffix in ("csv", "md", "tex"):
        write_leaderboard(made.comparisons(), tmp_path / f"board.{suffix}")
    lines = list(csv.DictReader(io.StringIO((tmp_path / "board.csv").read_text())))
    assert [(x["place"], x["variant"], x["runs"], x["planned"]) for x in lines[:2]] == [
        ("1", "a", "10", "10"),
        ("2", "b", "10", "11"),
    ]
    assert float(lines[0]["frechet"]) == pytest.approx(10)
    assert float(lines[0]["frechet_sd"]) == pytest.approx(1)
    low, high = (float(lines[1][f"frechet_interval_{end}"]) for end in ("low", "high"))
    assert low < 20 < high and lines[2]["place"] == "" and float(lines[2]["frechet"]) == 0.25
    text = (tmp_path / "board.md").read_text()
    assert "| 1 | a | a | 10 | 10.0 \u00b1 1.0 | " in text and "| 2 | b | b | 10 of 11 |" in text
    assert "a comes first by mean" in text
    assert r"1 & a & a & 10 & 10.0 $\pm$ 1.0" in (tmp_path / "board.tex").read_text()
    with pytest.raises(UserError, match=r"a leaderboard is no \.xls"):
        write_leaderboard(made.comparisons(), tmp_path / "board.xls")


def test_the_commands_take_a_score_and_write_where_nothing_is_replaced(
    mixed, tmp_path, run_command, monkeypatch
):
    """By recall ns_gan leads (0.75, 0.5); the study's own report is in results/s alone."""
    monkeypatch.chdir(tmp_path)
    rows = [("ns_gan", 0, 5, 0.75), ("ns_gan", 1, 7, 0.75), ("wgan", 0, 2, 0.5)]
    for run_id, (variant, seed, frechet, recall) in zip(mixed.runs, rows, strict=False):
        mixed.score(run_id, variant, seed, frechet, recall)
    root = f"--runs-root={mixed.root}"
    done = run_command(cli.main, "report", "s", root, "--score", "recall")
    assert done.returncode == 0, done.stderr
    assert (mixed.root / "reports" / "s_by_recall" / "index.html").is_file()
    assert not (tmp_path / "results").exists()
    done = run_command(cli.main, "leaderboard", "s", root, "--score", "recall")
    names = [line.split()[0] for line in done.stdout.splitlines() if line[:2] in ("wg", "ns")]
    assert names == ["ns_gan*", "wgan*"], done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    board = tmp_path / "board.csv"
    done = run_command(cli.main, "leaderboard", "s", root, "--to", str(board))
    assert done.returncode == 0 and board.read_text().startswith("table,place,variant")
    done = run_command(cli.main, "leaderboard", "s", root, "--dry-run", "there")
    assert done.returncode == 2 and "--dry-run is of --wandb" in done.stderr
    done = run_command(cli.main, "leaderboard", "s", root, "--columns", "recal")
    assert done.returncode == 2 and "did you mean recall?" in done.stderr
