"""The life of a run: what is written, what is skipped, how it ends, how it goes on."""

import json
import os
import re
import resource
import signal

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from bench.config import build
from bench.core.errors import Interrupted, UserError
from bench.core.signals import INTERRUPT
from bench.execution.run import execute
from bench.runs.history import read_history
from bench.runs.rows import read_rows
from bench.training.fit import picture_steps
from bench.training.job import prepare_job
from bench.training.monitor import Monitor


def job_of(tiny, *overrides, network="infogan"):
    return prepare_job(build.compose_config(tiny(*overrides, network=network)))


def test_a_finished_run_leaves_everything_and_is_skipped(tiny, rendered_plots):
    settings = ("trainer.pictures=2", "trainer.checkpoint_every=2", "dataset=ring")
    job = job_of(tiny, *settings, network="mlp")
    outcome = execute(job)
    names = {str(p.relative_to(job.folder.path)) for p in job.folder.path.rglob("*.*")}
    assert {
        "config.yaml",
        "provenance.json",
        "history.csv",
        "status.json",
        "generator.safetensors",
        "samples/final.png",
        "samples/step-000002.png",
        "samples/step-000004.png",
        "samples/training.gif",
    } <= names
    assert not [n for n in names if "part" in n or n.endswith(".ckpt")]
    assert not job.folder.checkpoints.exists()
    written = job.folder.generator.stat().st_mtime_ns
    again = execute(job)
    assert again.skipped and again.row == outcome.row
    assert job.folder.generator.stat().st_mtime_ns == written


def test_a_run_of_a_large_sweep_keeps_eight_files_in_two_folders(tiny):
    """50,400 runs of the study would otherwise be half a million files."""
    job = job_of(tiny, "trainer.pictures=0", "dataset=ring", network="mlp")
    execute(job)
    names = {str(p.relative_to(job.folder.path)) for p in job.folder.path.rglob("*")}
    row = {name for name in names if name.startswith("row-final-")}
    assert names == row | {
        "config.yaml", "digests.json", "generator.safetensors", "history.csv", "provenance.json",
        "samples", "samples/final.png", "status.json",
    } and len(row) == 1  # fmt: skip


def test_seed_zero_and_seed_one_differ_and_share_nothing_by_accident(tiny):
    digests = [execute(job_of(tiny, f"seed={s}")) and job_of(tiny, f"seed={s}") for s in (0, 1)]
    assert digests[0].folder.read_status()["digest"] != digests[1].folder.read_status()["digest"]


def test_counts_are_those_of_the_studys_turns(tiny):
    job = job_of(tiny, "variant=wgan_gp", "d_steps=12")
    execute(job)
    status = job.folder.read_status()
    assert (status["d_steps"], status["g_steps"], status["images"]) == (12, 4, 12 * 64)
    assert [r["step"] for r in read_history(job.folder.history)] == [2, 4, 6, 8, 10, 12]


def test_another_protocol_scores_a_finished_run_without_training_it_again(tiny, finished):
    job = finished()
    first = execute(job)
    second = execute(job_of(tiny, "score.n_fake=60"))
    assert second.skipped and second.run_id == first.run_id
    assert len(read_rows(job.folder.root, [first.run_id])) == 2
    assert second.row.protocol["n_fake"] == 60


def test_a_failed_scoring_keeps_the_trained_run(tiny, monkeypatch):
    job = job_of(tiny)

    def broken(*_, **__):
        raise RuntimeError("no score")

    with monkeypatch.context() as patch:
        patch.setattr("bench.evaluation.evaluator.score_batches", broken)
        outcome = execute(job)
    assert outcome.status == "failed" and "no score" in outcome.cause
    assert job.folder.read_status()["status"] == "finished"
    again = execute(job)
    assert again.skipped and again.status == "finished" and again.row is not None
    assert not (job.folder.path / "error.txt").exists()


def test_a_sample_that_is_not_finite_makes_the_run_diverged(tiny, monkeypatch):
    job = job_of(tiny)

    def broken(*_, **__):
        raise FloatingPointError("a sample is not finite")

    monkeypatch.setattr("bench.evaluation.evaluator.score_batches", broken)
    monkeypatch.setattr("bench.execution.lifecycle.baselines_missing", lambda *_: False)
    outcome = execute(job)
    assert outcome.status == "diverged" and outcome.row.scores == {}


