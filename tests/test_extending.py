"""Parts from outside the package: the page's examples work, and a broken contract is a sentence."""

import re

import pytest
from omegaconf import OmegaConf
from support import ROOT

from bench import train
from bench.commands import cli
from bench.config import build
from bench.core.errors import UserError
from bench.execution.run import execute
from bench.runs.rows import read_rows
from bench.training.job import prepare_job

PAGE = ROOT / "docs/extending.md"
TINY = ["d_steps=2", "score.n_fake=60", "score.noise_seeds=0", "trainer.pictures=0"]
TINY += ["trainer.progress=false", "trainer.accelerator=cpu", "score.metrics.prd.clusterings=1"]


def write_examples(folder):
    """Write the files of the page below a folder; return their names."""
    files = re.findall(r"`([\w./]+)`:\n\n```(?:python|yaml)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for name, content in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return [name for name, _ in files]


def test_the_examples_train_together_as_printed(run_command, tmp_path, monkeypatch):
    parts = {
        "loss",
        "penalty",
        "variant",
        "network",
        "dataset",
        "score",
        "augmentation",
        "normalisation",
        "optimizer",
    }
    assert {n.split("/")[2] for n in write_examples(tmp_path) if n.startswith("mine/conf")} == parts
    monkeypatch.syspath_prepend("mine")  # as `export PYTHONPATH=mine` does
    (command,) = re.findall(r"```\nbench (train .*two_moons.*)\n```", PAGE.read_text())
    done = run_command(train.main, *command.split()[1:], *TINY)
    assert done.returncode == 0, done.stderr
    (row,) = read_rows(tmp_path / "runs", [p.name for p in (tmp_path / "runs").glob("[0-9a-f]*")])
    assert (row.loss, row.penalty) == ("margin", "drift")
    assert (row.network, row.dataset) == ("residual", "two_moons")
    assert row.scores["median_distance"] > 0
    assert row.measures["median_distance"]["scores"] == {"median_distance": "lower"}


def test_a_conditional_pair_trains_samples_and_scores_as_printed(
    run_command, tmp_path, monkeypatch
):
    write_examples(tmp_path)
    monkeypatch.syspath_prepend("mine")
    (command,) = re.findall(r"^bench (train .*network=classes.*)$", PAGE.read_text(), re.MULTILINE)
    assert "--config-dir" in command
    done = run_command(train.main, *command.split()[1:], *TINY)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "runs").glob("[0-9a-f]*[0-9a-f]")
    (row,) = read_rows(tmp_path / "runs", [folder.name])
    assert row.protocol["conditional"] is True and "class_accuracy" in row.scores
    done = run_command(
        cli.main, "sample", str(folder), "-n", "6", "--class", "3", "--config-dir", "mine/conf"
    )
    assert done.returncode == 0, done.stderr


def test_a_relativistic_loss_state_a_transform_a_schedule_and_a_term_of_g_train_as_printed(
    run_command, tmp_path, monkeypatch
):
    write_examples(tmp_path)
    monkeypatch.syspath_prepend("mine")
    commands = re.findall(r"^bench (train .*loss=paired.*)$", PAGE.read_text(), re.MULTILINE)
    for command in commands:
        done = run_command(train.main, *command.split()[1:], *TINY)
        assert done.returncode == 0, done.stderr
    names = [p.name for p in (tmp_path / "runs").glob("[0-9a-f]*")]
    assert {row.penalty for row in read_rows(tmp_path / "runs", names)} == {"centre", "spread"}


def test_a_loss_a_penalty_a_normalisation_and_an_augmentation_are_a_file_and_a_yaml_each(
    run_command, tmp_path, monkeypatch
):
    names = write_examples(tmp_path)
    monkeypatch.syspath_prepend("mine")
    (command,) = re.findall(r"^bench (train .*frobenius.*)$", PAGE.read_text(), re.MULTILINE)
    done = run_command(train.main, *command.split()[1:], *TINY)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "runs").glob("[0-9a-f]*[0-9a-f]")
    (row,) = read_rows(tmp_path / "runs", [folder.name])
    chosen = {"loss": row.loss, "penalty": row.penalty, "normalisation": row.normalisation,
              "augmentation": row.augmentation}  # fmt: skip
    assert chosen == {"loss": "margin", "penalty": "drift", "normalisation": "frobenius",
                      "augmentation": "jitter"}  # fmt: skip
    for group, name in chosen.items():
        assert {f"mine/{name}.py", f"mine/conf/{group}/{name}.yaml"} <= set(names)
    assert len(row.code) == len(chosen)  # the text of each file is part of the run


