"""Steps in closed form, and the switch between samples with noise and without."""

from functools import partial

import pytest
import torch
from support import make_training
from torch import nn

from bench.config import build
from bench.core.errors import UserError
from bench.execution.run import execute
from bench.losses.likelihood import Likelihood
from bench.models import priors
from bench.models.maximum_likelihood import MaximumLikelihood
from bench.networks.noisy import Noisy, latents
from bench.training.job import prepare_job

T = torch.tensor


class Affine(nn.Module):
    """G(z) = theta + slope z."""

    def __init__(self, slope):
        super().__init__()
        self.theta, self.slope = nn.Parameter(T([3.0, -1.0])), slope

    def reset(self, generator):
        pass

    def forward(self, latent):
        return self.theta + self.slope * latent


def opened(net, noise, optimizer, pool_factor=4):
    latent_dim = latents(2, [2], added=True)
    settings = make_training(optimizer, prior=priors.normal, latent_dim=latent_dim)
    generator = Noisy(net, 2, noise=noise)
    model = MaximumLikelihood(generator, Likelihood(noise), pool_factor, settings)
    (optimizer,) = model.configure_optimizers()
    model.optimizers = lambda use_pl_optimizer: optimizer
    model.on_fit_start()
    return model


def test_a_step_of_a_constant_generator_moves_it_towards_the_mean():
    """d/dtheta -E[ln N(x; theta, sigma^2 I)] = (theta - mean) / sigma^2, whatever the pool."""
    model = opened(Affine(0.0), 0.5, partial(torch.optim.SGD, lr=0.1))
    model.training_step(T([[0.0, 0], [2, 4]]), 0)
    assert torch.allclose(model.generator.net.theta, T([3.0, -1]) - 0.1 * T([2.0, -3]) / 0.25)
    assert (model.d_steps, model.g_steps) == (1, 1)


def test_the_mean_of_the_data_is_learnt_and_the_pool_is_without_noise():
    """G(z) = theta + z / 2, sigma = 1 / 2: theta ends at the data's mean."""
    model = opened(Affine(0.5), 0.5, partial(torch.optim.Adam, lr=0.02), pool_factor=8)
    data = torch.randn(400, 2, generator=torch.Generator().manual_seed(3)) * 0.5 + T([1.0, -2.0])
    asked = []
    draw = model.draw_latent
    model.draw_latent = lambda count: asked.append(draw(count)) or asked[-1]
    for step in range(400):
        model.training_step(data[step % 8 :: 8], step)
    assert {tuple(latent.z.shape) for latent in asked} == {(400, 2)}
    assert torch.allclose(model.generator.net.theta, data.mean(0), atol=0.06)


def test_noise_is_what_a_latent_holds_beyond_l():
    generator, latent = Noisy(Affine(2.0), 2, noise=0.1), T([[1.0, -1.0, 5.0, -5.0]])
    assert torch.allclose(generator(latent[:, :2]), T([[5.0, -3.0]]))
    assert torch.allclose(generator(latent), T([[5.5, -3.5]]))
    assert latents(2, [2], added=True) == 4 and latents(7, [3, 4, 4], added=False) == 7


def test_images_with_noise_stay_images():
    generator = Noisy(nn.Unflatten(1, (1, 1, 2)), 2, noise=0.5)
    found = generator(T([[0.25, 0.75, 1.0, 1.0], [0.25, 0.75, -1.0, -1.0]]))
    assert found.flatten(1).tolist() == [[0.75, 1.0], [0.0, 0.25]]


def test_noise_is_a_switch_that_moves_no_weight(tiny):
    """The same digest with it and without; samples of the kept generator differ by the noise."""
    samplers, digests = {}, []
    for added in (True, False):
        overrides = [f"hyperparameters.added_noise={added}", "hyperparameters.noise=0.2"]
        config = tiny("variant=maximum_likelihood", "dataset=ring", *overrides, network="mlp")
        job = prepare_job(build.compose_config(config))
        assert execute(job).status == "finished"
        digests.append(job.folder.read_status()["digest"])
        samplers[added] = build.build_sampler(job.folder)
    assert digests[0] == digests[1]
    assert (samplers[True].latent_dim, samplers[False].latent_dim) == (4, 2)
    z = torch.randn(20_000, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        apart = samplers[True].generator(z) - samplers[False].generator(z[:, :2])
    assert torch.allclose(apart, 0.2 * z[:, 2:], atol=1e-6)
    (drawn,) = samplers[True].batches(9, torch.Generator().manual_seed(5), 9)
    (again,) = samplers[True].batches(9, torch.Generator().manual_seed(5), 9)
    assert torch.equal(drawn.samples, again.samples)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["hyperparameters.noise=0"], "noise is 0"),
        (["hyperparameters.pool_factor=0"], "pool_factor is 0"),
        (["loss=imle"], "model 'maximum_likelihood' cannot use this loss"),
        (["loss=vae"], "model 'maximum_likelihood' cannot use this loss"),
    ],
)
def test_what_it_cannot_do_is_one_sentence(overrides, sentence):
    with pytest.raises(UserError, match=sentence):
        build.build_model(build.compose_config(["variant=maximum_likelihood", *overrides]))
