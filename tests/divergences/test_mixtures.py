from math import log

import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.stats import norm

from bench.divergences import (
    Mixture,
    density_js,
    density_kl,
    fit_forward_kl,
    fit_js,
    fit_reverse_kl,
)
from bench.divergences.mixtures import divergence_of, forward_kl, half_js, reverse_kl

FITS = [fit_forward_kl, fit_reverse_kl, fit_js]


def two(separation, weight=0.5):
    """Unit Gaussians at -separation and +separation."""
    return Mixture([weight, 1 - weight], [-separation, separation], [1, 1])


@pytest.mark.parametrize("fit", FITS)
def test_one_gaussian_is_found(fit):
    for mixture in (Mixture([1], [2], [3]), Mixture([0.3, 0.7, 0], [2, 2, 9], [3, 3, 1])):
        mean, deviation, divergence = fit(mixture)
        assert (mean, deviation) == pytest.approx((2, 3), abs=1e-4)
        assert divergence == pytest.approx(0, abs=1e-10)


def test_forward_kl_matches_the_moments():
    """Mean 0.4 of +-2 with 0.4 and 0.6, variance 1 + 4 - 0.16; and no Gaussian nearby is better."""
    mixture = two(2, 0.4)
    mean, deviation, least = fit_forward_kl(mixture)
    assert (mean, deviation) == pytest.approx((0.4, 4.84**0.5))
    at = np.linspace(-40, 40, 100_001)
    density = np.exp(mixture.log_density(at))
    assert trapezoid(density * at, at) == pytest.approx(mean)
    assert trapezoid(density * (at - mean) ** 2, at) == pytest.approx(deviation**2)
    for m, s in ((0.01, 0), (-0.01, 0), (0, 0.01), (0, -0.01)):
        assert divergence_of(mixture, mean + m, deviation + s, forward_kl) > least


def test_divergences_agree_with_quadrature():
    mixture, model = two(2, 0.3), norm(0.5, 1.7).logpdf
    p = mixture.log_density
    found = [divergence_of(mixture, 0.5, 1.7, d) for d in (forward_kl, reverse_kl, half_js)]
    assert found == pytest.approx(
        [
            density_kl(p, model, -25, 25).value,
            density_kl(model, p, -25, 25).value,
            density_js(p, model, -25, 25).value,
        ],
        abs=1e-9,
    )


@pytest.mark.parametrize("fit", [fit_reverse_kl, fit_js])
@pytest.mark.parametrize("separation", [1.5, 3.5])
def test_no_gaussian_of_a_lattice_is_better(fit, separation):
    mixture = two(separation, 0.6)
    divergence = reverse_kl if fit is fit_reverse_kl else half_js
    least = min(
        divergence_of(mixture, m, s, divergence)
        for m in np.linspace(-5, 5, 21)
        for s in np.linspace(0.6, 5, 12)
    )
    found = fit(mixture).divergence
    assert least - 0.05 < found <= least


def test_mode_seeking_sets_in_beyond_a_separation():
    """T20: at +-1.5 reverse KL covers both modes, at +-6 it has one, ln 2 from the mixture.

    The change is at +-2.8001, to the side that comes first: there both minima are 0.68427 away.
    """
    for separation in (1.5, 2.79):
        mean, deviation, _ = fit_reverse_kl(two(separation))
        assert mean == pytest.approx(0, abs=1e-3) and deviation > 1
    for separation in (2.81,):
        mean, deviation, _ = fit_reverse_kl(two(separation))
        assert mean == pytest.approx(-separation, abs=0.04)
        assert deviation == pytest.approx(1, abs=0.05)
    assert fit_reverse_kl(two(6)).divergence == pytest.approx(log(2), abs=1e-6)


def test_reverse_kl_takes_the_largest_mode():
    """Of weight w it is -ln w away; 0.7 here."""
    for weight, side in ((0.7, -5), (0.3, 5)):
        mean, deviation, divergence = fit_reverse_kl(two(5, weight))
        assert (mean, deviation) == pytest.approx((side, 1), abs=1e-3)
        assert divergence == pytest.approx(-log(0.7), abs=1e-4)


def test_js_lies_between():
    """In deviation, while it covers both modes; beyond +-4.2447 it has one mode, too."""
    for separation in (1, 4):
        forward, reverse, middle = (
            f(two(separation)).deviation for f in (fit_forward_kl, fit_reverse_kl, fit_js)
        )
        assert reverse < middle < forward
    assert fit_js(two(4.24)).deviation > 4
    one = fit_js(two(4.25))
    assert (abs(one.mean), one.deviation) == pytest.approx((4.25, 1), abs=1e-3)
    # one of two disjoint halves: (ln 4/3 + (ln 2/3 + ln 2) / 2) / 2
    assert fit_js(two(8)).divergence == pytest.approx((log(4 / 3) + log(4 / 3) / 2) / 2, abs=1e-6)


@pytest.mark.parametrize(
    ("weights", "centres", "deviations", "message"),
    [
        ([1], [0, 1], [1, 1], "three times"),
        ([], [], [], "three times"),
        ([0.5, 0.4], [0, 1], [1, 1], "sum 1"),
        ([1.5, -0.5], [0, 1], [1, 1], "0 or more"),
        ([0.5, 0.5], [0, 1], [1, 0], "above 0"),
        ([0.5, 0.5], [0, np.nan], [1, 1], "finite"),
    ],
)
def test_no_mixture(weights, centres, deviations, message):
    with pytest.raises(ValueError, match=message):
        Mixture(weights, centres, deviations)
