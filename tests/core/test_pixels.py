"""Ranges of pixels: a network works in its own, the suite in [0, 1]."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from bench.core.batch import Batch, Latent
from bench.core.pixels import UNIT, from_unit, pixel_range, require_range, to_unit
from bench.losses import minimax, nonsaturating
from bench.models.gan import GAN
from bench.networks.sampler import generate
from tests.support import make_objective, make_training


class Own(nn.Module):
    """1 at black and 3 at white: a network that works in [1, 3]."""

    pixel_range = (1.0, 3.0)

    def reset(self, generator: torch.Generator) -> None:
        """Draw nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(2.0))


class Generator(Own):
    def forward(self, latent: Tensor) -> Tensor:
        return (self.weight * latent).reshape(-1, 1, 1, 1)


class Discriminator(Own):
    def forward(self, images: Tensor) -> Tensor:
        return (self.weight * images).sum((1, 2, 3))


def test_both_ways_and_the_unit_range_is_left_alone():
    x = torch.rand(3, 1, 2, 2)
    assert from_unit(x, UNIT) is x and to_unit(x, UNIT) is x
    assert from_unit(torch.tensor([0.0, 0.25, 1.0]), (-1.0, 1.0)).tolist() == [-1.0, -0.5, 1.0]
    assert to_unit(torch.tensor([-1.0, -0.5, 1.0]), (-1.0, 1.0)).tolist() == [0.0, 0.25, 1.0]


def test_networks_see_and_give_their_own_range_and_nothing_is_clipped():
    latent = torch.tensor([[0.5], [1.5], [4.0]])  # 1, 3 and 8 in the generator's range
    assert generate(Generator(), Latent(latent)).flatten().tolist() == [0.0, 1.0, 3.5]
    model = GAN(
        Generator(),
        Discriminator(),
        make_objective(minimax.discriminator_loss, nonsaturating.generator_loss),
        False,
        False,
        make_training(partial(torch.optim.SGD, lr=0.1)),
    )
    logits = model.discriminate(Batch(torch.tensor([0.0, 0.5, 1.0]).reshape(3, 1, 1, 1)))
    assert logits.tolist() == [2.0, 4.0, 6.0]  # 2 x for x = 1, 2, 3


@pytest.mark.parametrize("bad", [(1, 1), (1, 0), (0,), (0, 1, 2), ("a", "b"), 3, (float("nan"), 1)])
def test_a_range_that_is_none(bad: object):
    with pytest.raises(ValueError, match="pixel_range of Mine is .*two numbers, black below white"):
        require_range(bad, "Mine")


def test_a_network_without_a_range_has_the_suites():
    assert pixel_range(nn.Linear(2, 2)) == (0.0, 1.0) == UNIT
