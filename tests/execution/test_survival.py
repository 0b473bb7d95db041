"""What a run survives: kill -9, damaged checkpoints, full disks, limits, company."""

import multiprocessing
import os
import random
import resource
import shutil
import time
import warnings

import numpy as np
import pytest
import torch
from support import ROOT

from bench.config import build
from bench.core.errors import Caution, Interrupted
from bench.core.files import read_json, writer_id
from bench.core.signals import INTERRUPT
from bench.execution.run import execute
from bench.runs.digests import read_digests, score_digests
from bench.runs.heartbeat import remove_partial_files
from bench.runs.rows import read_rows
from bench.training.checkpoints import Checkpoints
from bench.training.job import prepare_job
from bench.training.monitor import Monitor

VARIANTS = sorted(p.stem for p in (ROOT / "conf/variant").glob("*.yaml"))
KILLS = 3  # of every variant's run: thirty in all
FORK = multiprocessing.get_context("fork")  # a child that has torch already starts at once


def job_of(tiny, *overrides):
    return prepare_job(build.compose_config(tiny(*overrides)))


def leavings(job) -> dict:
    """All that must come out the same, whatever happened on the way."""
    status = job.folder.read_status()
    rows = read_rows(job.folder.root, [job.folder.run_id])
    return {
        "status": {k: v for k, v in status.items() if not k.startswith(("wall_", "peak_"))},
        "chain": read_digests(job.folder.digests),
        "history": job.folder.history.read_text(),
        "candidates": read_json(job.folder.candidates) if job.folder.candidates.exists() else None,
        "scores": score_digests(rows),
        "files": sorted(str(p.relative_to(job.folder.path)) for p in job.folder.path.rglob("*")),
    }


def quietly(job) -> None:
    warnings.simplefilter("ignore")
    execute(job)


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_killed_at_any_moment_a_run_goes_on_to_the_same_bits(tiny, tmp_path, variant):
    settings = [f"variant={variant}", "d_steps=90", "ema=constant", "ema.rule.decay_rate=0.9"]
    settings += ["score.every=30", "trainer.checkpoint_every=10", "trainer.pictures=1"]
    whole = job_of(tiny, *settings, f"runs_root={tmp_path / 'whole'}")
    began = time.monotonic()
    quietly(whole)
    took = time.monotonic() - began
    cut, moments = job_of(tiny, *settings), random.Random(variant)
    for _ in range(KILLS):
        child = FORK.Process(target=quietly, args=(cut,))
        child.start()
        child.join(took * moments.uniform(0.1, 0.6))
        child.kill()
        child.join()
        assert child.exitcode in (-9, 0)
    quietly(cut)
    assert leavings(cut) == leavings(whole)
    assert len(read_rows(cut.folder.root, [cut.folder.run_id])) == 3
    assert "step-90" in leavings(cut)["chain"]


def interrupted_at(job, step, act, monkeypatch):
    """Train with `act` done after a step, once."""
    at_end = Monitor.on_train_batch_end

    def hook(self, trainer, model, outputs, batch, batch_idx):
        at_end(self, trainer, model, outputs, batch, batch_idx)
        if model.d_steps == step:
            act()

    with monkeypatch.context() as patch:
        patch.setattr(Monitor, "on_train_batch_end", hook)
        return execute(job)


STEPS = ["d_steps=40", "trainer.checkpoint_every=10"]


@pytest.mark.parametrize(
    "settings",
    [
        ["conditioning=projection", "dataset=ring"],
        pytest.param(["conditioning=projection", "dataset=digits"], marks=pytest.mark.slow),
        pytest.param(["conditioning=acgan", "dataset=digits"], marks=pytest.mark.slow),
    ],
    ids=["points by projection", "projection", "acgan"],
)
def test_a_conditional_run_goes_on_to_the_same_bits(tiny, tmp_path, monkeypatch, settings):
    """Drawn labels, and those of the data, are functions of seed and step."""
    network = "mlp" if "dataset=ring" in settings else "infogan"

    def job(root):
        overrides = [*STEPS, *settings, "variant=ns_gan", f"runs_root={tmp_path / root}"]
        return prepare_job(build.compose_config(tiny(*overrides, network=network)))

    whole, cut = job("whole"), job("cut")
    execute(whole)
    with pytest.raises(Interrupted):
        interrupted_at(cut, 25, lambda: setattr(INTERRUPT, "requested", True), monkeypatch)
    execute(cut)
    assert leavings(cut) == leavings(whole)
    counts = cut.folder.read_provenance()["class_counts"]
    assert sum(counts) == len(cut.splits["train"].labels) and min(counts) > 0


