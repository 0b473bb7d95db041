"""Runs side by side: what each leaves, who touches whom, and how all go on."""

import gc
import os
import random
import signal
import time
import weakref

import pytest
from execution.test_survival import FORK, leavings

from bench.config import build
from bench.config.process_settings import process_settings
from bench.core.errors import Interrupted, UserError
from bench.core.signals import INTERRUPT
from bench.execution.packs import slot_io
from bench.execution.packs.pack_runner import PackProgress, PackRunner
from bench.execution.queue import PendingRun
from bench.execution.run import execute
from bench.runs.rows import read_rows
from bench.training.job import prepare_job
from bench.training.monitor import Monitor
from bench.vectorized.trainer import TRIAL_STEPS, build_empty_stack

RING = ["dataset=ring", "trainer.checkpoint_every=10", "score.every=30", "score.keep_last=2"]


@pytest.fixture(autouse=True)
def no_trial(monkeypatch):
    """Looking for odd slots takes as long as all of the rest; the sweeps' tests do it."""
    monkeypatch.setattr("bench.vectorized.trainer.TRIAL_STEPS", 0)


@pytest.fixture
def jobs_of(tiny):
    """(slots, one list of overrides for each run) -> their jobs."""

    def make(slots, *runs, root=None):
        where = [f"runs_root={root}"] if root else []
        shared = [*RING, f"packed={slots}", "d_steps=60", *where]
        return [
            prepare_job(build.compose_config(tiny(*shared, *run, network="mlp"))) for run in runs
        ]

    return make


def train(jobs, finished_seeds=None, *, skip_if_active=False):
    """Train all jobs in one pack; return run_id -> how each ended."""
    pending = [PendingRun(job.folder.run_id, lambda share_with, job=job: job) for job in jobs]
    seeds = [] if finished_seeds is None else finished_seeds

    def on_outcome(job, outcome, seconds):
        seeds.append(job.plain["seed"])

    settings = {"skip_if_active": skip_if_active, "on_outcome": on_outcome}
    with process_settings(jobs[0].plain):
        return PackRunner(pending, jobs[0].plain["packed"], **settings).run()


def seeds(*numbers, more=()):
    return [[f"seed={number}", *more] for number in numbers]


def test_a_run_leaves_the_same_alone_in_its_pack_and_beside_others(jobs_of, tmp_path):
    """Slots, neighbours and the moment at which a slot was free change no bit."""
    together, told = jobs_of(2, *seeds(0, 1, 2)), []
    endings = train(together, told)
    assert [ending.status for ending in endings.values()] == ["finished"] * 3
    assert sorted(told) == [0, 1, 2] and list(endings) == [j.folder.run_id for j in together]
    for job in jobs_of(2, *seeds(2, 0), root=tmp_path / "alone"):
        execute(job)
        other = next(j for j in together if j.folder.run_id == job.folder.run_id)
        assert leavings(job) == leavings(other)
    kinds = {name.partition("/")[0] for job in together for name in leavings(job)["scores"]}
    assert kinds == {"final", "best", "last-2"}


@pytest.mark.slow
def test_members_have_rates_of_their_own(jobs_of, tmp_path, monkeypatch):
    """In stacks that were tried, as all are outside this file."""
    monkeypatch.setattr("bench.vectorized.trainer.TRIAL_STEPS", TRIAL_STEPS)
    kinds = [[f"hyperparameters.learning_rate={rate}"] for rate in (1e-3, 1e-4)]
    jobs = jobs_of(2, *kinds)
    train(jobs)
    alone = jobs_of(2, kinds[1], root=tmp_path / "alone")[0]
    execute(alone)
    assert leavings(alone) == leavings(jobs[1]) and leavings(jobs[0]) != leavings(jobs[1])


def test_the_number_of_slots_is_a_part_of_a_runs_identity(jobs_of):
    ids = {jobs_of(slots, [])[0].folder.run_id for slots in (1, 2, 3)}
    assert len(ids) == 3 and jobs_of("false", [])[0].folder.run_id not in ids


def test_what_diverges_ends_alone_and_the_next_takes_its_slot(jobs_of, tmp_path):
    unstable = ["variant=lsgan", "loss=lsgan_logits"]
    wild = [*unstable, "hyperparameters.learning_rate=1e30"]
    jobs = jobs_of(2, wild, *seeds(1, 2, more=unstable))
    endings = list(train(jobs).values())
    assert [ending.status for ending in endings] == ["diverged", "finished", "finished"]
    assert jobs[0].folder.read_status()["cause"] == "a loss was not finite at step 50"
    assert endings[0].row.scores == {} and endings[0].row.d_steps == 50
    for job in jobs_of(2, *seeds(1, 2, more=unstable), root=tmp_path / "alone"):
        execute(job)
        other = next(j for j in jobs if j.folder.run_id == job.folder.run_id)
        assert leavings(job) == leavings(other)