@pytest.mark.parametrize("log_every", [1, 7, 100])
def test_reading_the_losses_more_often_changes_nothing(tiny, tmp_path, log_every):
    unstable = ["variant=lsgan", "loss=lsgan_logits", "hyperparameters.learning_rate=1e30"]
    job = job_of(tiny, *unstable, "d_steps=60", f"log_every={log_every}")
    execute(job)
    assert job.folder.read_status()["status"] == "diverged"
    assert job.folder.read_status()["d_steps"] == 50


def test_the_floor_is_scored_once(tiny):
    execute(job_of(tiny))
    execute(job_of(tiny, "seed=1"))
    floors = list((job_of(tiny).folder.root).glob("real-*/row-*.json"))
    rows = {row["variant"]: row for row in (json.loads(f.read_text()) for f in floors)}
    assert len(floors) == 2 and rows["real"]["scores"]["precision"] > 0.5
    assert rows["real"]["protocol"]["floor"] == "train"
    halves = rows["real_halves"]["protocol"]
    assert (halves["split"], halves["n_real"], halves["n_fake"]) == ("train", 100, 100)
    assert 0 < rows["real_halves"]["scores"]["frechet"] < rows["real"]["scores"]["frechet"] * 3


def test_real_images_are_pictured_once_for_a_protocol(tiny):
    """The picture has 64 of 1,000 training images: numbers 0, 16 (999/63 = 15.9), ... and 999."""
    job = job_of(tiny)
    execute(job)
    (path,) = job.folder.root.glob("real-*/samples/final.png")
    images = job.evaluator.real_features.splits["train"].samples
    assert len(images) == 1000
    picture = np.asarray(Image.open(path))
    tiles = picture.reshape(8, 34, 8, 34).swapaxes(1, 2)[:, :, 1:33:4, 1:33:4]  # 8 x 8, enlarged
    assert (tiles[0, 0] == images[0, 0]).all() and (tiles[7, 7] == images[999, 0]).all()
    assert (tiles[0, 1] == images[16, 0]).all()
    written = path.stat().st_mtime_ns
    execute(job_of(tiny, "seed=1"))
    assert path.stat().st_mtime_ns == written


def test_a_floor_that_was_lost_is_made_again(finished):
    job = finished()
    next(job.folder.root.glob("real-*/row-*.json")).unlink()
    assert execute(job).skipped
    assert len(list(job.folder.root.glob("real-*/row-*.json"))) == 2


def test_against_training_samples_the_floor_is_of_the_test_split(tiny):
    job = job_of(tiny, "score.split=train")
    execute(job)
    rows = [json.loads(f.read_text()) for f in job.folder.root.glob("real-*/row-*.json")]
    (row,) = (row for row in rows if row["variant"] == "real")
    assert row["protocol"]["floor"] == "test" and row["scores"]["frechet"] > 0


def test_a_diverged_run_is_a_result_without_scores(tiny):
    job = job_of(tiny, "variant=lsgan", "loss=lsgan_logits", "hyperparameters.learning_rate=1e30")
    outcome = execute(job)
    assert outcome.status == "diverged" and "not finite" in outcome.cause
    assert outcome.row.scores == {} and outcome.row.status == "diverged"
    assert execute(job).skipped


def test_a_diverged_run_tells_what_its_untrained_generator_scores(tiny):
    """It is the same for two losses: same network, same seed, and nothing learnt."""
    rate = "hyperparameters.learning_rate=1e30"
    kinds = (
        ["variant=lsgan", "loss=lsgan_logits"],
        ["variant=wgan_gp"],
        ["variant=wgan_gp", "seed=1"],
    )
    rows = [execute(job_of(tiny, *kind, rate)).row for kind in kinds]
    assert [row.status for row in rows] == ["diverged"] * 3
    first, second, other = (row.details["untrained.frechet"] for row in rows)
    assert first == second != other


