from math import inf, log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from random_measures import measures

from bench.divergences import Measure, js, kl, on_common_points, parallel_lines, tv


def on_line(points, weights):
    return Measure(np.array(points, dtype=float)[:, None], np.array(weights, dtype=float))


def test_two_coins_by_hand():
    """(1/2, 1/2) and (1/4, 3/4): KL = ln 2 - ln 3 / 2, and ln 3 * 3/4 - ln 2; TV = 1/4."""
    fair, biased = on_line([0, 1], [0.5, 0.5]), on_line([1, 0], [0.75, 0.25])
    assert kl(fair, biased) == pytest.approx(log(2) - log(3) / 2)
    assert kl(biased, fair) == pytest.approx(0.75 * log(3) - log(2))
    assert tv(fair, biased) == pytest.approx(0.25)
    middle = on_line([0, 1], [3 / 8, 5 / 8])
    assert js(fair, biased) == pytest.approx((kl(fair, middle) + kl(biased, middle)) / 2)


def test_disjoint_supports_are_as_far_as_can_be_however_near():
    for distance in (1.0, 1e-12, 1e-300):
        here, there = on_line([0], [1]), on_line([distance], [1])
        assert (tv(here, there), kl(here, there), js(here, there)) == (1, inf, log(2))


def test_kl_knows_which_side_lacks_mass():
    """KL(mu, nu) = ln 2 where nu is even on two points and mu has one of them."""
    one, two = on_line([0, 1], [1, 0]), on_line([0, 1], [0.5, 0.5])
    assert kl(one, two) == pytest.approx(log(2))
    assert kl(two, one) == inf


def test_repeated_points_and_signed_zeros_are_one_point():
    common = on_common_points(
        on_line([0.0, -0.0, 2], [0.25, 0.25, 0.5]), on_line([2, 0], [0.5, 0.5])
    )
    np.testing.assert_array_equal(common.points, [[0], [2]])
    np.testing.assert_array_equal(common.mu, common.nu)
    plane = Measure.of(np.array([[0.0, 1], [-0.0, 1], [0, -0.0], [-0.0, 0]]))
    np.testing.assert_array_equal(on_common_points(plane, plane).points, [[0, 0], [0, 1]])


@settings(deadline=None)
@given(measures(3))
def test_inequalities(three):
    """Pinsker, JS <= ln 2 TV (Lin 1991), TV^2 / 2 <= JS, Bretagnolle-Huber, and the metrics."""
    x, y, z = three
    far, divergence, middle = tv(x, y), kl(x, y), js(x, y)
    assert far <= sqrt(divergence / 2) + 1e-12
    assert far <= sqrt(-np.expm1(-divergence)) + 1e-12
    assert far**2 / 2 - 1e-12 <= middle <= log(2) * far + 1e-12
    assert middle == pytest.approx(js(y, x), abs=1e-15) and far == pytest.approx(tv(y, x))
    assert far <= tv(x, z) + tv(z, y) + 1e-12
    assert sqrt(middle) <= sqrt(js(x, z)) + sqrt(js(z, y)) + 1e-7  # Endres and Schindelin 2003
    assert kl(x, x) == js(x, x) == tv(x, x) == 0


@settings(deadline=None)
@given(measures())
def test_where_the_points_lie_does_not_matter_to_them(two):
    x, y = two
    moved, also = (Measure(3 * m.points - 1, m.weights) for m in two)
    for distance in (kl, js, tv):
        assert distance(moved, also) == pytest.approx(distance(x, y), abs=1e-14)


@settings(deadline=None)
@given(measures())
def test_total_variation_is_the_best_event(two):
    """sup_A over all events of up to 14 points: the union of points where mu exceeds nu."""
    _, p, q = on_common_points(*two)
    events = (np.arange(2 ** len(p))[:, None] >> np.arange(len(p))) & 1
    assert tv(*two) == pytest.approx((events @ (p - q)).max(), abs=1e-12)


@pytest.mark.parametrize("theta", [-3.0, -1e-9, 0.5])
def test_parallel_lines(theta):
    assert parallel_lines(theta) == (1, inf, log(2), abs(theta))


def test_parallel_lines_that_meet():
    assert parallel_lines(0) == (0, 0, 0, 0)
    with pytest.raises(ValueError, match="finite theta"):
        parallel_lines(np.nan)


@pytest.mark.parametrize(
    ("points", "weights", "message"),
    [
        (np.zeros(2), np.ones(2) / 2, r"points \[N, D\]"),
        (np.zeros((0, 2)), np.zeros(0), "one at least"),
        (np.zeros((2, 1)), np.ones(3) / 3, "one weight for each of 2"),
        (np.full((2, 1), np.nan), np.ones(2) / 2, "NaN"),
        (np.zeros((2, 1)), np.array([1, np.nan]), "NaN"),
        (np.zeros((2, 1)), np.array([1.5, -0.5]), "negative mass, -0.5"),
        (np.zeros((2, 1)), np.array([0.5, 0.4]), "sum 1, found 0.9"),
    ],
)
def test_no_measure(points, weights, message):
    with pytest.raises(ValueError, match=message):
        Measure(points, weights)


@pytest.mark.parametrize("distance", [kl, js, tv])
def test_different_dimensions(distance):
    with pytest.raises(ValueError, match="one dimension, found 1 and 2"):
        distance(Measure.of(np.zeros((2, 1))), Measure.of(np.zeros((2, 2))))


def test_no_sample():
    with pytest.raises(ValueError, match="one at least"):
        Measure.of(np.zeros((0, 1)))