def pressing(step, act):
    """`Monitor.after_step` with something done before it, once, at a step of any replica."""
    look, done = Monitor.after_step, []

    def hook(self, model):
        if model.d_steps == step and not done:
            done.append(act())
        look(self, model)

    return hook


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_an_interrupted_pack_goes_on_bit_for_bit(jobs_of, tmp_path, monkeypatch, number):
    ema = ["ema=constant", "ema.rule.decay_rate=0.9"]
    whole = jobs_of(2, *seeds(0, 1, 2, more=ema), root=tmp_path / "whole")
    cut = jobs_of(2, *seeds(0, 1, 2, more=ema))
    train(whole)
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        patch.setattr(Monitor, "after_step", pressing(23, lambda: os.kill(os.getpid(), number)))
        INTERRUPT.install()
        train(cut)
    assert not INTERRUPT.requested
    found = [job.folder.read_status() for job in cut]
    assert [status["status"] for status in found[:2]] == ["interrupted"] * 2 and found[2] is None
    assert [status["d_steps"] for status in found[:2]] == [23, 23]
    assert [e.status for e in train(cut[::-1]).values()] == ["finished"] * 3
    assert [leavings(job) for job in cut] == [leavings(job) for job in whole]


def test_a_run_that_cannot_write_fails_and_its_neighbour_finishes(jobs_of, monkeypatch):
    jobs = jobs_of(2, *seeds(0, 1))

    def take_away():
        jobs[0].folder.checkpoints.rename(jobs[0].folder.path / "aside")
        jobs[0].folder.checkpoints.write_text("a file where the folder was")

    with monkeypatch.context() as patch:
        patch.setattr(Monitor, "after_step", pressing(25, take_away))
        endings = list(train(jobs).values())
    assert [ending.status for ending in endings] == ["failed", "finished"]
    assert "cannot write" in endings[0].cause
    jobs[0].folder.checkpoints.unlink()
    (jobs[0].folder.path / "aside").rename(jobs[0].folder.checkpoints)
    assert [e.status for e in train(jobs).values()] == ["finished", "finished"]


def test_a_step_that_fails_fails_all_who_make_it(jobs_of, monkeypatch):
    jobs = jobs_of(2, *seeds(0, 1, 2))

    def broken(self):
        raise RuntimeError("made to fail")

    with monkeypatch.context() as patch:
        patch.setattr("bench.execution.packs.pack_runner.train_step", broken)
        endings = list(train(jobs).values())
    assert {(e.status, e.cause) for e in endings} == {("failed", "RuntimeError: made to fail")}
    assert "Traceback" in (jobs[0].folder.path / "error.txt").read_text()
    assert [e.status for e in train(jobs).values()] == ["finished"] * 3


def test_members_that_are_done_or_cannot_begin_cost_no_slot(jobs_of):
    jobs = jobs_of(1, *seeds(0, 1, 2))
    first = execute(jobs[0])
    (jobs[1].folder.path / "status.json").parent.mkdir()
    (jobs[1].folder.path / "status.json").write_text("{}")
    endings = list(train(jobs).values())
    assert endings[0].skipped and endings[0].row == first.row
    assert isinstance(endings[1], UserError) and "status.json" in endings[1].message
    assert endings[2].status == "finished"
    assert len(read_rows(jobs[2].folder.root, [jobs[2].folder.run_id])) == 3


def test_what_another_process_is_at_is_left_to_it(jobs_of, monkeypatch):
    jobs = jobs_of(2, *seeds(0, 1))
    monkeypatch.setattr(
        "bench.execution.lifecycle.active_elsewhere",
        lambda path, now: path == jobs[0].folder.heartbeat or None,
    )
    endings = list(train(jobs, skip_if_active=True).values())
    assert [ending.status for ending in endings] == ["running_elsewhere", "finished"]
    assert jobs[0].folder.read_status() is None