D_LOSS, G_LOSS = "loss.discriminator._target_", "loss.generator._target_"
PENALTY = "penalty.r1.penalty={_target_: %s.Penalty}"
NETWORK = "network.gan.discriminator={_target_: %s.D}"
HEAD = """
import torch
from torch import nn
class Base(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(2, 1)
    def reset(self, generator):
        nn.init.zeros_(self.net.weight)
"""
BROKEN = {
    "a loss per sample": (
        "def loss(real_logits, fake_logits):\n    return real_logits - fake_logits",
        f"{D_LOSS}=%s.loss",
        r"loss \(.*py, line 1\) returned shape \[2\]; a loss or a term of it is a scalar",
    ),
    "a loss that is a number": (
        "def loss(fake_logits):\n    return 0.5",
        f"{G_LOSS}=%s.loss",
        r"loss \(.*\) returned float; a loss or a term of it is a scalar",
    ),
    "a loss that asks for more": (
        "def loss(real_logits, fake_logits, temperature):\n    return 0",
        f"{D_LOSS}=%s.loss",
        r"loss \(.*py, line 1\) asks for 'temperature'; losses and terms are given real_logits, "
        r"fake_logits, other outputs of the discriminator, state",
    ),
    "a penalty per sample": (
        "class Penalty:\n    random_inputs = {}\n"
        "    def __call__(self, critic, real, fake, draws, shard):\n        return critic(real)",
        PENALTY,
        r"Penalty \(.*\) returned shape \[4\]; a penalty is a scalar",
    ),
    "a penalty without random_inputs": (
        "class Penalty:\n    def __call__(self, c, real, fake, draws, shard):\n        return 0",
        PENALTY,
        r"Penalty \(.*\) has no random_inputs",
    ),
    "a penalty of two arguments": (
        "class Penalty:\n    random_inputs = {}\n"
        "    def __call__(self, real, fake):\n        return 0",
        PENALTY,
        r"called with \(critic, real, fake, draws, shard\)",
    ),
    "a network without reset": (
        "from torch import nn\nclass D(nn.Linear):\n"
        "    def __init__(self):\n        super().__init__(2, 1)",
        NETWORK,
        r"D \(.*py, line 2\) has no method reset\(generator\), which draws its initial weights",
    ),
    "a discriminator of columns": (
        HEAD + "class D(Base):\n    def forward(self, x):\n        return self.net(x)",
        NETWORK,
        r"D \(.*\) returned shape \[4, 1\]; a batch of logits is a tensor of shape \[4\]",
    ),
    "a generator of other samples": (
        HEAD + "class G(Base):\n    def forward(self, x):\n        return self.net(x)",
        "network.gan.generator={_target_: %s.G}",
        r"G \(.*\) returned shape \[4, 1\]; a batch of generated samples is .* \[4, 2\]",
    ),
    "a metric of another type": (
        "class Metric:\n    pass",
        "+score.metrics.own={_target_: %s.Metric}",
        r"score.metrics.own is .*Metric \(.*\); a metric is a bench.scoring.metric_spec.MetricSpec",
    ),
    "a data set without splits": (
        "class Data:\n    pass",
        "dataset.source={_target_: %s.Data}",
        r"Data \(.*\) has no method splits\(\), which returns the splits by name",
    ),
    "a data set of arrays": (
        "import numpy as np\nclass Data:\n    def splits(self):\n"
        "        return {'train': np.zeros((9, 2)), 'test': np.zeros((9, 2))}",
        "dataset.source={_target_: %s.Data}",
        r"splits \(.*\) returned dict; it returns bench.data.split.Split by name",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_contract_is_one_sentence_before_the_first_step(tiny, tmp_path, monkeypatch, case):
    text, override, sentence = BROKEN[case]
    module = f"own_{list(BROKEN).index(case)}"
    (tmp_path / f"{module}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    words = tiny("dataset=ring", "penalty=r1", network="mlp")
    cfg = build.compose_config(words)
    key, _, value = (override % module).lstrip("+").partition("=")
    set_part(cfg, key, value)
    with pytest.raises(UserError, match=sentence) as caught:
        execute(prepare_job(cfg))
    assert caught.value.message.endswith("see docs/extending.md")
    assert "\n" not in caught.value.message and not list(tmp_path.rglob("*.json"))


def set_part(cfg, key, value):
    """Set a part of a config to a target, in place of all that stood there."""
    target = value.removeprefix("{_target_: ").removesuffix("}")
    if key.endswith("._target_"):
        OmegaConf.update(cfg, key, target)
    else:
        OmegaConf.update(cfg, key, {"_target_": target}, merge=False, force_add=True)
