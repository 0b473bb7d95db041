"""Historical averaging against means and steps worked out by hand."""

import copy

import pytest
import torch
from support import make_objective, make_training
from torch import nn

from bench.config import build
from bench.core.batch import Latent
from bench.core.errors import UserError
from bench.losses import wasserstein
from bench.models.gan import GAN
from bench.models.historical import HistoricalGAN
from bench.networks import mlp
from bench.penalties import historical

T = torch.tensor
BILINEAR = make_objective(wasserstein.discriminator_loss, wasserstein.generator_loss)


class Slope(nn.Module):
    """f(x) = w x on [B, 1]."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(T(0.75, dtype=torch.float64))

    def reset(self, generator):
        pass

    def forward(self, x):
        return self.w * x[:, 0]


class Constant(nn.Module):
    """G(z) = theta."""

    def __init__(self):
        super().__init__()
        self.theta = nn.Parameter(T(2.0, dtype=torch.float64))

    def reset(self, generator):
        pass

    def forward(self, latent):
        return self.theta.expand(len(latent), 1)


def opened(kind, generator, discriminator, *more):
    settings = make_training(lambda p: torch.optim.SGD(p, lr=0.1))
    model = kind(generator, discriminator, BILINEAR, False, False, settings, *more).double()
    optimizers = model.configure_optimizers()
    model.optimizers = lambda use_pl_optimizer: optimizers
    model.on_fit_start()
    draw = model.draw_latent
    model.draw_latent = lambda count: Latent(draw(count).z.double())
    return model


def test_the_term_and_its_slope():
    """(1, 2) and 3 against (0, 0) and 1: 1 + 4 + 4; the slope is twice the difference."""
    parameters = [T([1.0, 2.0], requires_grad=True), T(3.0, requires_grad=True)]
    term = historical.distance_to_average(parameters, [torch.zeros(2), T(1.0)])
    term.backward()
    assert term.item() == 9
    assert parameters[0].grad.tolist() == [2, 4] and parameters[1].grad.item() == 4


def test_averages_are_the_means_of_what_was_taken_in():
    past = torch.tensor([99.0])  # of no values: forgotten
    for count, value in enumerate([2.0, 4.0, 9.0], start=1):
        historical.update_averages([past], [T([value])], count)
    assert past.item() == pytest.approx(5.0)


def test_both_players_steps_are_those_by_hand():
    """f_D = w (theta - x), f_G = -w theta, x = 1/2, lr = 0.1, weight 3; D first."""
    model = opened(HistoricalGAN, Constant(), Slope(), 3.0)
    w, theta, ws, thetas = 0.75, 2.0, [], []
    for step in range(5):
        model.training_step(torch.full((4, 1), 0.5, dtype=torch.float64), step)
        ws.append(w)
        away = w - sum(ws) / len(ws)
        assert model.losses["d_loss"].item() == pytest.approx(w * (theta - 0.5) + 3 * away**2)
        w -= 0.1 * ((theta - 0.5) + 2 * 3 * away)
        thetas.append(theta)
        theta -= 0.1 * (-w + 2 * 3 * (theta - sum(thetas) / len(thetas)))
        assert model.discriminator.w.item() == pytest.approx(w, rel=1e-12)
        assert model.generator.theta.item() == pytest.approx(theta, rel=1e-12)
    assert model.past[0].theta.item() == pytest.approx(sum(thetas) / 5, rel=1e-12)
    assert model.past[1].w.item() == pytest.approx(sum(ws) / 5, rel=1e-12)


def test_without_weight_it_is_the_plain_gan_bit_for_bit():
    g = mlp.generator([2], 2, width=5, depth=1)
    d = mlp.Discriminator([2], width=5, depth=2, batch_norm=True)
    plain = opened(GAN, copy.deepcopy(g), copy.deepcopy(d))
    held = opened(HistoricalGAN, g, d, 0.0)
    noise = torch.Generator().manual_seed(0)
    for step in range(6):
        real = torch.randn(8, 2, dtype=torch.float64, generator=noise)
        plain.training_step(real, step)
        held.training_step(real, step)
    found = held.state_dict()
    assert all(torch.equal(tensor, found[name]) for name, tensor in plain.state_dict().items())


def test_the_past_is_in_the_checkpoint_and_no_optimizer_moves_it():
    model = opened(HistoricalGAN, Constant(), Slope(), 1.0)
    assert {"past.0.theta", "past.1.w"} <= set(model.state_dict())
    moved = [p for o in model.optimizers(False) for g in o.param_groups for p in g["params"]]
    assert not any(p is q for p in moved for q in model.past.parameters())


def test_a_negative_weight_is_one_sentence():
    with pytest.raises(UserError, match="history_weight is -1"):
        build.build_model(
            build.compose_config(["variant=historical_gan", "hyperparameters.history_weight=-1"])
        )


def test_a_lazy_term_is_one_sentence():
    """Its step would count as one of the player's: the mean would be of other weights."""
    lazy = ["penalty=r1_lazy", "hyperparameters.d_batch_norm=false"]
    with pytest.raises(UserError, match="the term 'r1' has interval 16, and historical averaging"):
        build.build_model(build.compose_config(["variant=historical_gan", *lazy]))
