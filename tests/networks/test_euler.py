"""Euler's method against the closed form for Gaussian data."""

import math

import pytest
import torch
from torch import nn

from bench.core.batch import Latent
from bench.networks.euler import EulerSampler
from bench.networks.sampler import Sampler, generate

MEAN, SIGMA = 3.0, 0.5


class Optimal(nn.Module):
    """v(y, t) = m + (t s^2 - (1 - t)) / ((1 - t)^2 + t^2 s^2) (y - t m): data from N(m, s^2)."""

    def forward(self, y, time):
        t = time[:, None]
        variance = (1 - t) ** 2 + t**2 * SIGMA**2
        return MEAN + (t * SIGMA**2 - (1 - t)) / variance * (y - t * MEAN)


def moments(steps):
    """Mean and standard deviation of the samples, which are an affine function of the latent."""
    latent = torch.tensor([[-1.0], [1.0]], dtype=torch.float64)
    low, high = EulerSampler(Optimal(), [1], steps=steps)(latent).flatten().tolist()
    return (low + high) / 2, (high - low) / 2


@pytest.mark.parametrize("steps", [1, 2, 7, 64])
def test_the_mean_is_exact_with_any_number_of_steps(steps):
    """y_k - t_k m is multiplied by 1 + a(t_k) / N in each step, and begins as z."""
    mean, deviation = moments(steps)
    assert mean == pytest.approx(MEAN, abs=1e-12)
    times = [k / steps for k in range(steps)]
    factors = (
        1 + (t * SIGMA**2 - (1 - t)) / ((1 - t) ** 2 + t**2 * SIGMA**2) / steps for t in times
    )
    assert deviation == pytest.approx(math.prod(factors), abs=1e-12)


def test_one_step_gives_the_mean_alone():
    """v(z, 0) = m - z."""
    assert moments(1)[1] == pytest.approx(0, abs=1e-12)


def test_the_deviation_converges_with_order_1():
    errors = [moments(steps)[1] - SIGMA for steps in (100, 200, 400)]
    assert abs(errors[0]) < 0.02 and errors[2] != 0
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.05)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.03)


class Still(nn.Module):
    pixel_range = (-1.0, 1.0)

    def forward(self, samples, time):
        return torch.zeros_like(samples)


def test_samples_come_out_in_the_range_of_the_suite():
    flow = EulerSampler(Still(), [1, 1, 3], steps=2)
    images = generate(flow, Latent(torch.tensor([[-1.0, 0.0, 1.0]])))
    assert images.tolist() == [[[[0.0, 0.5, 1.0]]]]


def test_a_sampler_says_what_a_sample_costs():
    assert Sampler(EulerSampler(Still(), [2], steps=7), None, 2).function_evaluations == 7
    assert Sampler(nn.Linear(2, 2), None, 2).function_evaluations == 1


@pytest.mark.parametrize("steps", [0, 2.5, True])
def test_steps_are_a_whole_number_from_1_on(steps):
    with pytest.raises(ValueError, match=f"steps is {steps}"):
        EulerSampler(Still(), [2], steps=steps)
