"""Discriminators between given samples, side by side, against a loop written out in float64."""

import numpy as np
import pytest
import torch

from bench.config import build
from bench.core.batch import Batch
from bench.core.parts import PLAYERS
from bench.core.seeds import generator
from bench.models.executor import DISCRIMINATOR, GENERATOR
from bench.networks import mlp
from bench.theory.toolkit import replica_stacks
from bench.theory.toolkit.critics import critic_losses, stack_critics, train_critics
from bench.theory.toolkit.replica_stacks import (
    adam,
    find_diverged,
    gans,
    generate,
    rmsprop,
    stack_discriminators,
    train_between,
)
from bench.theory.toolkit.ring_gans import stack_gans
from bench.theory.toolkit.suite_access import build_objective
from bench.vectorized.trainer import train_step

SEEDS, BATCH, STEPS = (0, 4, 2**40), 16, 20
SETTINGS = {"seeds": SEEDS, "width": 8, "depth": 2, "batch": BATCH}
CRITICS = {"seeds": [0, 1], "width": 8, "depth": 1, "batch": 16, "rate": 1e-3}
POINTS = torch.randn(STEPS, 2, 3, BATCH, 2, generator=torch.Generator().manual_seed(7)).double()


@pytest.fixture(scope="module")
def penalised():
    return build_objective("wgan_gp", "variant=wgan_gp")


@pytest.fixture(scope="module")
def clipped():
    return build_objective("wgan", "variant=wgan", "hyperparameters.weight_clip=0.1")


def stack_of(objective, optimizer):
    torch.set_default_dtype(torch.float64)
    try:
        return stack_discriminators(SETTINGS, objective, optimizer, inputs=2)
    finally:
        torch.set_default_dtype(torch.float32)


def trained(stack, points=POINTS, **options):
    batches = iter(points)
    assert list(train_between(stack, lambda: next(batches), STEPS, **options))[-1] == STEPS
    return stack


def alone(objective, optimizer, seed, points, decay):
    """A loop of one discriminator on points [STEPS, 2, B, D]; returns it and its last loss."""
    net = mlp.Discriminator([2], width=8, depth=2, batch_norm=False).double()
    net.reset(generator(seed, "init", 1))
    source, own = generator(seed, "draws"), optimizer(net.parameters())
    rate = own.defaults["lr"]
    for step, (real, fake) in enumerate(points):
        own.param_groups[0]["lr"] = rate * (1 - step / STEPS) if decay else rate
        draws = {
            term: {
                name: torch.rand(wanted.shape(real), generator=source, dtype=torch.float64)
                for name, wanted in inputs.items()
            }
            for term, inputs in objective.random_inputs("discriminator").items()
        }
        sides = Batch(real), Batch(fake)
        loss, _ = objective.discriminator_loss(lambda b: net(b.samples), *sides, draws, {})
        own.zero_grad()
        loss.backward()
        own.step()
        if objective.loss.constraint is not None:
            objective.loss.constraint(net.parameters())
    return net, loss.item()


@pytest.mark.parametrize(
    ("loss", "optimizer", "decay"), [("penalised", adam, False), ("clipped", rmsprop, True)]
)
def test_each_discriminator_is_the_one_trained_alone_on_its_samples(
    request, loss, optimizer, decay
):
    """Its generator returns the samples of the step; no step is ever taken by its optimizer."""
    objective = request.getfixturevalue(loss)
    stack = trained(stack_of(objective, optimizer(1e-2)), decay_rate=decay)
    for r, (seed, model) in enumerate(zip(SEEDS, gans(stack), strict=True)):
        net, last = alone(objective, optimizer(1e-2), seed, POINTS[:, :, r], decay)
        for name, weight in net.named_parameters():
            found = model.discriminator.get_parameter(name)
            torch.testing.assert_close(found, weight, rtol=1e-9, atol=1e-11)
        assert model.losses["d_loss"].item() == pytest.approx(last, rel=1e-9)
        assert (model.d_steps, model.g_steps) == (STEPS, 0)
        if loss == "clipped":
            assert stack.rows[1][r].abs().max() == 0.1  # in a corner of its box
    assert torch.equal(generate(stack, torch.zeros(1, 1)), POINTS[-1, 1])
    assert [slot[GENERATOR].state for slot in stack.optimizers] == [{}, {}, {}]


def test_samples_of_one_replica_move_no_bit_of_another(clipped):
    moved = POINTS.clone()
    moved[:, 0, 1] += 1
    stacks = [trained(stack_of(clipped, adam(1e-2)), points) for points in (POINTS, moved)]
    same = [torch.equal(*rows) for rows in zip(stacks[0].rows[1], stacks[1].rows[1], strict=True)]
    assert same == [True, False, True]


def test_eps_is_that_of_the_config():
    for name in ("adam", "rmsprop"):
        config = build.compose_config(["variant=ns_gan", f"optimizer={name}"])
        made = getattr(replica_stacks, name)(1e-3)([torch.zeros(1, requires_grad=True)])
        assert [config.optimizer[player].eps for player in PLAYERS] == [made.defaults["eps"]] * 2


REAL, FAKE = torch.zeros(64, 2), torch.ones(64, 2)


def test_a_critics_loss_is_that_of_its_network_alone(penalised):
    """Mean of f over fakes less that over reals, without the penalty."""
    critics = stack_critics(CRITICS, penalised)
    assert list(train_critics(critics, (REAL, FAKE), steps=2)) == [0, 1, 2]
    with torch.no_grad():
        nets = [model.discriminator for model in gans(critics)]
        losses = [float((net(FAKE) - net(REAL)).mean()) for net in nets]
    assert critic_losses(critics, REAL, FAKE) == pytest.approx(losses, rel=1e-5)
    assert losses[0] != losses[1]


def test_a_critic_that_diverged_has_no_loss(penalised):
    critics = stack_critics(CRITICS, penalised)
    critics.optimizers[1][DISCRIMINATOR].param_groups[0]["lr"] = 1e30
    list(train_critics(critics, (REAL, FAKE), steps=5))
    assert find_diverged(critics).tolist() == [False, True]
    assert np.isnan(critic_losses(critics, REAL, FAKE)).tolist() == [False, True]


def test_a_generator_that_diverged_is_found():
    """Its discriminator's last loss may be finite: the step after shows it."""
    settings = {"seeds": [0, 1], "width": 4, "depth": 1, "latent_dim": 2, "batch_size": 16}
    settings |= {"learning_rate": 1e-3, "betas": [0.5, 0.9]}
    pairs = stack_gans(settings, build_objective("nonsaturating"), "ring")
    train_step(pairs)
    assert find_diverged(pairs).tolist() == [False, False]
    pairs.rows[GENERATOR][1, 0] = torch.inf
    assert find_diverged(pairs).tolist() == [False, True]
