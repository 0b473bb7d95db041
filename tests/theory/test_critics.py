"""Losses of critics that are trained side by side equal those of each network by itself."""

import numpy as np
import pytest
import torch

from bench.theory.toolkit.critics import critic_losses, make_critics, train_critics
from bench.theory.toolkit.suite_access import build_objective

REAL, FAKE = torch.zeros(64, 2), torch.ones(64, 2)


@pytest.fixture(scope="module")
def objective():
    return build_objective("wgan_gp", "variant=wgan_gp")


def test_a_loss_is_that_of_the_network_alone(objective):
    """Mean of f over fakes less that over reals, without the penalty."""
    critics = make_critics([0, 1], objective, width=8, depth=1, rate=1e-3)
    assert list(train_critics(critics, (REAL, FAKE), steps=5, batch=16)) == [1, 2, 3, 4, 5]
    with torch.no_grad():
        alone = [float((net(FAKE) - net(REAL)).mean()) for net in map(critics.module, (0, 1))]
    assert critic_losses(critics, REAL, FAKE) == pytest.approx(alone, rel=1e-5)
    assert alone[0] != alone[1]


def test_a_critic_that_diverged_has_no_loss(objective):
    critics = make_critics([0], objective, width=8, depth=1, rate=1e30)
    for _ in train_critics(critics, (REAL, FAKE), steps=5, batch=16):
        pass
    assert critics.diverged[0] >= 0 and critics.weights.isfinite().all()
    assert np.isnan(critic_losses(critics, REAL, FAKE)).all()
