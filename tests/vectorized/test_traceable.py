"""Models whose moves cannot be traced are refused by a sentence, before a pack is planned."""

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from bench.config import build
from bench.vectorized.trainer import has_parts_of_others, why_not_traceable


class Spectral(nn.Sequential):
    """A perceptron under torch's own spectral norm, which writes u in every pass."""

    def __init__(self):
        super().__init__(spectral_norm(nn.Linear(2, 4)), nn.ReLU(), nn.Linear(4, 1), nn.Flatten(0))

    def reset(self, generator):
        pass


class Peeking(nn.Module):
    """A network whose operations depend on the values."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(()))

    def reset(self, generator):
        pass

    def forward(self, x):
        return self.w * x.sum(1) if x.sum() > 0 else -self.w * x.sum(1)


def model(discriminator=None):
    made = build.build_model(build.compose_config(["variant=ns_gan", "dataset=ring"]))
    if discriminator is not None:
        made.discriminator = discriminator
    return made


@pytest.mark.parametrize("network", [Spectral, Peeking])
def test_a_network_that_a_trace_cannot_follow_is_named_with_torchs_reason(network):
    own = model(network())
    assert has_parts_of_others(own)
    why = why_not_traceable(own, [2], 8)
    assert why.startswith("a step of it cannot be traced (") and "\n" not in why


def test_the_suites_own_are_traced_without_a_trial():
    assert not has_parts_of_others(model())
    assert why_not_traceable(model(), [2], 8) == ""
