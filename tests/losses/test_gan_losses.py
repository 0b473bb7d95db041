"""Values and slopes of the adversarial losses against their closed forms."""

import math

import pytest
import torch

from bench.losses import hinge, least_squares, minimax, nonsaturating, wasserstein

T = torch.tensor


def slope(loss, at: float) -> float:
    logits = T([at], dtype=torch.float64, requires_grad=True)
    loss(logits).backward()
    return logits.grad.item()


def sigmoid(t: float) -> float:
    return 1 / (1 + math.exp(-t))


def test_minimax_discriminator_is_two_log_two_when_it_cannot_tell():
    assert minimax.discriminator_loss(T([0.0, 0.0]), T([0.0])).item() == pytest.approx(
        2 * math.log(2), rel=1e-6
    )


@pytest.mark.parametrize("t", [-3.0, 0.0, 2.0])
def test_minimax_generator_fades_and_nonsaturating_does_not(t):
    """d/dt log(1 - s(t)) = -s(t); d/dt -log s(t) = s(t) - 1."""
    assert slope(minimax.generator_loss, t) == pytest.approx(-sigmoid(t), rel=1e-12)
    assert slope(nonsaturating.generator_loss, t) == pytest.approx(sigmoid(t) - 1, rel=1e-12)


def test_sure_discriminator_leaves_the_nonsaturating_generator_a_slope_in_float32():
    logits = T([-200.0], requires_grad=True)
    nonsaturating.generator_loss(logits).backward()
    assert logits.grad.item() == pytest.approx(-1.0, abs=1e-6)


def test_minimax_is_symmetric_under_swapping_real_and_fake_with_sign():
    real, fake = torch.randn(7, dtype=torch.float64), torch.randn(7, dtype=torch.float64)
    assert minimax.discriminator_loss(real, fake).item() == pytest.approx(
        minimax.discriminator_loss(-fake, -real).item(), rel=1e-12
    )


def test_least_squares_on_logits_and_on_the_sigmoid():
    real, fake = T([2.0, 0.0]), T([1.0])
    on_logits = least_squares.discriminator_loss(real, fake, of=least_squares.logit)
    assert on_logits.item() == pytest.approx(((1 + 1) / 2 + 1) / 2)
    s = [sigmoid(t) for t in (2.0, 0.0, 1.0)]
    expected = (((s[0] - 1) ** 2 + (s[1] - 1) ** 2) / 2 + s[2] ** 2) / 2
    on_sigmoid = least_squares.discriminator_loss(real, fake, of=torch.sigmoid)
    assert on_sigmoid.item() == pytest.approx(expected, rel=1e-6)
    assert least_squares.generator_loss(T([3.0]), of=least_squares.logit).item() == 2.0
    assert least_squares.discriminator_loss(T([0.0]), T([0.0]), of=torch.sigmoid).item() == 0.25


def test_wasserstein_is_the_difference_of_means():
    assert wasserstein.discriminator_loss(T([1.0, 3.0]), T([5.0])).item() == 3.0
    assert wasserstein.generator_loss(T([1.0, 4.0])).item() == -2.5


def test_hinge_is_flat_beyond_the_margin():
    assert hinge.discriminator_loss(T([0.0]), T([0.0])).item() == 2.0
    assert hinge.discriminator_loss(T([1.5]), T([-1.0])).item() == 0.0
    assert hinge.discriminator_loss(T([0.5]), T([0.5])).item() == 2.0


@pytest.mark.parametrize("label", [0.7, 0.9, 1.0])
def test_smoothed_labels_move_the_best_discriminator_to_a_p_over_p_plus_q(label):
    """Where p_r : p_g is 3 : 1 the loss is least at D = 3 a / 4: no slope there, and only there."""
    smoothed = minimax.SmoothedDiscriminatorLoss(label)

    def at(d: float) -> float:
        logit = T([math.log(d / (1 - d))], dtype=torch.float64, requires_grad=True)
        (4 * (0.75 * smoothed(logit, T([-80.0])) + 0.25 * smoothed(T([80.0]), logit))).backward()
        return logit.grad.item()

    best = 3 * label / 4
    assert at(best) == pytest.approx(0, abs=1e-12)
    assert at(best - 0.01) < -1e-3 and at(best + 0.01) > 1e-3


def test_a_label_of_one_is_the_plain_loss_and_a_smoothed_one_is_bounded_below_by_its_entropy():
    real, fake = T([0.3, -2.0], dtype=torch.float64), T([1.5], dtype=torch.float64)
    plain = minimax.discriminator_loss(real, fake).item()
    assert minimax.SmoothedDiscriminatorLoss(1.0)(real, fake).item() == pytest.approx(plain)
    entropy = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1))
    sure = minimax.SmoothedDiscriminatorLoss(0.9)(T([math.log(9)]), T([-40.0]))
    assert sure.item() == pytest.approx(entropy, rel=1e-6)


@pytest.mark.parametrize("bad", [0.0, 1.1, -0.1, math.nan])
def test_a_label_that_is_no_probability_is_refused(bad):
    with pytest.raises(ValueError, match="label_smoothing"):
        minimax.SmoothedDiscriminatorLoss(bad)
