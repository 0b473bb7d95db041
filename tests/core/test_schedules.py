"""Schedules against R3GAN's and R3GAN2's code, and their ends."""

import math

import pytest
from golden_values import golden

from bench.core.schedules import Cosine, InverseSquareRoot, Linear, WarmUp, at, lazy_correction

SEEN = [0, 1_000_000, 5_000_000, 10_000_000, 20_000_000, 25_000_000]


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("lr", 2e-4, 5e-5),
        ("gamma", 0.05, 0.005),
        ("beta2", 0.9, 0.99),
        ("augment_p", 0.0, 0.55),
        ("ema_half_life_images", 0.0, 5e6),
    ],
)
def test_r3gans_numbers_are_cosines_over_twenty_million_images(name, start, end):
    schedule = Cosine(start, end, 2e7)
    expected = golden("r3gan/cifar_schedules_handed")[name]
    assert [at(schedule, seen) for seen in SEEN] == pytest.approx(expected, rel=1e-9)


def test_r3gan2s_rate_warms_up_and_falls_with_the_root():
    schedule = WarmUp(InverseSquareRoot(0.01, 512_000), 1e6)
    seen = [0, 256_000, 512_000, 1_000_000, 5_000_000, 20_000_000]
    expected = golden("r3gan2/cifar_lr_handed")["lr"]
    assert [schedule(images) for images in seen] == pytest.approx(expected, rel=1e-9)


def test_linear_goes_straight_to_its_end_and_stays():
    schedule = Linear(2e-4, 0.0, 100)
    expected = [2e-4, 1.5e-4, 0.0, 0.0]
    assert [schedule(images) for images in (0, 25, 100, 101)] == pytest.approx(expected, abs=1e-18)


def test_a_constant_is_a_number_and_can_be_warmed_up():
    assert at(0.1, 12_345) == 0.1
    assert [at(WarmUp(0.1, 100), images) for images in (0, 50, 200)] == [0.0, 0.05, 0.1]


def test_schedules_are_compared_by_their_numbers():
    assert Linear(1.0, 0.0, 100) == Linear(1.0, 0.0, 100) != Linear(1.0, 0.0, 200)


def test_stylegan2s_correction_of_a_penalty_every_sixteenth_step():
    """c = 16/17: Karras et al. 2020, appendix B. An Adam of 17 steps forgets as much as of 16."""
    rate, betas = lazy_correction(0.0025, (0.0, 0.99), 16)
    assert rate == pytest.approx(0.0025 * 16 / 17, rel=1e-12)
    assert betas == (0.0, pytest.approx(0.99 ** (16 / 17), rel=1e-12))
    assert betas[1] ** 17 == pytest.approx(0.99**16, rel=1e-12)
    with pytest.raises(ValueError, match="interval"):
        lazy_correction(0.0025, (0.0, 0.99), 0)


@pytest.mark.parametrize("images", [0, -1, math.inf, math.nan, True, "100"])
def test_a_length_that_is_no_positive_number_is_refused(images):
    makers = [lambda: Linear(1.0, 0.0, images), lambda: Cosine(1.0, 0.0, images)]
    makers += [lambda: WarmUp(1.0, images), lambda: InverseSquareRoot(1.0, images)]
    for make in makers:
        with pytest.raises(ValueError, match="images"):
            make()


@pytest.mark.parametrize("end", [math.nan, math.inf, None])
def test_an_end_that_is_no_finite_number_is_refused(end):
    for kind in (Linear, Cosine):
        with pytest.raises(ValueError, match="end is"):
            kind(1.0, end, 100)
        with pytest.raises(ValueError, match="start is"):
            kind(end, 1.0, 100)
