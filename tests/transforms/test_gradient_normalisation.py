"""Gradient normalisation against its code, and in the passes of both players."""

import pytest
import torch
from golden_values import golden, toy_critic
from torch.func import grad, vmap
from torch.fx.experimental.proxy_tensor import make_fx

from bench.core.batch import Batch
from bench.transforms.gradient_normalisation import GradientNormalisation


def normalised(toy, samples: torch.Tensor) -> torch.Tensor:
    critic = GradientNormalisation()(lambda batch: toy.critic(batch.samples))
    return critic(Batch(samples))


def test_logits_and_their_slope_in_the_weights_are_the_codes():
    expected, toy = golden("gradient_normalisation/4"), toy_critic()
    logits = normalised(toy, toy.real)
    logits.sum().backward()
    assert logits.tolist() == pytest.approx(expected["f_hat"], rel=1e-9)
    assert toy.weight.grad.norm().item() == pytest.approx(expected["grad_of_sum_W_norm"], rel=1e-9)
    assert toy.score.grad.tolist() == pytest.approx(expected["grad_of_sum_a"], rel=1e-9)


def test_a_linear_critic_of_slope_s_has_f_over_s_plus_f():
    critic = GradientNormalisation()(lambda batch: 3 * batch.samples[:, 0])
    found = critic(Batch(torch.tensor([[2.0], [-1.0], [0.0]], dtype=torch.float64)))
    assert found.tolist() == pytest.approx([6 / 9, -3 / 6, 0.0], rel=1e-12)


def test_the_slope_of_images_is_that_of_the_stated_range_and_points_have_none():
    # f = 3 x: slope 3 for pixels in [0, 1], 1.5 for the same pixels in [-1, 1]
    ranged = GradientNormalisation(pixel_range=[-1, 1])
    image, point = torch.full((1, 1, 1, 1), 2.0), torch.full((1, 1), 2.0)
    assert ranged(lambda batch: 3 * batch.samples.flatten())(Batch(image)).item() == pytest.approx(
        0.8
    )
    assert ranged(lambda batch: 3 * batch.samples.flatten())(Batch(point)).item() == pytest.approx(
        2 / 3
    )
    with pytest.raises(ValueError, match="two numbers, black below white"):
        GradientNormalisation(pixel_range=[1, -1])


def test_other_outputs_of_a_discriminator_stay():
    critic = GradientNormalisation()(
        lambda batch: {"logits": 3 * batch.samples[:, 0], "embedding": batch.samples}
    )
    found = critic(Batch(torch.tensor([[2.0], [-1.0]])))
    assert found["logits"].tolist() == pytest.approx([6 / 9, -3 / 6])
    assert found["embedding"].tolist() == [[2.0], [-1.0]]


def test_under_autocast_logits_and_slope_are_float32():
    net = torch.nn.Linear(3, 1)
    critic = GradientNormalisation()(lambda batch: net(batch.samples).squeeze(1))
    expected = critic(Batch(torch.ones(2, 3)))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(critic(Batch(torch.ones(2, 3))), expected)


def test_the_generators_step_goes_through_both_derivatives():
    toy = toy_critic()
    fake = toy.fake[:, :, :1, :1].clone().requires_grad_()  # few numbers, differentiated one by one
    rest = toy.fake.clone()

    def logits(corner):
        return normalised(toy, torch.cat([corner, rest.flatten(2)[:, :, 1:, None]], 2))

    torch.autograd.gradcheck(logits, fake)


def test_inside_grad_under_vmap_and_in_a_trace_it_is_that_of_each_replica():
    """A gradient penalty of a normalised critic takes third derivatives."""
    toy = toy_critic()
    weights = torch.stack([toy.weight.detach(), 2 * toy.weight.detach(), -toy.weight.detach()])
    score, samples = toy.score.detach(), toy.real

    def penalty(weight):
        critic = GradientNormalisation()(
            lambda batch: torch.tanh(batch.samples.flatten(1) @ weight.T) @ score
        )
        slope = grad(lambda x: critic(Batch(x)).sum())(samples)
        return slope.square().flatten(1).sum(1).mean()

    packed = vmap(grad(penalty))(weights)
    alone = torch.stack([grad(penalty)(weights[r]) for r in range(3)])
    assert torch.allclose(packed, alone, rtol=1e-10)
    traced = make_fx(vmap(grad(penalty)))(weights)
    assert torch.allclose(traced(weights / 3), vmap(grad(penalty))(weights / 3), rtol=1e-12)
