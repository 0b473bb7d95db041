"""Comparison of two reports."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from made import normal, seeds
from rich.console import Console

from bench.commands import cli
from bench.commands.compare import show_changes, study_at
from bench.core.errors import UserError
from bench.reporting.archive.read import Study
from bench.reporting.data.records import StageRecord
from bench.reporting.output.run_comparison import (
    BETTER,
    EMPTY,
    IDENTICAL,
    NO_DIFFERENCE,
    TOO_FEW_RUNS,
    WORSE,
    compare_reports,
)
from bench.reporting.report import write_report


def study(runs):
    return Study(Path("nowhere"), (StageRecord("s", "command", "all", tuple(runs), ()),))


def changes(before, after):
    (pair,) = compare_reports(study(before), study(after)).pairs
    return {change.name: change for change in pair.changes}


def moved(values, by):
    return [value + by for value in values]


LOW = list(normal(10, 1, 10))


def test_the_same_rows_are_identical():
    found = changes(seeds({"a": LOW, "b": LOW}), seeds({"a": LOW, "b": LOW}))
    assert {c.result for c in found.values()} == {IDENTICAL}
    assert found["a"].same_runs == found["a"].equal == 10


@pytest.mark.parametrize(
    ("by", "result", "chance"), [(9, WORSE, 0.0), (-9, BETTER, 1.0), (0.01, NO_DIFFERENCE, None)]
)
def test_a_shift_is_called_better_or_worse(by, result, chance):
    """Ten runs all below ten others: p = 2 / C(20, 10), times two tests."""
    found = changes(seeds({"a": LOW, "b": LOW}), seeds({"a": moved(LOW, by), "b": LOW}))["a"]
    assert found.result == result
    if chance is not None:
        assert found.improvement.value == chance
        assert found.p == pytest.approx(2 * 2 / 184756)


def test_three_runs_are_not_enough_whatever_they_say():
    found = changes(seeds({"a": [1, 2, 3]}), seeds({"a": [7, 8, 9]}))["a"]
    assert found.result == TOO_FEW_RUNS and found.p is None


def test_more_runs_that_diverge_are_worse():
    found = changes(seeds({"a": LOW}), seeds({"a": [*LOW[:2], *[None] * 8]}))["a"]
    assert found.result == WORSE


def test_another_protocol_is_not_compared():
    found = compare_reports(
        study(seeds({"a": LOW})), study(seeds({"a": LOW}, protocol={"n_fake": 500}))
    )
    assert not found.pairs
    assert "number of generated samples (2000, 500)" in found.unmatched[0]


def test_methods_of_one_report_alone_are_named():
    (pair,) = compare_reports(
        study(seeds({"a": LOW, "b": LOW})), study(seeds({"a": LOW, "c": LOW}))
    ).pairs
    assert (pair.removed, pair.added) == (("b",), ("c",))


def test_another_configuration_of_a_variant_is_its_successor():
    after = seeds({"a": LOW}, sample=3)
    assert [c for c in changes(seeds({"a": LOW}), after)] == ["a"]


def test_a_folder_at_a_commit(tmp_path, monkeypatch, capsys):
    write_report(study(seeds({"a": LOW})).stages, tmp_path / "results" / "s")
    monkeypatch.chdir(tmp_path)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "one"]):
        subprocess.run([*git, *command], check=True)
    worse = study(seeds({"a": moved(LOW, 5)})).stages
    write_report(worse, tmp_path / "results" / "s")
    show_changes("HEAD:results/s", "results/s", Console(width=120))
    printed = capsys.readouterr().out
    assert "10.0 +/- 1.0" in printed and "15.0 +/- 1.0" in printed and "worse" in printed
    assert "10 runs are in both, 0 of them with equal scores" in printed
    with (
        pytest.raises(UserError, match="git has no HEAD~9:results/s"),
        study_at("HEAD~9:results/s"),
    ):
        pass


def test_what_is_no_report_is_refused(tmp_path):
    with pytest.raises(UserError, match="no published runs"), study_at(str(tmp_path)):
        pass


def test_stages_in_memory_are_those_on_disk(tmp_path):
    """Check that the tests' helper makes only what `load` reads back unchanged."""
    from bench.reporting import load

    ours = study(seeds({"a": LOW, "b": [None]}))
    write_report(ours.stages, tmp_path)
    (pair,) = compare_reports(load(tmp_path), ours).pairs
    assert [change.result for change in pair.changes] == [IDENTICAL, TOO_FEW_RUNS]


def test_runs_that_diverge_beside_equal_ones_are_not_identical():
    found = changes(seeds({"a": LOW}), seeds({"a": [*LOW, *[None] * 10]}))["a"]
    assert (found.equal, found.result) == (10, WORSE)


def test_each_table_that_both_reports_have_is_compared():
    both = seeds({"a": LOW}, dataset="x") + seeds({"a": LOW}, dataset="y")
    comparison = compare_reports(study(both), study(both + seeds({"a": LOW}, dataset="new")))
    assert [pair.before.group.dataset for pair in comparison.pairs] == ["x", "y"]
    assert comparison.unmatched == ("new-quick: only in the second",)


def unscored(runs):
    """Give runs the rows of failed ones."""
    for run in runs:
        row = replace(run.rows[0], status="failed", scores={})
        yield replace(run, status="failed", rows=(row,))


@pytest.mark.parametrize(("empty", "side"), [((0,), "first"), ((1,), "second")])
def test_a_method_without_runs_on_one_side_has_nothing_to_compare(empty, side, capsys, tmp_path):
    """A probability of 0.50 [0.00, 1.00] would look like a result."""
    both = [seeds({"a": LOW, "b": LOW}), seeds({"a": LOW, "b": LOW})]
    for index in empty:
        both[index] = [*both[index][:10], *unscored(both[index][10:])]
    found = changes(*both)
    assert found["b"].result == f"{EMPTY} {side}" and found["b"].improvement is None
    assert found["a"].result == IDENTICAL
    for name, runs in zip("xy", both, strict=True):
        write_report(study(runs).stages, tmp_path / name)
    show_changes(str(tmp_path / "x"), str(tmp_path / "y"), Console(width=120))
    printed = capsys.readouterr().out
    assert f"nothing to compare: no scored run in the {side}" in " ".join(printed.split())
    assert "0.50 [0.00, 1.00]" not in printed


def test_a_report_without_scores_is_named_and_not_compared(tmp_path, run_command):
    write_report(study(seeds({"a": LOW})).stages, tmp_path / "full")
    write_report(study(unscored(seeds({"a": LOW}))).stages, tmp_path / "empty")
    for words in (["full", "empty"], ["empty", "full"]):
        done = run_command(cli.main, "compare", *(str(tmp_path / word) for word in words))
        assert done.returncode == 2 and "Traceback" not in done.stderr
        assert f"nothing to compare: no run of {tmp_path / 'empty'} has a score" in done.stderr
    write_report(study(seeds({"a": [None] * 4})).stages, tmp_path / "lost")  # a result
    done = run_command(cli.main, "compare", str(tmp_path / "full"), str(tmp_path / "lost"))
    assert done.returncode == 0, done.stderr
