"""Nearest samples by brute force, closed forms of the step, and no data point left out."""

from functools import partial

import pytest
import torch
from support import make_training
from torch import nn

from bench.config import build
from bench.core.errors import UserError
from bench.losses import imle as imle_loss
from bench.models import priors
from bench.models.imle import IMLE
from bench.networks import mlp

T = torch.tensor
SGD = partial(torch.optim.SGD, lr=0.1)


class Constant(nn.Module):
    """G(z) = theta."""

    def __init__(self):
        super().__init__()
        self.theta = nn.Parameter(T([3.0, -1.0]))

    def reset(self, generator):
        pass

    def forward(self, latent):
        return self.theta.expand(len(latent), 2)


def opened(generator, optimizer, pool_factor=4):
    settings = make_training(optimizer, prior=priors.normal)
    model = IMLE(generator, imle_loss.nearest_distance, pool_factor, settings)
    (optimizer,) = model.configure_optimizers()
    model.optimizers = lambda use_pl_optimizer: optimizer
    model.on_fit_start()
    return model


def test_the_nearest_of_three_is_known():
    """(0, 0), (1, 0) and (5, 5) to a pool of (4, 4), (1, 1): squared distances 2, 1 and 2."""
    real, pool = T([[0.0, 0], [1, 0], [5, 5]]), T([[4.0, 4], [1, 1]], requires_grad=True)
    assert imle_loss.nearest(real, pool).tolist() == [1, 1, 0]
    loss = imle_loss.nearest_distance(real, pool)
    assert loss.item() == pytest.approx((2 + 1 + 2) / 3)
    loss.backward()  # 2 (y - x) / 3 of each that is its nearest
    assert torch.allclose(pool.grad, T([[-2.0, -2], [2 * (1 + 0), 2 * (1 + 1)]]) / 3)


def test_nearest_is_that_of_brute_force_on_images(generator):
    real = torch.rand(30, 3, 4, 4, generator=generator, dtype=torch.float64)
    pool = torch.rand(70, 3, 4, 4, generator=generator, dtype=torch.float64)
    found = imle_loss.nearest(real, pool).tolist()
    for x, index in zip(real, found, strict=True):
        distances = [float(((x - y) ** 2).sum()) for y in pool]
        assert distances[index] == min(distances)


def test_a_step_of_a_constant_generator_moves_it_towards_the_mean():
    """d/dtheta E|x - theta|^2 = 2 (theta - mean), whatever the pool."""
    model = opened(Constant(), SGD)
    model.training_step(T([[0.0, 0], [2, 4]]), 0)
    assert torch.allclose(model.generator.theta, T([3.0, -1]) - 0.1 * 2 * T([2.0, -3]))
    assert model.losses["d_loss"].item() == pytest.approx((9 + 1 + 1 + 25) / 2)
    assert (model.d_steps, model.g_steps) == (1, 1)


def test_each_step_draws_a_pool_of_its_own_from_the_latents_stream():
    model, asked = opened(Constant(), SGD, pool_factor=3), []
    draw = model.draw_latent
    model.draw_latent = lambda count: asked.append(draw(count)) or asked[-1]
    for step in range(2):
        model.training_step(torch.zeros(5, 2), step)
    first, second = (latent.z for latent in asked)
    assert len(first) == len(second) == 15 and not torch.equal(first, second)


def test_no_point_of_a_small_set_is_left_out():
    """Three points, two near each other: a generated sample lies by each of them in the end."""
    points = T([[1.0, 0.0], [-1.0, 0.5], [-1.0, -0.5]])
    network = mlp.generator([2], 2, width=32, depth=2)
    model = opened(network, partial(torch.optim.Adam, lr=0.01), pool_factor=8)
    for step in range(400):
        model.training_step(points.repeat(4, 1), step)
    with torch.no_grad():
        pool = model.generate(model.draw_latent(200))
    assert torch.cdist(points, pool).min(1).values.max().item() < 0.05
    shares = torch.cdist(pool, points).argmin(1).bincount(minlength=3) / 200
    assert shares.min().item() > 0.1


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["hyperparameters.pool_factor=0"], "pool_factor is 0"),
        (["hyperparameters.pool_factor=2.5"], "pool_factor is 2.5"),
        (["loss=vae"], "model 'imle' cannot use this loss"),
    ],
)
def test_what_imle_cannot_do_is_one_sentence(overrides, sentence):
    with pytest.raises(UserError, match=sentence):
        build.build_model(build.compose_config(["variant=imle", *overrides]))
