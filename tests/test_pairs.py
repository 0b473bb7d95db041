"""Every entry of a group with every entry of another: a round, or one sentence that refuses it."""

import itertools
import re

import pytest
import torch
from omegaconf import OmegaConf
from support import ROOT, SMALL

from bench.config import build, validate
from bench.core.errors import UserError
from bench.data.batches import training_data
from bench.execution.packs.plain_loop import PlainLoop

GROUPS = (
    *("loss", "penalty", "normalisation", "network", "conditioning", "augmentation"),
    "consistency",
)
REFUSALS = (  # every sentence by which a pair of entries may be refused
    "changes nothing: model 'gan' does not read it|written for another model",  # a loss of others
    "batch norm in a discriminator under a gradient penalty",
    "batch norm in a generator under a term on its slope",
    "moves its buffers in a pass, and a transform that differentiates",
    "normalises the critic by its slope, and penalty",
    "layer norm replaces batch norm, and a discriminator of type",
    "has no pair for (conditioning|model)",
    "divides by the (largest singular value|length of a weight), and the weight .* starts at 0",
    "holds image|is for points",
    "follows the discriminator on real samples, and its loss does not see them",
    "two parts of the loss are called",
    "are transforms of one config group",
    "no value for|Interpolation key|needs hyperparameters",  # a loss whose number no one gives
)


def entries(group):
    return sorted(path.stem for path in (ROOT / "conf" / group).glob("*.yaml"))


def is_of_two_players(loss):
    content = OmegaConf.load(ROOT / "conf/loss" / f"{loss}.yaml")
    target = OmegaConf.select(content, "_target_") or OmegaConf.select(content, "loss._target_")
    return target == "bench.core.objective.Losses"


def chosen(group):
    found = entries(group)
    return [name for name in found if is_of_two_players(name)] if group == "loss" else found


@pytest.fixture(scope="module")
def data():
    splits = build.build_splits(build.compose_config([]))[1]
    return splits["train"]


def outcome(overrides, train):
    """Return "" for a pair that trains a round, else the sentence that refuses it before that."""
    try:
        base = build.compose_config([*overrides, "batch_size=8"])
        sizes = SMALL.get(base.names.network, [])
        for size in sizes:
            key, _, value = size.partition("=")
            OmegaConf.update(base, key, int(value))
        if "weight_clip" not in base.hyperparameters:
            OmegaConf.update(base, "hyperparameters.weight_clip", 0.01, force_add=True)
        validate.validate_config(base)
        model = build.build_model(base, train)
    except UserError as error:
        return error.message
    loop = PlainLoop(model, training_data(train), 8)
    loop.step()
    assert all(torch.isfinite(loss) for loss in model.losses.values()), overrides
    return ""


@pytest.mark.slow
@pytest.mark.parametrize("pair", itertools.combinations(GROUPS, 2), ids="-".join)
def test_every_pair_of_entries_trains_or_is_refused_by_a_sentence(data, pair):
    trained = 0
    for first, second in itertools.product(*map(chosen, pair)):
        message = outcome([f"{pair[0]}={first}", f"{pair[1]}={second}"], data)
        trained += not message
        known = any(re.search(pattern, message) for pattern in REFUSALS)
        assert not message or known, f"{pair[0]}={first} {pair[1]}={second}: {message}"
    assert trained
