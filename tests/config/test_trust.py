"""A stranger's run folders and rows are data: what they name runs only if the user names it."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf
from support import ROOT

from bench.commands import cli
from bench.config import build, trust
from bench.core.errors import UserError
from bench.runs.record import read_published_runs

HOSTILE = (
    "os.system",
    "bench.losses.minimax.torch.hub.load",  # through what a module of ours imports
    "torch.load",
    "pytorch_lightning.loggers.CSVLogger",  # ours, but of what a run writes
    "canary.Tool",
)


@pytest.fixture(autouse=True)
def nobody_trusted(monkeypatch):
    """Trust of tests that ran before in this process is no concern of these."""
    monkeypatch.setattr(trust, "USER", trust._Trusted())
    monkeypatch.setattr(build, "USER", trust.USER)


@pytest.fixture
def run(finished):
    """The folder of a finished run, as a stranger would send it."""
    folder = finished("dataset=ring", network="mlp").folder
    trust.USER.targets.clear()
    return folder


@pytest.fixture
def canary(tmp_path, monkeypatch):
    """A module that leaves a file when it is imported or its class is called."""
    touched = tmp_path / "touched"
    code = tmp_path / "code"
    code.mkdir()
    text = f"import pathlib\npathlib.Path({str(touched)!r}).touch()\nclass Tool:\n    pass\n"
    (code / "canary.py").write_text(text)
    monkeypatch.syspath_prepend(str(code))
    monkeypatch.delitem(sys.modules, "canary", raising=False)
    return touched


def rewrite(run, key, node):
    """Put a node into a run's config, whatever was there."""
    cfg = OmegaConf.load(run.config)
    OmegaConf.update(cfg, key, node, force_add=True, merge=False)
    run.config.write_text(OmegaConf.to_yaml(cfg))


@pytest.mark.parametrize("target", HOSTILE)
@pytest.mark.parametrize("command", ["sample", "score", "verify"])
def test_a_hostile_run_folder_runs_nothing(run, canary, run_command, tmp_path, target, command):
    node = {"_target_": target, "command": f"touch {canary}"}
    before = sorted(tmp_path.rglob("*"))
    for key in ("model.generator", "score.metrics.frechet", "hyperparameters.x.y"):
        text = run.config.read_text()
        rewrite(run, key, node)
        done = run_command(cli.main, command, str(run.path), "--runs-root", str(run.root))
        assert done.returncode == 2 and done.stderr.count("\n") == 2, done.stderr
        assert f"config.yaml names '{target}', which is no part of the suite" in done.stderr
        assert "--config-dir" in done.stderr
        run.config.write_text(text)
    assert not canary.exists() and sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("key", "target"),
    [
        ("model.training.latent_dim", "bench.features.inception.Inception2015"),  # downloads
        ("model.generator", "bench.data.polygons.Polygons"),
        ("dataset.source", "bench.networks.mlp.Perceptron"),
        ("features.extractor", "bench.features.training.train"),  # writes weights
        ("score.metrics.frechet", "pytorch_lightning.loggers.CSVLogger"),
    ],
)
def test_the_suites_own_code_is_trusted_in_its_place(run, key, target):
    rewrite(run, "logger.csv", {"_target_": "pytorch_lightning.loggers.CSVLogger"})
    build.read_config(run.config)
    rewrite(run, key, {"_target_": target})
    with pytest.raises(UserError, match=f"{target}', which is no part of the suite's {key[:5]}"):
        build.read_config(run.config)


def test_a_name_in_a_run_folder_composes_no_file_of_its_own(run, tmp_path, run_command):
    """A path as the name of an entry leads out of conf/, to a file beside the run."""
    evil = tmp_path / "evil.yaml"
    pwned = tmp_path / "pwned"
    evil.write_text(f"# @package _global_\nscore: {{x: {{_target_: os.mkdir, path: {pwned}}}}}\n")
    up = "/".join([".."] * 30)
    for key in ("names.dataset", "features.name"):
        text = run.config.read_text()
        rewrite(run, key, f"{up}{evil.with_suffix('')}")
        words = ("score", str(run.path), "--runs-root", str(run.root), "features.name=x")
        done = run_command(cli.main, *words)
        assert done.returncode == 2 and "there is no " in done.stderr and not pwned.exists()
        run.config.write_text(text)


def test_code_that_the_user_names_is_trusted_and_nothing_else(run, canary, tmp_path, monkeypatch):
    conf = tmp_path / "conf" / "loss"
    conf.mkdir(parents=True)
    (conf / "own.yaml").write_text("_target_: canary.Tool\n")
    trust.trust_config_dir(conf.parent)
    rewrite(run, "hyperparameters.x", {"_target_": "canary.Tool"})
    build.read_config(run.config)
    rewrite(run, "hyperparameters.y", {"_target_": "canary.Other"})
    with pytest.raises(UserError, match=r"canary\.Other"):
        build.read_config(run.config)
    assert not canary.exists()
    with pytest.raises(UserError, match="no such folder"):
        trust.trust_config_dir(tmp_path / "absent")


