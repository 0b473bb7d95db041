import math

import pytest
import torch

from bench.losses import began, vae

D = torch.float64


def test_controller_moves_by_rate_times_imbalance_and_clips_only_when_told():
    settings = dict(gamma=0.5, k_rate=0.1, fresh_errors=True)
    free = began.Equilibrium(**settings, clip_k=False)
    kept = began.Equilibrium(**settings, clip_k=True)
    k, real, fake = torch.tensor(0.0), torch.tensor(1.0), torch.tensor(2.0)
    assert free.next_k(k, real, fake).item() == pytest.approx(-0.15)
    assert kept.next_k(k, real, fake).item() == 0.0
    assert began.convergence(real, fake, gamma=0.5).item() == pytest.approx(2.5)
    assert began.discriminator_loss(real, fake, torch.tensor(0.25)).item() == 0.5


def test_equilibrium_refuses_impossible_numbers():
    good = dict(gamma=0.5, k_rate=0.1, clip_k=True, fresh_errors=True)
    for bad in ({"gamma": 1.5}, {"gamma": math.nan}, {"k_rate": -1.0}):
        with pytest.raises(ValueError):
            began.Equilibrium(**{**good, **bad})


def test_kl_of_a_shifted_scaled_normal_per_dimension():
    """KL(N(m, s^2) || N(0, 1)) = (m^2 + s^2 - 1) / 2 - log s."""
    mean, sigma = torch.tensor([[1.0, 0.0]], dtype=D), torch.tensor([[2.0, 1.0]], dtype=D)
    expected = (1 + 4 - 1) / 2 - math.log(2)
    assert vae.kl_to_standard_normal(mean, sigma).item() == pytest.approx(expected, abs=1e-7)


def test_bernoulli_sums_pixels_and_the_bound_averages_channels_where_told():
    mean = torch.full((2, 3, 4, 4), 0.25, dtype=D)
    ones = torch.ones_like(mean)
    assert vae.bernoulli_log_likelihood(mean, ones).tolist() == pytest.approx(
        [48 * math.log(0.25)] * 2
    )
    prior = torch.zeros(2, 1, dtype=D), torch.ones(2, 1, dtype=D)  # KL 0
    for channel_mean, pixels in ((False, 48), (True, 16)):
        value = vae.negative_elbo(
            ones,
            mean,
            *prior,
            log_likelihood=vae.bernoulli_log_likelihood,
            channel_mean=channel_mean,
        )
        assert value.item() == pytest.approx(-pixels * math.log(0.25), abs=1e-7)


def test_bernoulli_stays_finite_at_the_ends_in_float32():
    mean = torch.tensor([0.0, 1.0]).reshape(1, 1, 1, 2).requires_grad_()
    value = vae.bernoulli_log_likelihood(mean, torch.tensor([[[[1.0, 0.0]]]]))
    value.sum().backward()
    assert torch.isfinite(value).all() and torch.isfinite(mean.grad).all()


def test_gaussian_likelihood_is_that_of_torch():
    mean, samples = torch.randn(4, 3, dtype=D), torch.randn(4, 3, dtype=D)
    expected = torch.distributions.Normal(mean, 0.3).log_prob(samples).sum(1)
    value = vae.gaussian_log_likelihood(mean, samples, sigma=0.3)
    assert value.tolist() == pytest.approx(expected.tolist(), rel=1e-12)


def test_elbo_of_a_linear_gaussian_model_is_its_evidence_at_the_true_posterior():
    """x = z + noise, z ~ N(0, 1), noise ~ N(0, s^2): q = p(z | x) makes the bound tight on average.

    With the posterior's own draws the bound's mean over many draws is log N(x; 0, 1 + s^2).
    """
    s2, x = 0.25, 0.7
    mean, sigma = x / (1 + s2), math.sqrt(s2 / (1 + s2))
    draws = torch.randn(200_000, 1, dtype=D, generator=torch.Generator().manual_seed(0))
    ones = torch.ones_like(draws)
    value = vae.negative_elbo(
        x * ones,
        mean + sigma * draws,
        mean * ones,
        sigma * ones,
        log_likelihood=lambda m, v: vae.gaussian_log_likelihood(m, v, sigma=math.sqrt(s2)),
        channel_mean=True,
    ).item()
    evidence = -0.5 * math.log(2 * math.pi * (1 + s2)) - x**2 / (2 * (1 + s2))
    assert value == pytest.approx(-evidence, abs=0.005)
