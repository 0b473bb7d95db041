"""One player against given samples, and the optimizers' rules."""

from functools import partial

import pytest
import torch
from torch.optim import SGD as TorchSGD
from torch.optim import Adam as TorchAdam
from torch.optim import RMSprop as TorchRMSprop

from bench.config import build
from bench.core.objective import Objective
from bench.losses import wasserstein
from bench.networks import mlp
from bench.penalties.clipping import WeightClip
from bench.theory.replicas import Replica, Side
from bench.theory.replicas.replica import rates_of
from bench.theory.replicas.rules import RULES

CLIPPED = Objective(
    discriminator=wasserstein.discriminator_loss,
    generator=wasserstein.generator_loss,
    penalty=None,
    penalty_weight=0.0,
    constraint=WeightClip(0.05),
    n_dis=1,
    fresh_latent=False,
)
REPLICAS = [
    Replica(seed=0, learning_rate=0.1, betas=(0.5, 0.9)),
    Replica(seed=1, learning_rate=1e-3, betas=(0.0, 0.999), weight_clip=0.5),
    Replica(seed=2, learning_rate=3.0, betas=(0.9, 0.0)),
]
TORCH = {
    "adam": lambda r: partial(TorchAdam, lr=r.learning_rate, betas=r.betas, eps=1e-8),
    "rmsprop": lambda r: partial(TorchRMSprop, lr=r.learning_rate, alpha=r.betas[1], eps=1e-10),
    "sgd": lambda r: partial(TorchSGD, lr=r.learning_rate),
}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e4])  # where eps counts, and where it does not
def test_a_rule_steps_as_torchs_optimizer(name, scale, generator):
    rule, rates = RULES[name], rates_of(REPLICAS, "cpu")
    weights = torch.randn(3, 11, generator=generator, dtype=torch.float64)
    alone = [row.clone().requires_grad_() for row in weights]
    optimizers = [TORCH[name](r)([row]) for r, row in zip(REPLICAS, alone, strict=True)]
    moments = {n: torch.zeros_like(weights) for n in rule.moments}
    for step in range(1, 21):
        gradient = scale * torch.randn(3, 11, generator=generator, dtype=torch.float64)
        gradient[:, 0] = 0  # a dead unit
        weights = rule(weights, gradient, moments, step, rates)
        for row, optimizer, slope in zip(alone, optimizers, gradient, strict=True):
            row.grad = slope.clone()
            optimizer.step()
        theirs = torch.stack(alone).detach()
        torch.testing.assert_close(weights, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["adam", "rmsprop"])
def test_eps_is_that_of_the_config(name):
    cfg = build.compose_config(["variant=ns_gan", f"optimizer={name}"])
    assert RULES[name].eps == cfg.optimizer.eps


def critic():
    return mlp.Discriminator([2], width=4, depth=1, batch_norm=False)


def test_a_critic_under_clipping_ends_in_the_corners_of_its_box():
    """W1's clipped critic has its weights at the bound where their gradient keeps its sign."""
    side = Side(critic, CLIPPED, REPLICAS, optimizer="sgd", dtype=torch.float64)
    real, fake = torch.full((8, 2), 3.0), torch.full((8, 2), -1.0)
    for _ in range(3):
        side.step(real, fake)
    for r, bound in enumerate((0.05, 0.5, 0.05)):
        found = torch.cat([p.flatten() for p in side.replica(r).parameters()]).abs().max()
        assert found <= bound
    assert side.weights[2].abs().max() == 0.05
    assert side.diverged.tolist() == [-1, -1, -1]


def test_samples_of_each_replica_are_its_own(generator):
    """Shared points are the same points given to each; others change that replica alone."""
    sides = [
        Side(critic, CLIPPED, REPLICAS, optimizer="adam", dtype=torch.float64) for _ in range(3)
    ]
    real, fake = torch.randn(2, 8, 2, generator=generator, dtype=torch.float64)
    own = real.expand(3, 8, 2).clone()
    sides[0].step(real, fake)
    sides[1].step(own, fake)
    own[1] += 1
    sides[2].step(own, fake)
    assert torch.equal(sides[0].weights, sides[1].weights)
    same = [torch.equal(a, b) for a, b in zip(sides[1].weights, sides[2].weights, strict=True)]
    assert same == [True, False, True]
    losses = [CLIPPED.discriminator(sides[0].replica(0)(real), sides[0].replica(0)(fake))]
    sides[0].step(real, fake)
    assert sides[0].losses[0].item() == pytest.approx(losses[0].item(), rel=1e-12)