def test_a_failed_run_keeps_cause_and_traceback_and_is_tried_again(tiny, monkeypatch):
    job = job_of(tiny)

    def broken(self, *_):
        raise RuntimeError("made to fail\nin two lines")

    with monkeypatch.context() as patch:
        patch.setattr("bench.models.gan.GAN.training_step", broken)
        outcome = execute(job)
    assert outcome.status == "failed" and outcome.cause == "RuntimeError: made to fail in two lines"
    assert "Traceback" in (job.folder.path / "error.txt").read_text()
    again = execute(job)
    assert again.status == "finished" and not (job.folder.path / "error.txt").exists()


EVERYTHING = (  # in a round that has state, moving buffers, lazy terms and schedules
    "ns_gan loss=rpgan update_order=g_first update_order.fresh_real=true penalty=r1_r2 "
    "penalty.r1.interval=3 normalisation=spectral augmentation=adaptive ema=half_life "
    "augmentation.adaptive.images_to_full=500 hyperparameters.d_batch_norm=false "
    "optimizer.generator.lr={_target_:bench.core.schedules.Cosine,start:1e-3,end:0,images:2560} "
    "penalty.r2.weight={_target_:bench.core.schedules.Linear,start:1,end:0,images:1280}"
)


@pytest.mark.parametrize(
    ("variant", "cut_at", "number"),
    [
        ("ns_gan", 23, signal.SIGINT),
        ("ns_gan", 23, signal.SIGTERM),  # Slurm's; Lightning answers it in its own way
        ("wgan_gp", 1, signal.SIGINT),
        ("ns_gan", 7, signal.SIGUSR1),
        ("vae", 40, signal.SIGINT),
        pytest.param("vae", 9, signal.SIGUSR2, marks=pytest.mark.slow),
        pytest.param("flow_matching", 13, signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("began", 20, signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param("dragan", 24, signal.SIGINT, marks=pytest.mark.slow),
        (EVERYTHING, 23, signal.SIGINT),
    ],
)
def test_an_interrupted_run_goes_on_bit_for_bit(
    tiny, tmp_path, monkeypatch, variant, cut_at, number
):
    settings = [*f"variant={variant}".split(), "d_steps=40"]
    if variant != EVERYTHING:
        settings += ["ema=constant", "ema.rule.decay_rate=0.9"]
    settings.append("trainer.pictures=2")
    whole = job_of(tiny, *settings, f"runs_root={tmp_path / 'whole'}")
    execute(whole)
    cut = job_of(tiny, *settings)
    at_end = Monitor.on_train_batch_end

    def press(self, trainer, model, outputs, batch, batch_idx):
        if model.d_steps == cut_at:
            os.kill(os.getpid(), number)
        at_end(self, trainer, model, outputs, batch, batch_idx)

    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        patch.setattr(Monitor, "on_train_batch_end", press)
        INTERRUPT.install()
        execute(cut)
    assert cut.folder.read_status()["status"] == "interrupted"
    assert cut.folder.read_status()["d_steps"] == cut_at
    assert cut.folder.read_status()["wall_seconds"] > 0
    (full,) = cut.folder.checkpoints.glob("*.ckpt")
    assert torch.load(full, weights_only=True)["d_steps"] == cut_at
    assert execute(cut).status == "finished"
    assert cut.folder.read_status()["digest"] == whole.folder.read_status()["digest"]
    assert cut.folder.history.read_text() == whole.folder.history.read_text()
    assert cut.folder.digests.read_text() == whole.folder.digests.read_text()
    pictures = [{p.name for p in j.folder.samples.iterdir()} for j in (cut, whole)]
    assert pictures[0] == pictures[1]


def test_a_signal_after_a_step_was_looked_at_stops_the_next_one_with_a_checkpoint(
    tiny, monkeypatch
):
    """Lightning's own handler of SIGTERM would end its loop between the step and a checkpoint."""
    job, at_end = job_of(tiny, "d_steps=40", "trainer.pictures=0"), Monitor.on_train_batch_end

    def press(self, trainer, model, outputs, batch, batch_idx):
        at_end(self, trainer, model, outputs, batch, batch_idx)
        if model.d_steps == 23:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        patch.setattr(Monitor, "on_train_batch_end", press)
        INTERRUPT.install()
        execute(job)
    assert job.folder.read_status()["status"] == "interrupted"
    (full,) = job.folder.checkpoints.glob("*.ckpt")
    assert torch.load(full, weights_only=True)["d_steps"] == 24


def test_the_moving_average_is_what_is_kept(tiny):
    plain, averaged = job_of(tiny), job_of(tiny, "ema=constant", "ema.rule.decay_rate=0.5")
    execute(plain)
    row = execute(averaged).row
    assert row.protocol["ema"]["rule"] == {
        "_target_": "moving_average.Constant",
        "decay_rate": 0.5,
        "start": 0,
    }
    weights = [load_file(j.folder.generator) for j in (plain, averaged)]
    assert weights[0].keys() == weights[1].keys()
    changed = [k for k in weights[0] if not torch.equal(weights[0][k], weights[1][k])]
    assert any("running_mean" in k for k in changed) and any("weight" in k for k in changed)


def test_host_data_give_the_same_bits_as_device_data(tiny, tmp_path):
    on_device = job_of(tiny, "d_steps=20")
    on_host = job_of(tiny, "d_steps=20", "trainer.data=host", f"runs_root={tmp_path / 'host'}")
    for job in (on_device, on_host):
        execute(job)
    assert on_device.folder.read_status()["digest"] == on_host.folder.read_status()["digest"]


def test_bf16_trains_and_differs(tiny):
    half, full = job_of(tiny, "precision=bf16", "variant=wgan_gp"), job_of(tiny, "variant=wgan_gp")
    assert execute(half).status == execute(full).status == "finished"
    assert half.folder.read_status()["digest"] != full.folder.read_status()["digest"]


def test_a_damaged_run_is_one_sentence(finished):
    job = finished()
    job.folder.generator.write_bytes(b"no tensors")
    with pytest.raises(UserError, match="is damaged"):
        build.build_sampler(job.folder)


def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(tiny, monkeypatch):
    job = job_of(tiny, "network.dense=256")

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    monkeypatch.setattr("bench.training.fit.SamplePlotter", _NoPainter)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_000, hard))  # room for small files only
    try:
        outcome = execute(job)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert outcome.status == job.folder.read_status()["status"] == "failed"
    assert re.search("cannot write .*generator.safetensors: File too large", outcome.cause)
    assert not list(job.folder.path.rglob("*.part")) and not job.folder.generator.exists()
    assert execute(job).status == "finished"


