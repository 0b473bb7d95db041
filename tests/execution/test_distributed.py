"""One run in two processes: what it leaves, how it ends, how it goes on."""

import multiprocessing
import os
import signal
import threading
import time

import pytest
import torch

from bench.config import build
from bench.config.trainer_settings import ACCELERATORS
from bench.core.errors import Interrupted, UserError
from bench.core.signals import INTERRUPT
from bench.execution.distributed.launch import check_batch_norms
from bench.execution.run import execute
from bench.networks.layers import BatchNorm
from bench.runs.history import read_history
from bench.training.job import prepare_job


def job_of(tiny, *overrides):
    chosen = ("variant=wgan_gp", "dataset=ring", "trainer.devices=2", *overrides)
    return prepare_job(build.compose_config(tiny(*chosen, network="mlp")))


@pytest.fixture
def unscored(monkeypatch):
    monkeypatch.setattr("bench.execution.lifecycle._score", lambda job, stored: None)
    monkeypatch.setattr("bench.execution.lifecycle.write_row", lambda root, row: None)


def soon(when, act):
    """Do something in a thread as soon as a condition holds."""

    def watch():
        while not when():
            time.sleep(0.01)
        act()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


LONG = ["d_steps=100", "log_every=10", "score.every=10", "score.select_split=train"]


def test_two_processes_leave_what_one_does(tiny, unscored, monkeypatch):
    """The same files and counts, and losses as of one process to float32's rounding.

    The processes are forked; the slow tests spawn theirs, which import torch again.
    """
    fork = multiprocessing.get_context("fork")
    monkeypatch.setattr("bench.execution.distributed.worker_pool.get_context", lambda method: fork)
    one, two = (job_of(tiny, *LONG, "trainer.pictures=2", f"trainer.devices={n}") for n in (1, 2))
    assert one.folder.run_id != two.folder.run_id
    for job in (one, two):
        assert execute(job).status == "finished"
    left = [{p.name for p in job.folder.path.rglob("*.*")} for job in (one, two)]
    assert left[0] == left[1]
    status = [job.folder.read_status() for job in (one, two)]
    for counted in ("d_steps", "g_steps", "images"):
        assert status[0][counted] == status[1][counted]
    assert status[1]["images"] == 100 * 64
    histories = [read_history(job.folder.history) for job in (one, two)]
    for alone, together in zip(*histories, strict=True):
        assert together == pytest.approx(alone, rel=1e-4)


@pytest.mark.slow
def test_a_run_in_two_processes_goes_on_bit_for_bit(tiny, tmp_path, unscored):
    whole = job_of(tiny, *LONG, f"runs_root={tmp_path / 'whole'}")
    assert execute(whole).status == "finished"
    cut = job_of(tiny, *LONG)
    INTERRUPT.install()
    soon(cut.folder.candidates.is_file, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Interrupted):
        execute(cut)
    stopped = cut.folder.read_status()
    assert stopped["status"] == "interrupted" and 20 <= stopped["d_steps"] < 100
    assert stopped["d_steps"] % 10 == 0
    full = sorted(cut.folder.checkpoints.glob("*.ckpt"))[-1]
    kept = torch.load(full, weights_only=True)
    assert kept["d_steps"] == stopped["d_steps"]
    assert execute(cut).status == "finished"
    assert cut.folder.read_status()["digest"] == whole.folder.read_status()["digest"]
    assert cut.folder.history.read_text() == whole.folder.history.read_text()


@pytest.mark.slow
def test_a_process_that_dies_ends_the_run_as_failed(tiny, unscored):
    job = job_of(tiny, "d_steps=5000", "score.every=10", "score.select_split=train")

    def kill():
        # the run has begun: both are at work
        victim = max(multiprocessing.active_children(), key=lambda child: child.pid)
        os.kill(victim.pid, signal.SIGKILL)

    soon(job.folder.candidates.is_file, kill)
    outcome = execute(job)
    assert outcome.status == "failed"
    assert outcome.cause == "RuntimeError: process 1 of 2 died (SIGKILL)"
    assert not multiprocessing.active_children()


@pytest.mark.slow
def test_what_one_process_raises_is_the_runs_cause(tiny, unscored):
    job = job_of(tiny, "loss.generator._target_=team.broken")
    outcome = execute(job)
    assert outcome.cause == "ArithmeticError: made to fail"
    assert job.folder.read_status()["status"] == "failed"
    assert "in broken" in (job.folder.path / "error.txt").read_text()


@pytest.mark.slow
def test_a_run_in_two_processes_can_diverge(tiny, unscored):
    unstable = ["variant=lsgan", "loss=lsgan_logits", "hyperparameters.learning_rate=1e30"]
    job = job_of(tiny, *unstable, "d_steps=60")
    execute(job)
    assert job.folder.read_status()["status"] == "diverged"
    assert job.folder.read_status()["d_steps"] == 50


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["batch_size=63"], "batch_size 63 cannot be divided evenly among trainer.devices=2"),
        (["trainer.devices=0"], "trainer.devices is 0"),
        (["trainer.batch_norm=none"], "trainer.batch_norm is 'none'"),
        (["trainer.accelerator=gpu"], r"trainer.devices is 2; this machine has 1 \(cuda\)"),
    ],
)
def test_what_cannot_be_is_refused(tiny, monkeypatch, overrides, sentence):
    monkeypatch.setitem(ACCELERATORS, "gpu", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UserError, match=sentence):
        job_of(tiny, *overrides)


def test_batch_norms_that_would_not_do_what_is_asked_are_refused(tiny):
    job = job_of(tiny, "batch_size=2", "trainer.batch_norm=per_process")
    model = build.build_model(job.cfg)
    check_batch_norms(job, model)  # nothing in it is normalised
    model.discriminator[1] = BatchNorm(8, momentum=None)
    with pytest.raises(UserError, match="each process has one sample"):
        check_batch_norms(job, model)
    job = job_of(tiny)
    check_batch_norms(job, model)
    model.discriminator[1] = torch.nn.BatchNorm1d(8)
    with pytest.raises(UserError, match="torch's own batch norm"):
        check_batch_norms(job, model)


def test_a_runs_name_knows_of_several_processes_and_of_nothing_else_new(tiny):
    """One process: the same identity as before there were several, whatever batch_norm says."""
    name = {
        (n, norm): job_of(tiny, f"trainer.devices={n}", f"trainer.batch_norm={norm}").folder.run_id
        for n in (1, 2)
        for norm in ("synchronised", "per_process")
    }
    assert name[1, "synchronised"] == name[1, "per_process"]
    assert len(set(name.values())) == 3