@pytest.mark.parametrize("name", ["canary.Tool", "canary.pathlib.Path", "canary.Tool.__init__"])
def test_a_trusted_package_is_what_it_defines(run, canary, name):
    trust.trust_package("canary")
    rewrite(run, "hyperparameters.x", {"_target_": name})
    if name == "canary.Tool":
        build.read_config(run.config)
    else:
        with pytest.raises(UserError, match="no part of the suite"):
            build.read_config(run.config)
    assert not canary.exists()
    for wrong in ("os", "a.b", ""):
        with pytest.raises(UserError, match="no package of yours"):
            trust.trust_package(wrong)


CONFIG = """
names: {variant: a, loss: b, model: c, network: d, dataset: e}
model:
  generator: {_target_: torch.optim.Adam}
  training: {prior: {_target_: torch.optim.Adam}, latent_dim: 2}
dataset: {source: {_target_: bench.data.digits.Digits}, shape: [2], family: points}
features: {name: a, extractor: {_target_: bench.features.identity.Identity}}
score: {_target_: bench.scoring.score.ScoreSettings, name: a}
trainer: {}
network: {}
hyperparameters: {learning_rate: 0.1, d_batch_norm: true, gamma: null}
precision: "32"
packed: false
seed: 0
threads: 1
d_steps: 1
batch_size: 2
log_every: 1
"""


def test_a_config_that_is_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "config.yaml")
    with pytest.raises(UserError, match="not a file"):
        build.read_config(tmp_path / "config.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &x [1, 2]\nb: [*x, *x]\n", "it has an alias"),
        ("model: {x: '${oc.env:HOME}'}\n", "would be read from this machine"),
        ("x: " + "a" * 2**20, "larger than"),
        ("[" * 5000 + "]" * 5000, "is damaged"),
        ("3", "is damaged"),
        ("a: {b: 1}", "it lacks batch_size, d_steps, dataset"),
        (CONFIG.replace("threads: 1\n", ""), "it lacks threads"),
        (CONFIG.replace("threads: 1\n", "threads: two\n"), "threads: 'two' is no int"),
        (CONFIG.replace("trainer: {}\n", "trainer: []\n"), r"trainer: \[\] is no dict"),
        (CONFIG.replace("{_target_: bench.data.digits.Digits}", "{}"), "source: it lacks"),
    ],
)
def test_a_config_that_is_more_than_plain_values_or_less_than_a_run_is_refused(
    tmp_path, text, said
):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=said) as refusal:
        build.read_config(path)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(
    "override",
    [
        "runs_root=/tmp/x", "dataset.root=/etc", "dataset.source.root=/etc", "logger=[wandb]",
        "sweeps=../../../tmp/x", "score=/tmp/x", "variant=none_such", "loss=.hidden",
        "hydra.searchpath=[file:///tmp]", "hydra/launcher=slurm", "+x=1", "loss=../../x y",
        "model.generator._target_=os.system", "model.generator={_target_: os.system}",
        "network.width=1000000000", "d_steps=1e12", "batch_size=${oc.env:HOME}", "d_steps=1,2",
        "score.metrics.x={a: [{_target_: os.system}]}", "~model.generator", "metric@score.x=prdc",
        "features.extractor.weights=/etc/passwd", "trainer.limit_minutes=1", "network.a=[",
        "hyperparameters.x=" + "9" * 400,
    ],
)  # fmt: skip
def test_a_published_override_sets_how_a_run_trains_and_nothing_else(override):
    with pytest.raises(UserError, match="run r of rows: its override"):
        trust.check_published_overrides([override], "run r of rows")


@pytest.mark.parametrize("folder", sorted(p.parent for p in ROOT.glob("results/*/runs.jsonl")))
def test_the_suites_own_rows_set_nothing_else(folder):
    for line in (folder / "runs.jsonl").read_text().splitlines():
        trust.check_published_overrides(json.loads(line)["overrides"], "own")


def test_a_hostile_published_run_is_not_composed(tmp_path, run_command, canary):
    folder = tmp_path / "rows"
    left_out = shutil.ignore_patterns("figures", "SHA256SUMS")
    shutil.copytree(ROOT / "results" / "quick", folder, ignore=left_out)
    first, *others = (folder / "runs.jsonl").read_text().splitlines()
    run = json.loads(first)
    run["overrides"].append("model.generator._target_=canary.Tool")
    (folder / "runs.jsonl").write_text("\n".join([json.dumps(run), *others]) + "\n")
    assert len(read_published_runs(folder)) == 20
    done = run_command(cli.main, "verify", run["run_id"], "--rows", str(folder))
    assert done.returncode == 2 and "may not set" in done.stderr and not canary.exists()
    assert not Path("runs").exists()