@pytest.fixture
def whole_digest(train_once):
    """Digest of the run of STEPS that nothing happened to."""
    return train_once(*STEPS).folder.read_status()["digest"]


@pytest.mark.parametrize("network", ["Dropout", "SpectralNorm"])
def test_a_network_that_draws_from_global_generators_repeats_and_resumes_bit_for_bit(
    tiny, tmp_path, monkeypatch, network
):
    """Pictures, selection and whatever drew before in the process change no bit either."""
    settings = [*STEPS, "variant=ns_gan", "dataset=ring", "trainer.pictures=2", "score.every=20"]
    settings += [f"~network.gan.discriminator.{k}" for k in ("shape", "depth", "batch_norm")]
    settings += [f"network.gan.discriminator._target_=foreign_networks.{network}"]

    def job(root):
        overrides = tiny(*settings, f"runs_root={tmp_path / root}", network="mlp")
        return prepare_job(build.compose_config(overrides))

    def draw_between():
        torch.rand(3), np.random.rand(3), random.random()

    whole, again, cut = job("whole"), job("again"), job("cut")
    execute(whole)
    draw_between()
    execute(again)
    draw_between()
    with pytest.raises(Interrupted):
        interrupted_at(cut, 25, lambda: setattr(INTERRUPT, "requested", True), monkeypatch)
    assert cut.folder.read_status()["d_steps"] == 26
    execute(cut)
    digests = read_digests(whole.folder.digests)
    assert len(digests) == 11
    assert read_digests(again.folder.digests) == digests == read_digests(cut.folder.digests)


def test_a_full_disk_in_mid_run_fails_and_the_checkpoint_before_is_used(
    tiny, whole_digest, monkeypatch
):
    job = job_of(tiny, *STEPS)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        outcome = interrupted_at(
            job, 11, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (6000, hard)), monkeypatch
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert outcome.status == job.folder.read_status()["status"] == "failed"
    assert "cannot write" in outcome.cause and "File too large" in outcome.cause
    assert [p.name.split("-")[1] for p in job.folder.checkpoints.iterdir()] == ["000000010"]
    assert execute(job).status == "finished"
    assert job.folder.read_status()["digest"] == whole_digest


def test_a_folder_that_cannot_be_written_in_mid_run_fails_and_the_run_goes_on_later(
    tiny, tmp_path, whole_digest, monkeypatch
):
    job, aside = job_of(tiny, *STEPS), tmp_path / "aside"

    def take_away():
        job.folder.checkpoints.rename(aside)
        job.folder.checkpoints.write_text("a file where the folder was")

    outcome = interrupted_at(job, 25, take_away, monkeypatch)
    assert outcome.status == "failed" and "cannot write" in outcome.cause
    job.folder.checkpoints.unlink()
    shutil.move(aside, job.folder.checkpoints)
    assert execute(job).status == "finished"
    assert job.folder.read_status()["digest"] == whole_digest


def fail(*_):
    raise RuntimeError("made to fail")


@pytest.mark.parametrize("damage", ["flipped", "cut", "emptied", "renamed"])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    tiny, whole_digest, monkeypatch, damage
):
    job = job_of(tiny, *STEPS)
    assert interrupted_at(job, 35, fail, monkeypatch).status == "failed"
    older, newest = sorted(job.folder.checkpoints.glob("*.ckpt"))
    assert (older.name[:14], newest.name[:14]) == ("step-000000020", "step-000000030")
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    damaged = {"flipped": bytes(content), "cut": newest.read_bytes()[:-100], "emptied": b""}
    if damage == "renamed":
        newest.rename(newest.with_name("step-000000031-0123456789abcdef.ckpt"))
    else:
        newest.write_bytes(damaged[damage])
    with pytest.warns(Caution, match="is damaged .*: the one before it is used"):
        assert Checkpoints(job.folder.checkpoints, 2).find_newest() == older
    with pytest.warns(Caution, match="is damaged"):
        assert execute(job).status == "finished"
    assert job.folder.read_status()["digest"] == whole_digest
    assert not list(job.folder.checkpoints.glob("*.ckpt"))