class _NoPainter:
    def __init__(self, *_, **__):
        pass

    def finish(self, model):
        pass


def test_pictures_are_spread_evenly_and_end_at_the_end():
    assert picture_steps(100, 4) == {25, 50, 75, 100}
    assert picture_steps(100, 0) == frozenset()
    assert picture_steps(3, 8) == {1, 2, 3}


@pytest.mark.parametrize("content", ["{}", "[]", "not json"])
def test_a_damaged_status_is_one_sentence(tiny, content):
    job = job_of(tiny)
    job.folder.path.mkdir(parents=True)
    (job.folder.path / "status.json").write_text(content)
    with pytest.raises(UserError, match="status.json"):
        execute(job)


def test_real_samples_that_are_too_few_for_a_measure_have_no_row_and_break_nothing(tiny):
    """120 training images are no floor for 130 clusters; 150 and 150 test images are a bias."""
    few = "dataset.source.counts={train: 120, test: 300}"
    job = job_of(
        tiny, few, "score.n_fake=140", "score.n_real=140", "score.metrics.prd.clusters=130"
    )
    outcome = execute(job)
    assert outcome.status == "finished" and outcome.row.scores["prd_f8"] >= 0
    variants = {r.variant for r in read_rows(job.folder.root, floors_of(job))}
    assert variants == {"real_halves"}


def floors_of(job):
    return [path.name for path in job.folder.root.glob("real-*")]


def test_under_slurm_lightning_queues_nothing_again_by_itself(tiny, monkeypatch):
    """It would answer SIGUSR1 with a checkpoint of its own and scontrol; that is STOP's."""
    for name, value in {"NTASKS": "1", "PROCID": "0", "LOCALID": "0", "NODEID": "0"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    seen, start = [], Monitor.on_train_start

    def look(self, trainer, model):
        seen.append(signal.getsignal(signal.SIGUSR1))
        start(self, trainer, model)

    monkeypatch.setattr(Monitor, "on_train_start", look)
    before = signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    try:
        execute(job_of(tiny, "dataset=ring", network="mlp"))
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert seen == [signal.SIG_DFL]