def test_odd_slots_stay_empty_and_that_is_said(jobs_of, monkeypatch, tmp_path):
    jobs = jobs_of(3, *seeds(0, 1))
    with monkeypatch.context() as patch:
        patch.setattr(
            slot_io, "build_empty_stack", lambda *given: (build_empty_stack(*given)[0], [0, 2])
        )
        with pytest.warns(match="2 slots round otherwise .* and stay empty: 0, 2"):
            train(jobs)
    other = jobs_of(3, ["seed=1"], root=tmp_path / "alone")[0]
    execute(other)
    assert leavings(jobs[1]) == leavings(other)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["packed=0"], "packed is 0"),
        (["packed=true"], "packed is True"),
        (["packed=2.5"], "packed is 2.5"),
        (["packed=2", "precision=bf16"], "packed=2 is not possible: precision=bf16"),
        (["packed=2", "trainer.data=host"], "packed=2 is not possible: trainer.data=host"),
        (["packed=2", "variant=lda"], "lda cannot train in a pack: "),
        (["packed=1025"], "packed is 1025"),
        (["packed=1024", "network.width=4096"], "a pack of 1024 would need about .* GiB, and"),
    ],
)
def test_what_cannot_be_packed_is_one_sentence_before_anything_is_written(
    tiny, tmp_path, overrides, sentence
):
    with pytest.raises(UserError, match=sentence):
        execute(prepare_job(build.compose_config(tiny("dataset=ring", *overrides, network="mlp"))))
    assert not list(tmp_path.glob("runs/*/status.json"))


def test_a_pack_too_large_for_its_device_is_a_sentence_and_loses_no_run(jobs_of, monkeypatch):
    import torch

    jobs, steps = jobs_of(2, *seeds(0, 1, 2, 3, 4)), []

    def full(self):
        steps.append(1)
        raise torch.OutOfMemoryError("CUDA out of memory")

    with monkeypatch.context() as patch:
        patch.setattr("bench.execution.packs.pack_runner.train_step", full)
        endings = list(train(jobs).values())
    assert len(endings) == 5 and len(steps) == 1
    assert all("a pack of 2 is too large for the cpu device" in e.message for e in endings)
    assert not any(job.folder.path.exists() for job in jobs[2:])
    assert [e.status for e in train(jobs[:2]).values()] == ["finished", "finished"]


def test_what_cannot_be_prepared_or_stacked_is_told_and_raises_nothing(jobs_of, monkeypatch):
    jobs, asked = jobs_of(1, *seeds(0, 1, 2)), []

    def broken(*given):
        asked.append(given)
        raise OSError("made to fail")

    members = [
        PendingRun("none", broken),
        PendingRun(jobs[0].folder.run_id, lambda share_with: jobs[0]),
    ]
    pack = PackRunner(members, 1, skip_if_active=False)
    with process_settings(jobs[0].plain):
        first, second = pack.run().values()
    assert str(first) == "made to fail" and second.status == "finished"
    with monkeypatch.context() as patch:
        patch.setattr("bench.execution.packs.pack_runner.build_stack", broken)
        endings = train(jobs[1:])
    assert [str(ending) for ending in endings.values()] == ["made to fail"] * 2
    assert len(asked) == 2  # to prepare one, and for a stack once


def test_nothing_of_a_stack_waits_for_the_garbage_collector(jobs_of, monkeypatch):
    """Which does not run for want of a GPU's memory."""
    made = []

    def noted(*given):
        found = slot_io.build_stack(*given)
        made.append(weakref.ref(found[0]))
        return found

    monkeypatch.setattr("bench.execution.packs.pack_runner.build_stack", noted)
    jobs = jobs_of(1, *seeds(0))
    gc.disable()
    try:
        train(jobs)
        assert made[0]() is None
    finally:
        gc.enable()


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["ns_gan", "wgan_gp", "began", "vae"])
def test_killed_at_any_moment_a_pack_goes_on_to_the_same_bits(jobs_of, tmp_path, variant):
    runs = seeds(0, 1, 2, more=[f"variant={variant}", "ema=constant", "ema.rule.decay_rate=0.9"])
    whole = jobs_of(2, *runs, root=tmp_path / "whole")
    began = time.monotonic()
    train(whole)
    took = time.monotonic() - began
    cut, moments = jobs_of(2, *runs), random.Random(variant)
    for _ in range(3):
        child = FORK.Process(target=train, args=(cut,))
        child.start()
        child.join(took * moments.uniform(0.1, 0.6))
        child.kill()
        child.join()
        assert child.exitcode in (-9, 0)
    train(cut)
    assert [leavings(job) for job in cut] == [leavings(job) for job in whole]


def test_a_packs_bar_counts_the_steps_that_its_runs_have_to_make(terminal):
    bar = PackProgress("pack of 2", 3, 10, shown=True)
    bar.count_step(2, 1)
    bar.skip(4)
    assert (bar._bar.n, bar._bar.total) == (2, 26)
    bar.close()
    assert bar._bar.disable  # as tqdm leaves a bar that is closed
    PackProgress("pack of 2", 3, 10, shown=False).skip(4)
