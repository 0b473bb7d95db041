"""Checkpoints on a schedule: which one is chosen, by which samples, and what is kept."""

import csv

import pytest
import torch
from safetensors.torch import load_file

from bench.config import build
from bench.core.errors import UserError
from bench.evaluation.checkpoint_selection import CheckpointSelector
from bench.evaluation.score_run import StoredRun, score_checkpoint
from bench.execution.run import execute
from bench.runs.candidates import best_candidate, read_candidates
from bench.runs.rows import read_rows
from bench.training.job import prepare_job


def job_of(tiny, *overrides):
    return prepare_job(build.compose_config(tiny("dataset=ring", *overrides, network="mlp")))


def test_the_best_is_the_lowest_finite_distance_the_earliest_of_equals():
    known = [
        {"d_steps": n, "g_steps": n, "frechet": value}
        for n, value in enumerate([None, 3.0, 2.0, 2.0, float("nan"), float("inf")])
    ]
    assert best_candidate(known)["d_steps"] == 2
    assert best_candidate(known[:1]) is None and best_candidate([]) is None


def test_final_best_and_the_last_few_are_scored_on_another_split_than_the_one_that_chooses(tiny):
    job = job_of(tiny, "d_steps=10", "score.every=2", "score.keep_last=2", "score.noise_seeds=1")
    outcome = execute(job)
    known = read_candidates(job.folder.candidates).checkpoints
    assert [c["d_steps"] for c in known] == [2, 4, 6, 8, 10]
    rows = {row.checkpoint: row for row in read_rows(job.folder.root, [job.folder.run_id])}
    assert set(rows) == {"final", "best", "last-2"} and outcome.row == rows["final"]
    first = best_candidate(known)
    assert rows["best"].d_steps == first["d_steps"]
    assert rows["best"].images == 64 * first["d_steps"]
    chosen = rows["best"].protocol["chosen"]
    assert (chosen["by"], chosen["split"], chosen["every"]) == ("frechet", "validation", 2)
    assert chosen["extractor"] == "identity" and "chosen" not in rows["final"].protocol
    assert rows["best"].protocol["split"] == "test"
    assert rows["best"].scores["frechet"] != first["frechet"]  # other real samples
    kept = {path.stem for path in job.folder.generator.parent.glob("step-*")}
    assert kept == {"step-8", "step-10", f"step-{first['d_steps']}"}
    steps = [
        score_checkpoint(StoredRun(job.folder, job.plain), job.evaluator, f"step-{n}")
        for n in (8, 10)
    ]
    assert steps[1].scores == rows["final"].scores
    values = [row.scores["frechet"] for row in steps]
    assert rows["last-2"].scores["frechet"] == pytest.approx(sum(values) / 2, rel=1e-12)
    spread = rows["last-2"].details["frechet.checkpoint_sd"]
    assert spread == pytest.approx(abs(values[0] - values[1]) / 2**0.5, rel=1e-9)
    assert rows["final"].details["frechet.latent_sd"] > 0


def test_the_distances_on_the_way_are_logged(tiny):
    job = job_of(tiny, "d_steps=6", "score.every=3", "logger=[csv]")
    execute(job)
    (file,) = job.folder.path.rglob("metrics.csv")
    with open(file, newline="") as lines:
        logged = {int(r["step"]): r["frechet"] for r in csv.DictReader(lines) if r["frechet"]}
    known = read_candidates(job.folder.candidates).checkpoints
    assert {s["d_steps"]: pytest.approx(s["frechet"]) for s in known} == {
        step: float(value) for step, value in logged.items()
    }


def test_the_choice_is_the_argmin_of_what_the_kept_weights_score(tiny):
    job = job_of(tiny, "d_steps=6", "score.every=2", "score.keep_last=3")
    execute(job)
    known = read_candidates(job.folder.candidates).checkpoints
    for candidate in known:
        sampler = build.build_sampler(job.folder, f"step-{candidate['d_steps']}")
        assert job.evaluator.selection_fid(sampler) == pytest.approx(candidate["frechet"], rel=1e-9)


def test_scoring_on_the_way_changes_no_bit_of_the_training(tiny, tmp_path):
    plain, watched = (
        job_of(tiny, "d_steps=10", f"runs_root={tmp_path / name}", *extra)
        for name, extra in (("a", ()), ("b", ("score.every=3",)))
    )
    assert plain.folder.run_id == watched.folder.run_id
    digests = [execute(job) and job.folder.read_status()["digest"] for job in (plain, watched)]
    assert digests[0] == digests[1]


