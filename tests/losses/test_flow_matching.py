"""The loss of straight flows: closed forms for Gaussian data, and gradients."""

import pytest
import torch
from torch.autograd import gradcheck

from bench.losses.flow_matching import FlowMatching, interpolate

T = torch.tensor


def test_points_lie_between_noise_at_0_and_data_at_1():
    latent, samples = torch.zeros(3, 2, 1, 1), 4 * torch.ones(3, 2, 1, 1)
    found = interpolate(latent, samples, T([0.0, 0.25, 1.0]))
    assert found[:, :, 0, 0].tolist() == [[0.0, 0.0], [1.0, 1.0], [4.0, 4.0]]


def test_a_velocity_of_zero_costs_the_mean_square_of_x_minus_z():
    samples, latent = T([[3.0, 0.0], [1.0, 1.0]]), T([[1.0, 1.0], [1.0, 4.0]])
    loss = FlowMatching()(lambda x, t: 0 * x, samples, latent, T([0.1, 0.9]))
    assert loss.item() == pytest.approx((4 + 1 + 0 + 9) / 4)


def test_gaussian_data_leave_a_known_loss():
    """x ~ N(m, s^2): Var(x - z | y) = s^2 / ((1 - t)^2 + t^2 s^2), 0.8 for s = t = 0.5."""
    draws, m, s, t = torch.Generator().manual_seed(0), 3.0, 0.5, 0.5
    samples, latent = torch.randn(2, 200_000, 1, generator=draws, dtype=torch.float64)
    samples = m + s * samples
    variance = (1 - t) ** 2 + t**2 * s**2

    def optimal(y, time):
        return m + (t * s**2 - (1 - t)) / variance * (y - t * m)

    time = torch.full((200_000,), t, dtype=torch.float64)
    loss = FlowMatching()(optimal, samples, latent, time).item()
    assert loss == pytest.approx(0.8, rel=0.02)  # its standard deviation: 0.8 sqrt(2 / 200,000)
    shifted = FlowMatching()(lambda y, u: optimal(y, u) + 0.1, samples, latent, time).item()
    assert shifted - loss == pytest.approx(0.01, abs=0.001)


def test_gradients_are_those_of_finite_differences(generator):
    samples, latent = torch.randn(2, 4, 3, generator=generator, dtype=torch.float64)
    time = torch.rand(4, generator=generator, dtype=torch.float64)
    weight = torch.randn(3, 3, generator=generator, dtype=torch.float64, requires_grad=True)

    def loss(weight):
        return FlowMatching()(
            lambda x, t: torch.tanh(x @ weight) * t[:, None], samples, latent, time
        )

    assert gradcheck(loss, (weight,))
