"""Training steps against steps written out by hand, in float64."""

import copy
from functools import partial

import pytest
import torch
from support import make_objective, make_training
from torch.nn.functional import softplus

from bench.core.batch import Latent
from bench.core.update_order import StudyOrder
from bench.losses import began as began_loss
from bench.losses import minimax, nonsaturating
from bench.losses import vae as vae_loss
from bench.models import priors
from bench.models.began import BEGAN
from bench.models.executor import frozen
from bench.models.gan import GAN
from bench.models.moving_average import Constant, MovingAverage
from bench.models.vae import VAE
from bench.networks import mlp
from bench.networks.sampler import Sampler

SGD = partial(torch.optim.SGD, lr=0.1)


def generator():
    return mlp.generator([2], 2, width=5, depth=1)


def training(prior=priors.uniform, **changes):
    return make_training(SGD, prior=prior, **changes)


def objective(n_dis: int, fresh: bool, **changes):
    losses = minimax.discriminator_loss, nonsaturating.generator_loss
    return make_objective(*losses, n_dis=n_dis, fresh_latent=fresh, **changes)


def ready(model):
    """The model in float64 with optimizers and streams, without a trainer."""
    model = model.double()
    optimizers = model.configure_optimizers()
    model.optimizers = lambda use_pl_optimizer: optimizers if len(optimizers) > 1 else optimizers[0]
    model.on_fit_start()
    draw = model.draw_latent
    model.draw_latent = lambda count: Latent(draw(count).z.double())
    return model


def by_hand(parameters, loss):
    gradients = torch.autograd.grad(loss, list(parameters))
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= 0.1 * gradient


@pytest.mark.parametrize(("fresh", "reuse"), [(False, False), (False, True), (True, False)])
def test_gan_steps_are_the_studys(fresh, reuse):
    disc = mlp.Discriminator([2], width=5, depth=1, batch_norm=False)
    model = ready(GAN(generator(), disc, objective(2, fresh), reuse, False, training()))
    g, d = copy.deepcopy(model.generator), copy.deepcopy(model.discriminator)
    latents = torch.Generator().manual_seed(0)
    latents.set_state(model.streams["latent"].get_state())
    moved = []
    for step in range(6):
        real = torch.randn(4, 2, dtype=torch.float64)
        model.training_step(real, step)
        z = priors.uniform(4, 2, latents).double()
        loss = softplus(-d(real)).mean() + softplus(d(g(z).detach())).mean()
        by_hand(list(d.parameters()), loss)
        if step in (0, 1, 3, 5):  # (step - 1) mod 2 == 0, and the first
            z = priors.uniform(4, 2, latents).double() if fresh else z
            by_hand(list(g.parameters()), softplus(-d(g(z))).mean())
            moved.append(step)
    assert model.g_steps == len(moved) == 4 and model.d_steps == 6
    for ours, theirs in ((model.generator, g), (model.discriminator, d)):
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.allclose(a, b, rtol=0, atol=1e-12)


@pytest.mark.parametrize("fresh", [True, False])
def test_began_steps_and_controller(fresh):
    rules = began_loss.Equilibrium(gamma=0.5, k_rate=0.3, clip_k=False, fresh_errors=fresh)
    order = StudyOrder(n_dis=1, latent_batches=1, fresh_real=False)
    auto = mlp.Autoencoder([2], code=1, width=5, depth=1, batch_norm=False)
    model = ready(BEGAN(generator(), auto, rules, order, False, training()))
    g, d, k = copy.deepcopy(model.generator), copy.deepcopy(model.autoencoder), 0.0
    latents = torch.Generator().manual_seed(0)
    latents.set_state(model.streams["latent"].get_state())

    def error(x):
        return (d(x) - x).abs().mean()

    for step in range(3):
        real = torch.randn(4, 2, dtype=torch.float64)
        model.training_step(real, step)
        z = priors.uniform(4, 2, latents).double()
        before = error(real).item(), error(g(z)).item()
        by_hand(list(d.parameters()), error(real) - k * error(g(z).detach()))
        by_hand(list(g.parameters()), error(g(z)))
        after = error(real).item(), error(g(z)).item()
        errors = after if fresh else before
        k += 0.3 * (0.5 * errors[0] - errors[1])
    assert model.k.item() == pytest.approx(k, abs=1e-12) and k != 0
    assert model.losses["k"].item() == pytest.approx(k, abs=1e-12)