def test_a_checkpoint_whose_samples_are_not_finite_is_never_the_best(tiny, monkeypatch):
    job = job_of(tiny, "d_steps=6", "score.every=2")
    choices = iter([5.0, None, 7.0])

    def choice(self, sampler):
        value = next(choices)
        if value is None:
            raise FloatingPointError("a sample is not finite")
        return value

    monkeypatch.setattr("bench.evaluation.evaluator.Evaluator.selection_fid", choice)
    execute(job)
    known = read_candidates(job.folder.candidates).checkpoints
    assert [c["frechet"] for c in known] == [5.0, None, 7.0] and best_candidate(known)[
        "d_steps"
    ] == 2


def test_a_step_that_is_scored_again_after_an_interruption_replaces_itself(tiny):
    job = job_of(tiny, "d_steps=6", "score.every=2")
    execute(job)
    model = build.build_model(job.cfg)
    model.d_steps = 4
    CheckpointSelector(job.folder, job.evaluator)(model)
    known = read_candidates(job.folder.candidates).checkpoints
    assert [c["d_steps"] for c in known] == [2, 4]


def test_the_split_that_chooses_is_not_the_one_that_is_reported_unless_asked(tiny):
    with pytest.raises(UserError, match="the split that is reported") as error:
        job_of(tiny, "score.every=2", "score.select_split=test")
    assert "select_on_reported" in str(error.value)
    job_of(tiny, "score.every=2", "score.select_split=test", "score.select_on_reported=true")
    job_of(tiny, "score.select_split=test")  # nothing is chosen without a schedule


def test_another_choice_begins_the_list_anew(tiny):
    job = job_of(tiny, "d_steps=6", "score.every=2")
    execute(job)
    other = job_of(tiny, "d_steps=6", "score.every=3")
    model = build.build_model(job.cfg)
    model.d_steps = 6
    CheckpointSelector(other.folder, other.evaluator)(model)
    known = read_candidates(job.folder.candidates)
    assert [step["d_steps"] for step in known.checkpoints] == [6] and known.protocol["every"] == 3


def test_last_checkpoints_without_a_distance_give_no_row(tiny, monkeypatch):
    def never(self, sampler):
        raise FloatingPointError("a sample is not finite")

    monkeypatch.setattr("bench.evaluation.evaluator.Evaluator.selection_fid", never)
    job = job_of(tiny, "d_steps=6", "score.every=2", "score.keep_last=2")
    execute(job)
    rows = read_rows(job.folder.root, [job.folder.run_id])
    assert [row.checkpoint for row in rows] == ["final"]


def test_a_checkpoint_on_the_way_that_is_not_finite_makes_no_run_diverged(tiny, monkeypatch):
    job = job_of(tiny, "d_steps=6", "score.every=2", "score.keep_last=3")
    execute(job)

    def broken(*_, **__):
        raise FloatingPointError("a sample is not finite")

    monkeypatch.setattr("bench.evaluation.evaluator.score_batches", broken)
    row = score_checkpoint(StoredRun(job.folder, job.plain), job.evaluator, "step-2")
    assert row.status == "diverged" and row.scores == {}
    assert job.folder.read_status()["status"] == "finished"


def test_a_checkpoint_that_is_not_kept_is_named_with_those_that_are(tiny):
    job = job_of(tiny)
    execute(job)
    with pytest.raises(UserError, match=r"no checkpoint 'best' \(has: final\)"):
        score_checkpoint(StoredRun(job.folder, job.plain), job.evaluator, "best")


def test_the_discriminators_diagnostics_stand_beside_the_scores(tiny):
    job = job_of(tiny, "d_steps=30")
    row = execute(job).row
    shares = {k: v for k, v in row.details.items() if k.startswith("discriminator.accuracy")}
    assert set(shares) == {f"discriminator.accuracy_{n}" for n in ("train", "test", "fake")}
    assert all(0 <= share <= 1 for share in shares.values())
    model = build.build_model(job.cfg)

    def logits(samples):
        return samples[:, 0]

    model.discriminator_scores = logits
    samples = {
        "train": torch.tensor([[1.0], [2.0], [-3.0], [4.0]]),
        "test": torch.tensor([[1.0], [-1.0]]),
        "fake": torch.tensor([[-1.0], [-2.0], [3.0], [-4.0]]),
    }
    assert model.discriminator_diagnostics(samples) == {
        "mean_train": 1.0, "mean_test": 0.0, "mean_fake": -1.0,
        "accuracy_train": 0.75, "accuracy_test": 0.5, "accuracy_fake": 0.75,
    }  # fmt: skip


def test_every_kept_file_loads_and_the_schedule_stands_in_no_run_id(tiny):
    job = job_of(tiny, "d_steps=4", "score.every=4")
    execute(job)
    last = load_file(job.folder.generator_file("step-4"))
    final = load_file(job.folder.generator)
    assert all(torch.equal(last[name], final[name]) for name in final)
    facts = job.folder.read_provenance()["data"]
    assert facts["train"]["count"] == 100_000 and len(facts["train"]["digest"]) == 64
