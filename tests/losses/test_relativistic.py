"""Relativistic losses against the values of the authors' codes, and their symmetries."""

import math
from functools import partial

import pytest
import torch
from golden_values import fill, golden, toy_critic

from bench.core.coupling import is_coupled
from bench.losses import pairing, relativistic_average

REAL = fill(5, step=0.9, phase=0.3, scale=2.0)
FAKE = fill(5, step=0.7, phase=1.0, scale=2.0)
AVERAGES = {
    "relativistic/6_0.9": relativistic_average.logistic,
    "relativistic/7_0.9": relativistic_average.squared,
    "relativistic/8_0.9": relativistic_average.hinge,
}


def test_pairing_is_rsgan():
    expected = golden("relativistic/5_0.9")
    assert pairing.discriminator_loss(REAL, FAKE).item() == pytest.approx(expected["d"], rel=1e-9)
    assert pairing.generator_loss(REAL, FAKE).item() == pytest.approx(expected["g"], rel=1e-9)


@pytest.mark.parametrize("name", AVERAGES)
def test_average_forms_are_the_authors(name):
    expected, of = golden(name), AVERAGES[name]
    d_loss = relativistic_average.discriminator_loss(REAL, FAKE, of=of)
    g_loss = relativistic_average.generator_loss(REAL, FAKE, of=of)
    assert d_loss.item() == pytest.approx(expected["d"], rel=1e-9)
    assert g_loss.item() == pytest.approx(expected["g"], rel=1e-9)


def test_lecams_rahinge_differs_in_the_generator_alone():
    expected, of = golden("lecam/rahinge_0.9"), relativistic_average.hinge
    d_loss = relativistic_average.discriminator_loss(REAL, FAKE, of=of)
    g_loss = relativistic_average.lecam_generator_loss(REAL, FAKE, of=of)
    assert d_loss.item() == pytest.approx(expected["d_real"] + expected["d_fake"], rel=1e-9)
    assert g_loss.item() == pytest.approx(expected["g"], rel=1e-9)


def test_a_discriminator_that_cannot_tell_costs_log_two_or_one():
    same = torch.full((3,), 1.7, dtype=torch.float64)
    assert pairing.discriminator_loss(same, same).item() == pytest.approx(math.log(2), rel=1e-12)
    expected = {"logistic": math.log(2), "squared": 1.0, "hinge": 1.0}
    for name, value in expected.items():
        of = getattr(relativistic_average, name)
        found = relativistic_average.discriminator_loss(same, same, of=of)
        assert found.item() == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("of", AVERAGES.values(), ids=lambda of: of.__name__)
def test_only_differences_of_scores_count(of):
    losses = [pairing.discriminator_loss, pairing.generator_loss]
    averages = [relativistic_average.discriminator_loss, relativistic_average.generator_loss]
    for loss in [*losses, *(partial(average, of=of) for average in averages)]:
        assert loss(REAL + 3, FAKE + 3).item() == pytest.approx(loss(REAL, FAKE).item(), rel=1e-12)


def test_averages_couple_samples_and_pairs_do_not():
    """A sample's slope depends on the others' scores, or does not."""

    def slope(loss, others):
        real = REAL.clone().requires_grad_()
        loss(real, torch.cat([FAKE[:1], FAKE[1:] + others])).backward()
        return real.grad[0].item()

    average = partial(relativistic_average.discriminator_loss, of=relativistic_average.logistic)
    assert slope(pairing.discriminator_loss, 0) == slope(pairing.discriminator_loss, 1)
    assert slope(average, 0) != pytest.approx(slope(average, 1), abs=1e-3)
    assert is_coupled(average) and not is_coupled(pairing.discriminator_loss)
    assert is_coupled(relativistic_average.generator_loss)


def test_r3gans_generator_moves_samples_as_in_its_code():
    expected, toy = golden("r3gan/generator_loss_4"), toy_critic()
    fake = toy.fake.requires_grad_()
    loss = pairing.generator_loss(toy.critic(toy.real), toy.critic(fake))
    (slope,) = torch.autograd.grad(loss, fake)
    assert loss.item() == pytest.approx(sum(expected["adversarial"]) / 3, rel=1e-9)
    assert slope[0].flatten().tolist() == pytest.approx(expected["grad_fake_0"], rel=1e-9)
