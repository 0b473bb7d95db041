"""`bench score RUN`: another protocol, another checkpoint, another machine."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from bench.commands.cli import main
from bench.config import build
from bench.core.errors import Caution, UserError
from bench.evaluation.rescore import rescore
from bench.execution.run import execute
from bench.runs.digests import score_digests
from bench.runs.folder import RunFolder
from bench.runs.rows import merge_rows, read_rows
from bench.training.job import prepare_job


@pytest.fixture
def trained(finished):
    """A run with a schedule, on digits."""
    return finished("score.every=2", "score.keep_last=2")


def test_the_same_protocol_is_not_scored_twice(trained):
    before = len(read_rows(trained.folder.root, [trained.folder.run_id]))
    found = rescore(trained.folder, [], "final")
    assert found.already_scored and found.row == execute(trained).row
    assert {row.variant for row in found.baselines} == {"real", "real_halves"}
    assert len(read_rows(trained.folder.root, [trained.folder.run_id])) == before


def test_the_same_checkpoint_gives_the_same_digits_again(trained):
    first = execute(trained).row
    for file in trained.folder.row_files("final-"):
        file.unlink()
    found = rescore(trained.folder, [], "final")
    assert not found.already_scored and found.row == first


def test_another_protocol_gives_another_row(trained):
    found = rescore(trained.folder, ["score.n_fake=60"], "final")
    assert not found.already_scored and found.row.protocol["n_fake"] == 60
    assert found.row.details.get("frechet.latent_sd") is None
    named = rescore(trained.folder, ["score=standard_50k_train", "score.n_fake=80"], "final")
    assert named.row.protocol["name"] == "standard_50k_train"
    assert (named.row.protocol["split"], named.row.protocol["n_real"]) == ("train", 1000)
    assert named.row.protocol["n_fake"] == 80


@pytest.mark.parametrize("checkpoint", ["best", "step-4"])
def test_other_checkpoints_can_be_asked_for(trained, checkpoint):
    row = rescore(trained.folder, ["score.n_fake=60"], checkpoint).row
    assert row.checkpoint == checkpoint and row.status == "finished"


def test_a_machine_without_the_data_needs_their_features_alone(trained, tmp_path, monkeypatch):
    """Digits cannot be lost; a source that finds nothing stands for a machine without data."""
    here = rescore(trained.folder, [], "final").row
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(trained.folder.root, elsewhere)
    folder = RunFolder(elsewhere, trained.folder.run_id)
    for file in folder.row_files():
        file.unlink()

    def absent(self):
        raise UserError("no digits", fix="get them")

    monkeypatch.setattr("bench.data.digits.Digits.splits", absent)
    row = rescore(folder, [], "final").row
    assert row.scores["frechet"] == here.scores["frechet"]
    assert row.protocol == here.protocol
    shutil.rmtree(elsewhere / "references")
    with pytest.raises(UserError, match="dataset 'digits' is not here"):
        rescore(folder, ["score.n_fake=50"], "final")


def test_other_data_of_the_same_name_are_refused(trained, monkeypatch):
    whole = build.build_splits(trained.cfg)[1]
    other = {**whole, "train": type(whole["train"])(255 - whole["train"].samples, None)}
    monkeypatch.setattr("bench.data.digits.Digits.splits", lambda self: other)
    with pytest.raises(UserError, match="is not the one of run .* train split"):
        rescore(trained.folder, [], "final")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("seed=1", "seed cannot be changed"),
        ("dataset=mnist", "dataset cannot be changed"),
        ("score.n_fak=3", "no score.n_fak"),
        ("score=nonesuch", "no score 'nonesuch'"),
        ("features=mnist_convnet", "takes samples of shape"),
        ("score.n_fake=1", "score.n_fake is 1"),
        ("score=images", "score.n_fake is null"),
        ("trainer=default", "trainer cannot be changed"),
        ("score.metrics.prdc.k=0", "k must be 1 at least"),
        ("score.metrics.prdc.n_most=3", "n_most must be 6 at least"),
        ("score.metrics=null", "score.metrics is None"),
    ],
)
def test_what_does_not_fit_is_one_sentence(trained, override, said):
    before = len(read_rows(trained.folder.root, [trained.folder.run_id]))
    with pytest.raises(UserError, match=said):
        rescore(trained.folder, [override], "final")
    assert len(read_rows(trained.folder.root, [trained.folder.run_id])) == before


def test_the_selection_protocol_is_kept_and_its_split_is_not_reported_on(trained):
    row = rescore(trained.folder, ["score.n_fake=60", "score.select_split=train"], "best").row
    assert row.protocol["chosen"]["split"] == "validation"
    assert row.protocol["chosen"]["every"] == 2 and row.protocol["chosen"]["n_fake"] == 100
    with pytest.raises(UserError, match="was chosen on 'validation'"):
        rescore(trained.folder, ["score.split=validation", "score.select_split=train"], "best")
    meant = ["score.split=validation", "score.select_on_reported=true"]
    assert rescore(trained.folder, meant, "best").row.protocol["split"] == "validation"


def test_a_schedule_that_is_asked_for_later_changes_no_row(tiny, trained):
    rows = {row.checkpoint for row in read_rows(trained.folder.root, [trained.folder.run_id])}
    assert rows == {"final", "best", "last-2"}
    with pytest.warns(Caution, match="2 of its last 3 checkpoints|no row last-3"):
        execute(prepare_job(build.compose_config(tiny("score.every=3", "score.keep_last=3"))))
    after = read_rows(trained.folder.root, [trained.folder.run_id])
    assert sorted(row.checkpoint for row in after) == ["best", "final", "last-2"]


@pytest.mark.parametrize(
    "content", ["{}", "[]", '{"overrides": [], "environment": {}, "data": {"train": 3}}', "{"]
)
def test_damaged_facts_of_the_data_are_named(trained, content):
    trained.folder.provenance.write_text(content)
    with pytest.raises(UserError, match="provenance.json"):
        rescore(trained.folder, ["score.n_fake=60"], "final")


@pytest.mark.parametrize("content", ["[]", "{}", '{"choice": {}, "steps": [3]}'])
def test_damaged_candidates_cost_the_best_checkpoint_alone(trained, content):
    trained.folder.candidates.write_text(content)
    assert rescore(trained.folder, ["score.n_fake=60"], "final").row.status == "finished"
    with pytest.raises(UserError, match="candidates.json is damaged"):
        rescore(trained.folder, ["score.n_fake=60"], "best")


def test_a_status_without_counts_is_named(trained):
    trained.folder.write_status("finished")
    with pytest.raises(UserError, match="without a result"):
        rescore(trained.folder, ["score.n_fake=60"], "final")


def test_other_data_have_another_baseline(tiny):
    rows = []
    for radius in (2.0, 0.5):
        ring = f"dataset.source.distribution.centres.radius={radius}"
        job = prepare_job(build.compose_config(tiny("dataset=ring", ring, network="mlp")))
        execute(job)
        rows.append({row.variant: row for row in rescore(job.folder, [], "final").baselines})
    assert rows[0]["real"].scores["wasserstein_1"] > 2 * rows[1]["real"].scores["wasserstein_1"]
    assert rows[0]["real"].protocol["quantised"] is None


def test_the_command_prints_a_table_and_writes_json(trained, tmp_path, capsys, monkeypatch):
    argv = ["bench", "score", trained.folder.run_id[:6], "--runs-root", str(trained.folder.root)]
    argv += ["--json", str(tmp_path / "scores.json"), "score.n_fake=70"]
    monkeypatch.setattr("sys.argv", argv)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    printed = capsys.readouterr().out
    assert "Frechet" in printed and "real (floor)" in printed and "70 samples" in printed
    (card,) = json.loads((tmp_path / "scores.json").read_text())
    row = next(
        row
        for row in read_rows(trained.folder.root, [trained.folder.run_id])
        if row.protocol["n_fake"] == 70
    )
    assert card["scores"] == row.scores and card["protocol"] == row.protocol
    assert set(card["real"]) == {"real (floor)", "real halves (bias)"}


def test_diverged_runs_say_so_and_end_with_one(tiny, monkeypatch, capsys):
    unstable = ["variant=lsgan", "loss=lsgan_logits", "hyperparameters.learning_rate=1e30"]
    job = prepare_job(build.compose_config(tiny(*unstable, "d_steps=60")))
    execute(job)
    argv = ["bench", "score", str(job.folder.path), "score.n_fake=50"]
    monkeypatch.setattr("sys.argv", argv)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1 and "diverged" in capsys.readouterr().out


def test_a_measure_that_is_added_changes_no_other_number(tiny, tmp_path):
    """Only it is scored, for the run and for real samples; the rows that were there stay."""
    schedule = ["score.every=2", "score.keep_last=2"]
    whole = build.compose_config(tiny(*schedule))
    few = whole.copy()
    for name in ("prdc", "memorisation", "classes"):
        del few.score.metrics[name]
    first = execute(prepare_job(few))
    root = RunFolder(Path(few.runs_root), first.row.run_id).root
    stored = {path: path.read_bytes() for path in root.glob("*/row-*.json")}
    added = execute(prepare_job(whole)).row
    assert added.scores.keys() - first.row.scores.keys() >= {"recall", "memorised"}
    assert stored.items() <= {p: p.read_bytes() for p in root.glob("*/row-*.json")}.items()
    assert len(list(root.glob("*/row-*.json"))) == 2 * len(stored)
    whole.runs_root = str(tmp_path / "at_once")
    execute(prepare_job(whole))
    names = [first.row.run_id, *(path.name for path in root.glob("real-*"))]
    apart, at_once = (merge_rows(read_rows(Path(r), names)) for r in (root, whole.runs_root))
    assert score_digests(apart) == score_digests(at_once) and len(apart) == 5


def test_a_measure_that_further_latents_do_not_score_can_be_added_alone(trained, monkeypatch):
    evaluator = trained.evaluator
    few = evaluator.only(["prdc"])
    (metric,) = few.settings.metrics.values()
    monkeypatch.setattr(type(metric), "noisy", False)
    settings = dataclasses.replace(few.settings, noise_seeds=2)
    sampler = build.build_sampler(trained.folder)
    assert dataclasses.replace(few, settings=settings).score(sampler).keys() >= {"recall"}


def test_both_baselines_of_points_have_the_same_scores(train_once):
    root = train_once("dataset=ring", network="mlp").folder.root
    rows = {row.variant: row for row in read_rows(root, [p.name for p in root.glob("real-*")])}
    assert rows["real"].scores.keys() == rows["real_halves"].scores.keys() > {"frechet"}
