"""The generator that matches mean features: closed form, a step by hand, whose features."""

import copy
from dataclasses import replace

import pytest
import torch
from support import make_objective, make_training
from torch.nn.functional import relu, softplus

from bench.core.batch import Latent
from bench.core.objective import Term
from bench.losses import feature_matching, minimax, nonsaturating
from bench.models.feature_matching import FeatureMatchingGAN
from bench.networks import infogan, mlp

GAME = make_objective(minimax.discriminator_loss, nonsaturating.generator_loss)


def opened(discriminator, game=GAME):
    settings = make_training(lambda p: torch.optim.SGD(p, lr=0.1))
    model = FeatureMatchingGAN(
        mlp.generator([2], 2, width=5, depth=1), discriminator, game, False, False, settings,
        feature_matching.generator_loss,
    )  # fmt: skip
    model = model.double()
    optimizers = model.configure_optimizers()
    model.optimizers = lambda use_pl_optimizer: optimizers
    model.on_fit_start()
    return model


def test_the_loss_is_the_squared_distance_of_the_means_and_its_slope_twice_the_difference():
    """(1, 2) against (4, -2): 9 + 16; d/dfake = 2 (fake - real)."""
    fake = torch.tensor([4.0, -2.0], requires_grad=True)
    loss = feature_matching.generator_loss(torch.tensor([1.0, 2.0]), fake)
    loss.backward()
    assert loss.item() == 25 and fake.grad.tolist() == [6, -8]


def test_a_step_is_the_step_by_hand():
    model = opened(mlp.Discriminator([2], width=6, depth=1, batch_norm=False))
    g, d = copy.deepcopy(model.generator), copy.deepcopy(model.discriminator)
    latent = torch.rand(8, 2, dtype=torch.float64)
    model.draw_latent = lambda count: Latent(latent)
    real = torch.randn(8, 2, dtype=torch.float64)
    model.training_step(real, 0)
    loss = softplus(-d(real)).mean() + softplus(d(g(latent).detach())).mean()
    gradients = torch.autograd.grad(loss, list(d.parameters()))
    with torch.no_grad():
        for parameter, gradient in zip(d.parameters(), gradients, strict=True):
            parameter -= 0.1 * gradient
    weight, bias = d[0].weight, d[0].bias
    means = [relu(x @ weight.T + bias).mean(0) for x in (real, g(latent))]
    expected = (means[0] - means[1]).square().sum()
    gradients = torch.autograd.grad(expected, list(g.parameters()))
    assert model.losses["g_loss"].item() == pytest.approx(expected.item(), rel=1e-12)
    for ours, before, gradient in zip(
        model.generator.parameters(), g.parameters(), gradients, strict=True
    ):
        assert torch.allclose(ours, before - 0.1 * gradient, rtol=0, atol=1e-12)
    for ours, moved in zip(model.discriminator.parameters(), d.parameters(), strict=True):
        assert torch.allclose(ours, moved, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("discriminator", "samples"),
    [
        (mlp.Discriminator([2], width=6, depth=2, batch_norm=True), torch.randn(4, 2)),
        (
            infogan.Discriminator([1, 8, 8], dense=7, deep=3, shallow=2, batch_norm=True, std=0.02),
            torch.rand(4, 1, 8, 8),
        ),
    ],
)
def test_features_are_what_the_last_layer_sees(discriminator, samples):
    last = discriminator[-1] if hasattr(discriminator, "__getitem__") else discriminator.score
    logits = last(discriminator.features(samples)).squeeze(1)
    assert torch.equal(logits, discriminator(samples))


def test_a_discriminator_without_features_is_refused():
    with pytest.raises(ValueError, match="has no features"):
        opened(torch.nn.Linear(2, 1))


def test_a_term_of_the_generator_on_outputs_is_refused():
    def lifted(fake_logits):
        return fake_logits.mean()

    term = Term(penalty=lifted, weight=1.0, interval=1, player="generator")
    discriminator = mlp.Discriminator([2], width=5, depth=2, batch_norm=False)
    with pytest.raises(ValueError, match="the term 'own' reads the discriminator's outputs"):
        opened(discriminator, replace(GAME, terms={"own": term}))
