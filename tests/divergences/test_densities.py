from math import inf, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, laplace, norm, uniform

from bench.divergences import (
    density_js,
    density_kl,
    density_tv,
    game_value,
    optimal_discriminator,
    optimal_logit,
)

MEANS, DEVIATIONS = st.floats(-4, 4), st.floats(0.3, 3)
EVEN, HALF = uniform(0, 1).logpdf, uniform(0, 0.5).logpdf


def test_uniform_densities_by_hand():
    """U[0, 1/2] and U[0, 1]: KL ln 2 and infinity, TV 1/2, JS = (3/2) ln 2 - (3/4) ln 3."""
    assert density_kl(HALF, EVEN, -1, 2).value == pytest.approx(log(2))
    assert density_kl(EVEN, HALF, -1, 2).value == inf
    assert density_tv(EVEN, HALF, -1, 2).value == pytest.approx(0.5)
    # m is 3/2 on the half and 1/2 beyond it
    expected = (log(2 / 1.5) + 0.5 * log(1 / 1.5) + 0.5 * log(2)) / 2
    assert density_js(EVEN, HALF, -1, 2).value == pytest.approx(expected)


def test_densities_that_fall_to_zero_at_an_end():
    """KL(U, Beta(2, 2)) = -int ln 6x(1 - x) = 2 - ln 6."""
    assert density_kl(EVEN, beta(2, 2).logpdf, 0, 1).value == pytest.approx(2 - log(6))


def test_laplace_by_hand():
    """KL between Laplace(0, 1) and Laplace(d, 1): d + e^-d - 1."""
    for d in (0.5, 3.0):
        found = density_kl(laplace(0, 1).logpdf, laplace(d, 1).logpdf, -40, 45)
        assert found.value == pytest.approx(d + np.exp(-d) - 1, abs=1e-9)


def test_far_out_where_floating_point_has_no_density():
    """100^2 / 2 for unit Gaussians 100 apart, whose densities underflow at each other's centres."""
    p, q = norm(0, 1).logpdf, norm(100, 1).logpdf
    assert density_kl(p, q, -15, 115).value == pytest.approx(5000)
    assert density_js(p, q, -15, 115).value == pytest.approx(log(2))
    assert density_tv(p, q, -15, 115).value == pytest.approx(1)


@settings(max_examples=25, deadline=None)
@given(MEANS, DEVIATIONS, MEANS, DEVIATIONS)
def test_inequalities_and_the_game(m, s, n, t):
    """Pinsker, JS <= ln 2 TV, TV^2 / 2 <= JS; V(D*) = 2 JS - 2 ln 2 (T2)."""
    p, q, ends = norm(m, s).logpdf, norm(n, t).logpdf, (-50, 50)
    js, tv = density_js(p, q, *ends), density_tv(p, q, *ends)
    assert 2 * tv.value**2 <= density_kl(p, q, *ends).value + 1e-9
    assert tv.value**2 / 2 - 1e-8 <= js.value <= log(2) * tv.value + 1e-8
    assert min(js.value, density_kl(p, q, *ends).value) >= 0
    assert js.value == pytest.approx(density_js(q, p, *ends).value, abs=1e-10)
    assert 0 <= js.error < 1e-9 and 0 <= tv.error < 1e-9
    found = game_value(p, q, lambda x: optimal_logit(p, q, x), *ends)
    assert found.value == pytest.approx(2 * js.value - 2 * log(2), abs=1e-9)


def test_the_game_at_its_ends():
    """-2 ln 2 = -1.386294 where the densities agree, 0 where they are disjoint."""
    p, far = norm(0, 1).logpdf, uniform(2, 1).logpdf

    def value(real, fake):
        return game_value(real, fake, lambda x: optimal_logit(real, fake, x), -10, 10).value

    assert value(p, p) == pytest.approx(-1.386294361)
    assert value(EVEN, far) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("wrong", [0.1, -0.1, 2.0])
def test_no_discriminator_exceeds_the_optimal_one(wrong):
    p, q = norm(0, 1).logpdf, norm(1, 2).logpdf
    best = game_value(p, q, lambda x: optimal_logit(p, q, x), -30, 30).value
    moved = game_value(p, q, lambda x: optimal_logit(p, q, x) + wrong, -30, 30).value
    tilted = game_value(p, q, lambda x: (1 + wrong) * optimal_logit(p, q, x), -30, 30).value
    assert max(moved, tilted) < best - 1e-4


def test_optimal_discriminator():
    """3/4 where the data are three times as dense; its logit is linear for equal variances."""
    at = np.linspace(-3, 5, 9)
    p, q = norm(0, 1), norm(2, 1)
    expected = p.pdf(at) / (p.pdf(at) + q.pdf(at))
    np.testing.assert_allclose(optimal_discriminator(p.logpdf, q.logpdf, at), expected)
    np.testing.assert_allclose(optimal_logit(p.logpdf, q.logpdf, at), 2 - 2 * at, atol=1e-12)
    np.testing.assert_array_equal(
        optimal_discriminator(EVEN, HALF, np.array([0.25, 0.75, 3])), [1 / 3, 1, np.nan]
    )


@pytest.mark.parametrize("function", [density_kl, density_js, density_tv])
def test_refuses_densities_of_another_mass(function):
    p = norm(0, 1).logpdf
    with pytest.raises(ValueError, match="a mass of 1 between -1 and 1 wanted, found 0.68"):
        function(p, p, -1, 1)
    with pytest.raises(ValueError, match="a mass of 1"):
        function(p, norm(0.123, 1e-9).logpdf, -10, 10)  # between all nodes
    with pytest.raises(ValueError, match="low < high"):
        function(p, p, 1, -1)
    with pytest.raises(ValueError, match="NaN"):
        function(p, lambda x: np.full_like(x, np.nan), -10, 10)