def test_with_all_checkpoints_damaged_a_run_starts_anew_to_the_same_bits(
    tiny, whole_digest, monkeypatch
):
    job = job_of(tiny, *STEPS)
    interrupted_at(job, 35, fail, monkeypatch)
    for path in job.folder.checkpoints.glob("*.ckpt"):
        path.write_bytes(b"nothing")
    with pytest.warns(Caution, match="starts anew"):
        assert execute(job).status == "finished"
    assert job.folder.read_status()["digest"] == whole_digest


def test_a_checkpoint_by_the_clock(tiny, monkeypatch):
    job = job_of(tiny, "d_steps=30", "trainer.checkpoint_seconds=1.0e-6")
    interrupted_at(job, 25, fail, monkeypatch)
    steps = sorted(int(p.name.split("-")[1]) for p in job.folder.checkpoints.glob("*.ckpt"))
    assert steps == [10, 20]


def test_a_limit_of_time_is_named_in_the_row_and_cuts_no_budget(tiny, whole_digest):
    limited = job_of(tiny, *STEPS, "trainer.limit_minutes=1.0e-6")
    outcome = execute(limited)
    sentence = "the limit of 1e-06 minutes of training was reached at step 10 of 40"
    assert outcome.status == "failed" and outcome.cause == sentence
    (row,) = read_rows(limited.folder.root, [limited.folder.run_id])
    assert (row.status, row.cause, row.d_steps) == ("failed", sentence, 10)
    assert row.scores == {} and row.details == {"limit.wall_minutes": 1e-06}
    longer = job_of(tiny, *STEPS, "trainer.limit_minutes=60")
    assert longer.folder == limited.folder
    row = execute(longer).row
    assert row.status == "finished" and row.details["limit.wall_minutes"] == 60
    assert longer.folder.read_status()["digest"] == whole_digest
    (row,) = read_rows(limited.folder.root, [limited.folder.run_id])
    assert row.status == "finished"


def test_the_same_run_twice_at_once_ends_in_one_row(tiny, whole_digest):
    job = job_of(tiny, *STEPS)
    children = [FORK.Process(target=quietly, args=(job,)) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0]
    assert len(read_rows(job.folder.root, [job.folder.run_id])) == 1
    status = job.folder.read_status()
    assert status["status"] == "finished" and "differs_from" not in status
    assert status["digest"] == whole_digest


def test_two_processes_that_differ_are_told(tiny, monkeypatch):
    job = job_of(tiny, *STEPS)

    def another_ends():
        job.folder.write_status("finished", digest="0" * 64)

    with pytest.warns(Caution, match="trained by two processes and their weights differ"):
        interrupted_at(job, 30, another_ends, monkeypatch)
    assert job.folder.read_status()["differs_from"] == "0" * 64


def test_a_run_that_another_process_is_at_is_left_to_it_where_that_is_asked(tiny):
    job = job_of(tiny, "d_steps=200000")
    child = FORK.Process(target=quietly, args=(job,))
    child.start()
    while not job.folder.heartbeat.is_file():
        time.sleep(0.02)
    assert execute(job, skip_if_active=True).status == "running_elsewhere"
    os.kill(child.pid, 9)
    child.join()
    assert job.folder.read_status()["status"] == "running"
    short = job_of(tiny)
    assert execute(short, skip_if_active=True).status == "finished"


def test_what_a_dead_process_left_half_written_is_swept_up_and_a_living_ones_is_not(tiny):
    job = job_of(tiny)
    folder = job.folder.checkpoints
    folder.mkdir(parents=True)
    child = FORK.Process(target=lambda: None)
    child.start()
    child.join()
    here = writer_id().rpartition("-")[0]
    names = {
        f".a.{here}-{child.pid}-00000000.part": False,  # dead
        f".b.{here}-{os.getpid()}-00000000.part": True,
        ".c.another-1-00000000.part": True,  # who can tell
        ".d.another-1-00000000.part": False,  # too old
    }
    for name in names:
        (folder / name).write_text("half")
    os.utime(folder / ".d.another-1-00000000.part", (0, 0))
    remove_partial_files(job.folder.path)
    assert {name: (folder / name).exists() for name in names} == names
