"""R1, R2, the largest gradient and penalties on weights against published codes."""

import pytest
import torch
from golden_values import fill, golden, toy_critic

from bench.core.coupling import is_coupled
from bench.losses import pairing
from bench.losses.least_squares import logit
from bench.penalties import norms, sampling_points, weights
from bench.penalties.gradient import GradientPenalty
from bench.penalties.maximum import maximum

R1 = GradientPenalty(sampling_points.at_real, norms.zero_centred, logit, 0.0)
R2 = GradientPenalty(sampling_points.at_fake, norms.zero_centred, logit, 0.0)


def test_r3gans_discriminator_loss_is_pairing_with_half_gamma_r1_and_r2():
    expected, toy = golden("r3gan/discriminator_loss_4"), toy_critic()
    r1, r2 = (penalty(toy.critic, toy.real, toy.fake, {}) for penalty in (R1, R2))
    assert r1.item() == pytest.approx(sum(expected["r1"]) / 3, rel=1e-9)
    assert r2.item() == pytest.approx(sum(expected["r2"]) / 3, rel=1e-9)
    adversarial = pairing.discriminator_loss(toy.critic(toy.real), toy.critic(toy.fake))
    loss = adversarial + 0.5 / 2 * (r1 + r2)
    loss.backward()
    assert loss.item() == pytest.approx(expected["loss"], rel=1e-9)
    assert toy.score.grad.tolist() == pytest.approx(expected["grad_a"], rel=1e-9)
    assert toy.weight.grad[0].tolist() == pytest.approx(expected["grad_W_first_row"], rel=1e-9)
    assert toy.weight.grad.norm().item() == pytest.approx(expected["grad_W_norm"], rel=1e-9)


def test_studiogans_r1_has_the_half_inside():
    expected, toy = golden("r1/studiogan_4"), toy_critic()
    half = R1(toy.critic, toy.real, toy.fake, {}) / 2
    (slope,) = torch.autograd.grad(half, toy.weight)
    assert half.item() == pytest.approx(expected["value"], rel=1e-9)
    assert slope.norm().item() == pytest.approx(expected["grad_W_norm"], rel=1e-9)


def test_two_sided_mean_and_maximum_of_the_same_gradients():
    """The entry mixes alpha real + (1 - alpha) fake: our mix is 1 - alpha."""
    expected, toy = golden("penalty/gp_and_max_4"), toy_critic()
    draws = {"mix": 1 - torch.tensor([0.2, 0.5, 0.9], dtype=torch.float64)}
    asked = {norms.two_sided: expected["gp"], maximum: expected["max_squared_norm"]}
    for ask, value in asked.items():
        penalty = GradientPenalty(sampling_points.interpolated, ask, logit, 0.0)
        found = penalty(toy.critic, toy.real, toy.fake, draws)
        assert found.item() == pytest.approx(value, rel=1e-9)


def test_the_maximum_couples_samples_and_has_the_slope_of_the_largest():
    norm = torch.tensor([1.0, 3.0, 2.0], requires_grad=True)
    maximum(norm).backward()
    assert norm.grad.tolist() == [0, 6, 0]
    assert is_coupled(maximum) and not is_coupled(norms.zero_centred)


def test_the_orthogonal_penalty_has_twice_the_codes_gradient():
    expected = golden("orthogonal_regularisation/4x6")
    matrix = fill(4, 6, step=0.3).requires_grad_()
    kernel = fill(4, 6, 2, 2, step=0.3, phase=0.5).requires_grad_()
    bias = fill(4, step=0.3).requires_grad_()
    (1e-4 / 2 * weights.orthogonal([matrix, kernel, bias])).backward()
    assert matrix.grad[0].tolist() == pytest.approx(expected["w_grad_first_row"], rel=1e-9)
    assert matrix.grad.norm().item() == pytest.approx(expected["w_grad_norm"], rel=1e-9)
    assert kernel.grad.norm().item() == pytest.approx(expected["kernel_grad_norm"], rel=1e-9)
    assert bias.grad is None
    rotation = torch.tensor([[0.6, -0.8], [0.8, 0.6]], dtype=torch.float64)
    assert weights.orthogonal([3 * rotation]).item() == pytest.approx(0.0, abs=1e-20)


def test_l2_is_the_mean_over_matrices_of_half_the_squares():
    parameters = [torch.tensor([[1.0, 2.0]]), torch.tensor([7.0]), torch.full((1, 1, 1, 2), 3.0)]
    assert weights.l2(parameters).item() == (5 / 2 + 18 / 2) / 2
    with pytest.raises(ValueError, match="has none"):
        weights.l2([torch.ones(3)])
