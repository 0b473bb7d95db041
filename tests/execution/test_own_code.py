"""A loss that lies outside the package: an edit of it, or of what it imports, is a new run."""

import os
import shlex
import subprocess
import sys

import pytest

from bench.config import build
from bench.training.job import prepare_job

LOSS = """
from torch.nn.functional import softplus

from own_helper import SCALE


def discriminator_loss(real_logits, fake_logits):
    return SCALE * (softplus(-real_logits) + softplus(fake_logits)).mean()
"""
YAML = """
_target_: bench.core.objective.Losses
discriminator: {_target_: own_loss.discriminator_loss, _partial_: true}
generator: {_target_: bench.losses.nonsaturating.generator_loss, _partial_: true}
constraint: null
fresh_latent: true
"""


@pytest.fixture
def run(tmp_path, tiny):
    """Return a call that trains in a process of its own, as a user does; its standard output."""
    (tmp_path / "mine/conf/loss").mkdir(parents=True)
    (tmp_path / "mine/own_loss.py").write_text(LOSS)
    (tmp_path / "mine/own_helper.py").write_text("SCALE = 1.0\n")
    (tmp_path / "mine/conf/loss/own.yaml").write_text(YAML)
    settings = tiny("loss=own", "variant=ns_gan", "dataset=ring", network="mlp")

    def call(*words):
        words = words or ("-m", "bench.train", "--config-dir", "mine/conf", *settings)
        done = subprocess.run(
            [sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(["mine", *filter(None, sys.path)])},
        )  # fmt: skip
        return done.stdout

    return call


def test_the_run_id_follows_the_text_of_a_loss_and_of_its_helper(tmp_path, tiny, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    loss, helper = tmp_path / "own_loss.py", tmp_path / "own_helper.py"
    overrides = ["variant=ns_gan", "dataset=ring"]
    overrides += ["loss.discriminator._target_=own_loss.discriminator_loss"]

    def run_id(loss_text, helper_text):
        loss.write_text(loss_text)
        helper.write_text(helper_text)
        job = prepare_job(build.compose_config(tiny(*overrides, network="mlp")))
        assert set(job.describe_environment("cpu")["code"]) == {"own_helper.py", "own_loss.py"}
        return job.folder.run_id

    first = run_id(LOSS, "SCALE = 1.0\n")
    assert first != run_id(LOSS, "SCALE = 2.0\n") != run_id(LOSS + "# edited\n", "SCALE = 2.0\n")
    assert run_id(LOSS, "SCALE = 1.0\n") == first


@pytest.mark.slow
def test_an_edited_loss_or_helper_is_a_new_run_and_its_command_is_printed_whole(run, tmp_path):
    """Seven processes, as a user starts them: what is skipped, trained and printed."""
    runs, helper, loss = (tmp_path / n for n in ("runs", "mine/own_helper.py", "mine/own_loss.py"))

    def run_ids():
        return {p.parent.name for p in runs.glob("*/config.yaml")}

    run()
    first = run_ids()
    assert "finished before, skipped" in run() and run_ids() == first
    helper.write_text("SCALE = 2.0\n")
    assert "skipped" not in run()
    (second,) = run_ids() - first
    loss.write_text(LOSS + "\n# another text\n")
    run()
    assert len(run_ids()) == 3
    helper.write_text("SCALE = 1.0\n")
    loss.write_text(LOSS)
    assert "finished before, skipped" in run() and len(run_ids()) == 3

    lines = run("-m", "bench", "reproduce", second, "--runs-root", "runs").splitlines()
    (command,) = [line for line in lines if "bench.train" in line]
    assert command.startswith("PYTHONPATH=mine python -m bench.train --config-dir mine/conf ")
    assert "loss=own" in shlex.split(command)
    assert sum("own_helper.py must have the SHA-256 " in line for line in lines) == 1
