"""Critics of several seeds: what is read off them is what each of them alone would say."""

import numpy as np
import pytest
import torch

from bench.theory.toolkit.critics import critics, fitted, losses
from bench.theory.toolkit.suite_access import objective

REAL, FAKE = torch.zeros(64, 2), torch.ones(64, 2)


@pytest.fixture(scope="module")
def game():
    return objective("wgan_gp", "variant=wgan_gp")


def test_a_loss_is_that_of_the_network_alone(game):
    """Mean of f over fakes less that over reals, without the penalty."""
    side = critics([0, 1], game, width=8, depth=1, rate=1e-3)
    assert list(fitted(side, (REAL, FAKE), steps=5, batch=16)) == [1, 2, 3, 4, 5]
    with torch.no_grad():
        alone = [float((net(FAKE) - net(REAL)).mean()) for net in map(side.module, (0, 1))]
    assert losses(side, REAL, FAKE) == pytest.approx(alone, rel=1e-5)
    assert alone[0] != alone[1]


def test_a_critic_that_diverged_has_no_loss(game):
    side = critics([0], game, width=8, depth=1, rate=1e30)
    for _ in fitted(side, (REAL, FAKE), steps=5, batch=16):
        pass
    assert side.diverged[0] >= 0 and side.weights.isfinite().all()
    assert np.isnan(losses(side, REAL, FAKE)).all()
