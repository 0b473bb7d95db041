"""The likelihood of a pool with noise: closed forms, its gradient, its bound and its limit."""

import math

import pytest
import torch

from bench.losses.imle import nearest_distance
from bench.losses.likelihood import Likelihood, log_likelihood
from bench.losses.vae import gaussian_log_likelihood

T = torch.tensor


@pytest.fixture
def clouds(generator):
    """Real samples and a pool, points in three dimensions, float64."""
    draw = {"generator": generator, "dtype": torch.float64}
    return torch.randn(5, 3, **draw), torch.randn(7, 3, **draw)


@pytest.mark.parametrize("noise", [0.02, 0.5, 3.0])
def test_a_pool_of_one_is_the_gaussian_density(clouds, noise):
    real, pool = clouds
    expected = torch.distributions.Normal(pool[0], noise).log_prob(real).sum(1)
    found = log_likelihood(real, pool[:1], noise=noise)
    assert torch.allclose(found, expected, rtol=1e-12)
    again = gaussian_log_likelihood(pool[:1].expand_as(real), real, sigma=noise)
    assert torch.allclose(found, again, rtol=1e-12)


def test_two_pool_points_in_closed_form():
    """At 0 between -1 and 1 both are N(1; 0, 1); at 1: (phi(0) + phi(2)) / 2."""
    found = log_likelihood(T([[0.0], [1.0]]), T([[-1.0], [1.0]]), noise=1.0)
    root = math.log(math.sqrt(2 * math.pi))
    expected = [-0.5 - root, math.log((1 + math.exp(-2)) / 2) - root]
    assert found.tolist() == pytest.approx(expected, abs=1e-6)
    loss = Likelihood(1.0)(T([[0.0], [1.0]]), T([[-1.0], [1.0]]))
    assert loss.item() == pytest.approx(-sum(expected) / 2, abs=1e-6)


def test_the_gradient_is_that_of_finite_differences(clouds):
    real, pool = clouds
    pool.requires_grad_()
    assert torch.autograd.gradcheck(lambda y: log_likelihood(real, y, noise=0.7), pool)


def test_the_gradient_pulls_by_responsibilities():
    """d/dy_m = sum_i r_im (x_i - y_m) / sigma^2; for x = 0 and y = -1, 3: r = 1 / (1 + e^-4)."""
    pool = T([[-1.0], [3.0]], dtype=torch.float64, requires_grad=True)
    log_likelihood(T([[0.0]], dtype=torch.float64), pool, noise=1.0).sum().backward()
    near = 1 / (1 + math.exp(-4))
    assert pool.grad.flatten().tolist() == pytest.approx([near, -3 * (1 - near)], abs=1e-12)


def test_one_place_is_best_at_the_mean(clouds):
    real, place = clouds[0], clouds[0].mean(0, keepdim=True).requires_grad_()
    best = Likelihood(0.3)(real, place)
    best.backward()
    assert torch.allclose(place.grad, torch.zeros_like(place), atol=1e-12)
    for moved in (place + 0.01, place - 0.01):
        assert Likelihood(0.3)(real, moved) > best


def test_small_noise_leaves_the_nearest_alone(clouds):
    """2 sigma^2 (loss - constants) -> E[min |x - y|^2], IMLE's; far out nothing underflows."""
    real, pool = clouds
    noise = 1e-3
    constants = 3 * math.log(noise * math.sqrt(2 * math.pi)) + math.log(7)
    scaled = 2 * noise**2 * (Likelihood(noise)(real, pool) - constants)
    assert scaled.item() == pytest.approx(nearest_distance(real, pool).item(), rel=1e-9)
    far = log_likelihood(real.float() + 1e4, pool.float(), noise=0.1)
    assert far.isfinite().all() and far.max() < -1e9


def test_the_pool_bounds_the_likelihood_from_below_and_closes_in(generator):
    """G(z) = z ~ N(0, 1) and sigma = 1: p = N(0, 2), by more latents ever nearer to ln p."""
    place, draws = T([[1.0]], dtype=torch.float64), {"generator": generator, "dtype": torch.float64}
    true = torch.distributions.Normal(0.0, math.sqrt(2)).log_prob(place[0, 0])
    means, errors = {}, {}
    for count in (1, 10, 100):
        found = torch.stack(
            [
                log_likelihood(place, torch.randn(count, 1, **draws), noise=1.0)[0]
                for _ in range(4000)
            ]
        )
        means[count], errors[count] = found.mean(), found.std() / math.sqrt(4000)
    # M = 1: E[-(1 - z)^2 / 2] - ln sqrt(2 pi) = -1 - ln sqrt(2 pi)
    assert abs(means[1] + 1 + math.log(math.sqrt(2 * math.pi))) < 4 * errors[1]
    assert means[1] < means[10] < means[100] < true + 4 * errors[100]
    assert true - means[100] < 0.01


def test_the_likelihood_of_a_generator_that_stands_still_is_exact(clouds):
    """G(z) = mu: every pool gives the true ln N(x; mu, sigma^2 I)."""
    real, mu = clouds[0], clouds[1][:1]
    expected = torch.distributions.Normal(mu[0], 0.4).log_prob(real).sum(1)
    for count in (1, 9):
        found = log_likelihood(real, mu.expand(count, 3), noise=0.4)
        assert torch.allclose(found, expected, rtol=1e-12)


def test_images_are_as_their_pixels(generator):
    real = torch.rand(4, 3, 4, 4, generator=generator, dtype=torch.float64)
    pool = torch.rand(6, 3, 4, 4, generator=generator, dtype=torch.float64)
    flat = log_likelihood(real.flatten(1), pool.flatten(1), noise=0.2)
    assert torch.equal(log_likelihood(real, pool, noise=0.2), flat)


@pytest.mark.parametrize("noise", [0.0, -1.0, math.inf, math.nan])
def test_noise_without_a_density_is_refused(noise):
    with pytest.raises(ValueError, match="noise is"):
        Likelihood(noise)