def test_vae_step_uses_one_optimizer_and_the_draws_stream():
    encoder = mlp.Encoder([2], 2, width=5, depth=1, batch_norm=False)
    likelihood = partial(vae_loss.gaussian_log_likelihood, sigma=0.5)
    loss = partial(vae_loss.negative_elbo, log_likelihood=likelihood, channel_mean=True)
    model = ready(VAE(generator(), encoder, loss, training(priors.normal)))
    g, e = copy.deepcopy(model.generator), copy.deepcopy(model.encoder)
    draws = torch.Generator().manual_seed(0)
    draws.set_state(model.streams["draws"].get_state())
    real = torch.randn(4, 2, dtype=torch.float64)
    model.training_step(real, 0)
    mean, sigma = e(real)
    noise = torch.randn(4, 2, generator=draws, dtype=torch.float64)
    by_hand([*g.parameters(), *e.parameters()], loss(real, g(mean + sigma * noise), mean, sigma))
    pairs = zip(model.generator.parameters(), g.parameters(), strict=True)
    assert all(torch.allclose(a, b, rtol=0, atol=1e-12) for a, b in pairs)


class NoPenalty:
    random_inputs = {}

    def __call__(self, *_):
        return torch.zeros(())


def test_batch_norm_under_a_penalty_must_be_said():
    disc = mlp.Discriminator([2], width=5, depth=2, batch_norm=True)
    rules = objective(1, False, penalty=NoPenalty(), weight=1.0)
    with pytest.raises(ValueError, match="batch norm"):
        GAN(generator(), disc, rules, False, False, training())
    GAN(generator(), disc, rules, False, True, training())


def test_the_moving_average_follows_its_recurrence():
    disc = mlp.Discriminator([2], width=5, depth=1, batch_norm=False)
    ema = MovingAverage(Constant(0.75, 0), copy_buffers=False)
    model = ready(GAN(generator(), disc, objective(1, False), False, False, training(ema=ema)))
    expected = None
    for step in range(3):
        model.training_step(torch.randn(4, 2, dtype=torch.float64), step)
        now = model.generator[0].weight.detach().clone()
        expected = now if expected is None else 0.75 * expected + 0.25 * now
    assert torch.allclose(model.sampled_generator()[0].weight, expected, atol=1e-12)


def test_priors_have_their_moments(generator_seed=0):
    latents = torch.Generator().manual_seed(generator_seed)
    flat = priors.uniform(100_000, 2, latents)
    assert flat.min() >= -1 and flat.max() < 1
    assert flat.var().item() == pytest.approx(1 / 3, abs=0.005)
    assert priors.normal(100_000, 2, latents).var().item() == pytest.approx(1, abs=0.02)


def test_samples_do_not_depend_on_the_batch_size_and_leave_the_mode_as_it_was():
    net = generator().train()
    sampler = Sampler(net, priors.uniform, 2)
    parts = [sampler.samples(10, torch.Generator().manual_seed(1), size) for size in (3, 10)]
    assert torch.allclose(*parts, atol=1e-6) and net.training


def test_frozen_gives_the_gradients_back():
    net = generator()
    with frozen(net):
        assert not any(p.requires_grad for p in net.parameters())
    assert all(p.requires_grad for p in net.parameters())


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        ({"precision": "16"}, "precision"),
        ({"latent_dim": 0}, "latent_dim"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_impossible_settings_are_refused(bad, word):
    with pytest.raises(ValueError, match=word):
        training(**bad)
