import math

import pytest
import torch

from bench.core.objective import Objective
from bench.losses import wasserstein
from bench.losses.least_squares import logit
from bench.penalties import norms, sampling_points
from bench.penalties.gradient import GradientPenalty


def objective(**changes) -> Objective:
    settings = dict(
        discriminator=wasserstein.discriminator_loss,
        generator=wasserstein.generator_loss,
        penalty=None,
        penalty_weight=0.0,
        constraint=None,
        n_dis=1,
        fresh_latent=False,
    )
    return Objective(**{**settings, **changes})


@pytest.mark.parametrize(("n_dis", "moves"), [(1, [0, 1, 2, 3]), (5, [0, 1, 6, 11])])
def test_the_generator_moves_on_the_studys_steps(n_dis, moves):
    rule, g_steps, found = objective(n_dis=n_dis), 0, []
    for step in range(12):
        if rule.generator_is_due(step, g_steps):
            found.append(step)
            g_steps += 1
    assert found[: len(moves)] == moves
    assert len(found) == (12 if n_dis == 1 else 4)


def test_loss_and_weighted_penalty_add_up():
    """f(x) = 3 x: E f(fake) - E f(real) = 3, penalty (3 - 1)^2 = 4."""
    penalty = GradientPenalty(sampling_points.at_real, norms.two_sided, logit, 0.0)
    real, fake = torch.zeros(4, 1), torch.ones(4, 1)
    rule = objective(penalty=penalty, penalty_weight=10.0)
    loss = rule.discriminator_loss(lambda x: 3 * x[:, 0], real, fake, {})
    assert loss.item() == pytest.approx(43.0)
    assert rule.generator_loss(lambda x: 3 * x[:, 0], fake).item() == -3.0


@pytest.mark.parametrize(
    "bad",
    [
        {"n_dis": 0},
        {"n_dis": True},
        {"n_dis": 1.5},
        {"penalty_weight": -1.0},
        {"penalty_weight": math.nan},
    ],
)
def test_impossible_numbers_are_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        objective(**bad)


def test_bfloat16_logits_are_summed_in_float32():
    rule = objective()
    loss = rule.adversarial_loss(lambda x: x[:, 0].bfloat16(), torch.ones(3, 1), torch.ones(3, 1))
    assert loss.dtype == torch.float32
