import math

import pytest
import torch
from support import make_objective

from bench.core.batch import Batch
from bench.core.objective import Objective
from bench.core.parts import ALONE, PLAYERS
from bench.losses import wasserstein
from bench.losses.least_squares import logit
from bench.penalties import norms, sampling_points
from bench.penalties.gradient import GradientPenalty


def objective(**changes) -> Objective:
    return make_objective(wasserstein.discriminator_loss, wasserstein.generator_loss, **changes)


@pytest.mark.parametrize(("n_dis", "moves"), [(1, [0, 1, 2, 3]), (5, [0, 1, 6, 11])])
def test_the_generator_moves_on_the_studys_steps(n_dis, moves):
    rule, g_steps, found = objective(n_dis=n_dis).update_order, 0, []
    for step in range(12):
        if rule.generator_is_due(step, g_steps):
            found.append(step)
            g_steps += 1
    assert found[: len(moves)] == moves
    assert len(found) == (12 if n_dis == 1 else 4)


def test_loss_and_weighted_penalty_add_up():
    """f(x) = 3 x: E f(fake) - E f(real) = 3, penalty (3 - 1)^2 = 4."""
    penalty = GradientPenalty(sampling_points.at_real, norms.two_sided, logit, 0.0)
    real, fake = Batch(torch.zeros(4, 1)), Batch(torch.ones(4, 1))
    rule = objective(penalty=penalty, weight=10.0)

    def critic(batch):
        return 3 * batch.samples[:, 0]

    loss, state = rule.discriminator_loss(critic, real, fake, {"penalty": {}}, {})
    assert loss.item() == pytest.approx(43.0) and not any(state.values())
    loss, state = rule.loss_on_outputs("generator", critic, real, fake, {}, ALONE)
    assert loss.item() == -3.0 and not any(state.values())


@pytest.mark.parametrize(
    "bad",
    [
        {"n_dis": 0},
        {"n_dis": True},
        {"n_dis": 1.5},
    ],
)
def test_impossible_numbers_are_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        objective(**bad)


@pytest.mark.parametrize("weight", [-1.0, math.nan])
def test_impossible_weights_are_refused(weight):
    penalty = GradientPenalty(sampling_points.at_real, norms.two_sided, logit, 0.0)
    with pytest.raises(ValueError, match="penalty_weight"):
        objective(penalty=penalty, weight=weight)


def test_bfloat16_logits_are_summed_in_float32():
    rule, ones = objective(), Batch(torch.ones(3, 1))
    for player in PLAYERS:
        loss, _ = rule.loss_on_outputs(
            player, lambda x: x.samples[:, 0].bfloat16(), ones, ones, {}, ALONE
        )
        assert loss.dtype == torch.float32
