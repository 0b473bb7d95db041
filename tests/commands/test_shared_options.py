"""Options that every command has: `--config-dir`, `--trust`, `-v`; and `trainer=debug`."""

import json
import logging
import os
from functools import partial
from pathlib import Path

import pytest

from bench import train
from bench.commands import cli
from bench.config import trust
from bench.core import verbose
from bench.models.gan import GAN

RING = ["dataset=ring", "network.width=8", "network.depth=2", "score.metrics.prd.clusterings=1"]


@pytest.fixture(autouse=True)
def quiet_afterwards(monkeypatch):
    """What a test makes verbose is silent after it."""
    monkeypatch.setenv(verbose.VARIABLE, "")
    yield
    logging.getLogger("bench").handlers.clear()


@pytest.fixture
def bench(run_command, monkeypatch):
    """Run `bench ARGUMENTS` in this process, which trusts nothing yet."""
    monkeypatch.setattr(trust, "USER", trust._Trusted())
    return partial(run_command, cli.main)


@pytest.fixture
def bench_train(run_command):
    """Run `python -m bench.train ARGUMENTS` in this process."""
    return partial(run_command, train.main)


def list_commands():
    (commands,) = (a for a in cli.build_parser()._actions if isinstance(a.choices, dict))
    return commands.choices


@pytest.mark.parametrize("command", sorted({*list_commands()} - {"train"}))
def test_every_command_takes_the_options_and_names_a_folder_that_is_absent(bench, command):
    words = [
        *(a.metavar or a.dest for a in list_commands()[command]._actions if not a.option_strings),
        *(w for a in list_commands()[command]._actions if a.required and a.option_strings
          for w in (a.option_strings[-1], "x/y")),
    ]  # fmt: skip
    done = bench(command, *words, "--config-dir", "absent", "--trust", "mine", "-v")
    assert done.returncode == 2 and "error: --config-dir absent: no such folder" in done.stderr
    assert "Traceback" in done.stderr


def test_an_error_has_its_traceback_with_v_and_its_sentence_last_in_both_cases(bench, bench_train):
    for call in (partial(bench, "report", "nobody"), partial(bench_train, "d_steps=0")):
        plain, detailed = call(), call("-v")
        assert plain.returncode == detailed.returncode == 2
        assert plain.stderr.startswith("error: ") and "Traceback" not in plain.stderr
        assert "Traceback (most recent call last)" in detailed.stderr
        assert detailed.stderr.endswith(plain.stderr)
        os.environ[verbose.VARIABLE] = ""


def test_v_shows_a_log_of_a_run(bench_train):
    fast = ["d_steps=2", "score.n_fake=60", "score.n_real=60", "trainer.progress=false"]
    done = bench_train(
        "--verbose", *RING, *fast, "trainer.pictures=0", "trainer.checkpoint_every=1"
    )
    assert done.returncode == 0, done.stderr
    assert " bench.training.job: train split: 100000 samples, digest 546b17934cf2\n" in done.stderr
    assert " bench.training.checkpoints: checkpoint of step 1 written into " in done.stderr


def test_debug_writes_one_folder_and_trains_anew_each_time(bench_train, tmp_path):
    for n_earlier in (0, 1):
        done = bench_train("trainer=debug", *RING, "score.n_fake=60", "score.n_real=60")
        assert done.returncode == 0, done.stderr
        assert "finished in" in done.stdout and "scoring ns_gan on ring" in done.stderr
        assert [p.name for p in tmp_path.iterdir()] == ["runs"]
        assert [p.name for p in (tmp_path / "runs").iterdir()] == ["debug"]
        assert len(list((tmp_path / "runs/debug/earlier").glob("*"))) == n_earlier
    (status,) = (tmp_path / "runs/debug").glob("*/status.json")
    assert json.loads(status.read_text())["d_steps"] == 20
    assert os.environ[verbose.VARIABLE] == ""  # of the job alone


def test_a_failed_debug_run_shows_the_whole_traceback(bench_train, monkeypatch):
    def break_down(self, executor):
        raise ZeroDivisionError("in the middle")

    monkeypatch.setattr(GAN, "training_round", break_down)
    done = bench_train("trainer=debug", *RING)
    assert done.returncode == 1 and "failed in" in done.stdout
    assert "in break_down" in done.stderr and "ZeroDivisionError: in the middle" in done.stderr
    assert "in break_down" not in bench_train("d_steps=2", "trainer.progress=false", *RING).stderr


def test_a_variant_and_a_metric_outside_the_package_are_reported(bench, tmp_path):
    variant = tmp_path / "conf/variant/slow_gan.yaml"
    variant.parent.mkdir(parents=True)
    text = (trust.config_dir() / "variant/ns_gan.yaml").read_text()
    variant.write_text(text)
    own = ["--config-dir", "conf"]
    quick = ["d_steps=2", "score.n_fake=60", "score.n_real=60", "trainer.pictures=0"]
    trained = bench("train", "-m", *own, "variant=slow_gan", "seed=0,1", *RING, *quick)
    assert trained.returncode == 0, trained.stderr
    for words in (["status", "none"], ["runs"], ["report", "none", "--to", "page"]):
        done = bench(*words, *own)
        assert done.returncode == 0 and "slow_gan" in done.stdout, done.stderr
    assert Path("page/index.html").is_file()
