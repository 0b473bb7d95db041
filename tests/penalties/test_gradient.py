"""Penalties of critics whose gradients are known."""

import math
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from bench.losses.least_squares import logit
from bench.penalties import norms, sampling_points
from bench.penalties.clipping import WeightClip
from bench.penalties.gradient import GradientPenalty, gradient_norm

PLACES = {
    "interpolated": sampling_points.interpolated,
    "around_real": partial(sampling_points.around_real, scale=0.5),
    "around_real_gaussian": partial(sampling_points.around_real_gaussian, scale=0.1),
    "around_real_centred": sampling_points.around_real_centred,
    "around_both": partial(sampling_points.around_both, scale=0.5),
    "at_real": sampling_points.at_real,
    "at_fake": sampling_points.at_fake,
}
SAMPLES = {"images": (5, 3, 4, 4), "points": (5, 2)}


def numbers(penalty, real):
    draw = {"uniform": torch.rand, "normal": torch.randn}
    return {k: draw[d.distribution](d.shape(real)) for k, d in penalty.random_inputs.items()}


@pytest.mark.parametrize("shape", SAMPLES.values(), ids=SAMPLES)
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("slope", [0.5, 1.0, 3.0])
def test_a_linear_critic_has_its_slope_everywhere(slope, place, shape):
    real, fake = torch.rand(shape), torch.rand(shape)
    direction = nn.functional.normalize(torch.randn(real[0].numel()), dim=0)
    expected = {
        norms.two_sided: (slope - 1) ** 2,
        norms.one_sided: max(0.0, slope - 1) ** 2,
        norms.zero_centred: slope**2,
    }
    for ask, value in expected.items():
        penalty = GradientPenalty(place, ask, logit, 0.0)
        found = penalty(
            lambda x: slope * x.flatten(1) @ direction, real, fake, numbers(penalty, real)
        )
        assert found.item() == pytest.approx(value, abs=1e-5)


def test_of_the_sigmoid_is_the_logits_slope_times_s_one_minus_s():
    real = torch.zeros(4, 2, dtype=torch.float64)
    penalty = GradientPenalty(sampling_points.at_real, norms.zero_centred, torch.sigmoid, 0.0)
    found = penalty(lambda x: 3 * x[:, 0] + 1, real, real, {})
    s = 1 / (1 + math.exp(-1))
    assert found.item() == pytest.approx((3 * s * (1 - s)) ** 2, rel=1e-12)


def test_eps_stands_under_the_root_and_a_flat_critic_has_finite_gradients():
    points = torch.ones(3, 2, dtype=torch.float64)
    assert gradient_norm(lambda x: x.sum(1) * 0, points, eps=1e-4).tolist() == [0.01] * 3
    weight = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    for eps in (0.0, 1e-8):
        norms.two_sided(gradient_norm(lambda x: x @ weight, points, eps=eps)).backward()
        assert torch.isfinite(weight.grad).all()


def test_the_penalty_reaches_the_critics_weights_with_the_analytic_gradient():
    """f = w x in one dimension: d/dw (|w| - 1)^2 = 2 (|w| - 1) sign(w)."""
    weight = torch.tensor([-3.0], dtype=torch.float64, requires_grad=True)
    points = torch.randn(6, 1, dtype=torch.float64)
    norms.two_sided(gradient_norm(lambda x: x @ weight, points, eps=0.0)).backward()
    assert weight.grad.item() == pytest.approx(-4.0, rel=1e-12)


def test_penalty_gradients_of_a_network_match_finite_differences():
    net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    real, fake = torch.randn(5, 2).double(), torch.randn(5, 2).double()
    penalty = GradientPenalty(sampling_points.interpolated, norms.two_sided, logit, 1e-4)
    draws = {"mix": torch.rand(5).double()}

    def loss(weight):
        return penalty(
            lambda x: torch.func.functional_call(net, {"0.weight": weight}, x).squeeze(1),
            real,
            fake,
            draws,
        )

    torch.autograd.gradcheck(loss, net[0].weight.detach().clone().requires_grad_())


def test_under_vmap_a_penalty_is_that_of_each_replica():
    weights = torch.randn(3, 2, dtype=torch.float64)
    real, fake = torch.randn(3, 5, 2).double(), torch.randn(3, 5, 2).double()
    draws = {"mix": torch.rand(3, 5).double()}
    penalty = GradientPenalty(sampling_points.interpolated, norms.two_sided, torch.sigmoid, 1e-4)

    def one(weight, real, fake, draws):
        return penalty(lambda x: (x @ weight).tanh(), real, fake, draws)

    packed = torch.func.vmap(one)(weights, real, fake, draws)
    single = [one(weights[r], real[r], fake[r], {"mix": draws["mix"][r]}).item() for r in range(3)]
    assert packed.tolist() == pytest.approx(single, rel=1e-12)


@given(mix=st.floats(0, 1), scale=st.floats(0, 2))
def test_places_lie_where_they_say(mix, scale):
    real, fake = torch.rand(4, 3, 2, 2).double(), torch.rand(4, 3, 2, 2).double()
    mixes, noise = torch.full((4,), mix).double(), torch.rand(4, 3, 2, 2).double()
    between = sampling_points.interpolated(real, fake, {"mix": mixes})
    assert torch.allclose(between, (1 - mixes[0]) * real + mixes[0] * fake, atol=1e-12)
    near = sampling_points.around_real(real, fake, {"mix": mixes, "noise": noise}, scale=scale)
    reach = scale * mix * real.numpy().std()
    assert ((near - real) <= reach + 1e-12).all() and ((near - real) >= 0).all()


def test_both_means_real_then_fake():
    real, fake = torch.zeros(2, 3), torch.ones(2, 3)
    draws = {"noise": torch.zeros(4, 3), "mix": torch.ones(4)}
    points = sampling_points.around_both(real, fake, draws, scale=0.5)
    assert torch.equal(points, torch.cat([real, fake]))
    assert sampling_points.around_both.random_inputs["noise"].shape(real) == (4, 3)


def test_clipping_brings_every_entry_within_the_bound():
    parameters = [torch.tensor([-2.0, 0.005, 3.0]), torch.tensor([[0.01]])]
    WeightClip(0.01)(parameters)
    assert parameters[0].tolist() == pytest.approx([-0.01, 0.005, 0.01])
    for bad in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="weight_clip"):
            WeightClip(bad)
