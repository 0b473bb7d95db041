import numpy as np
import pytest
from hypothesis import given, settings
from random_measures import measures
from scipy.spatial.distance import cdist

from bench.divergences import (
    Measure,
    extension,
    kantorovich_rubinstein,
    lipschitz_constant,
    transport,
    wasserstein,
)


@settings(max_examples=60, deadline=None)
@given(measures())
def test_has_the_value_of_the_primal_with_slope_one(two):
    found = kantorovich_rubinstein(*two)
    size = np.ptp(found.points, axis=0).max()
    assert found.value == pytest.approx(wasserstein(*two, 1), abs=1e-9 * (1 + size))
    rises = np.abs(found.values[:, None] - found.values)
    assert (rises - cdist(found.points, found.points)).max() <= 1e-14 * (1 + size)


def test_two_points_by_hand():
    """delta(3) against delta(0): f rises by 3 towards the real side, mu."""
    mu, nu = Measure.of(np.array([[3.0]])), Measure.of(np.array([[0.0]]))
    value, points, values = kantorovich_rubinstein(mu, nu)
    assert value == pytest.approx(3)
    np.testing.assert_array_equal(points, [[0], [3]])
    np.testing.assert_allclose(values[1] - values[0], 3)
    assert kantorovich_rubinstein(mu, mu).value == 0


def segments(seed=0):
    """Coupled pairs of 25 and 25 points, and the optimal critic between them."""
    rng = np.random.default_rng(seed)
    mu, nu = Measure.of(rng.normal(size=(25, 2))), Measure.of(rng.normal(size=(25, 2)) + 2)
    rows, columns = np.nonzero(transport(mu, nu, 1).coupling)
    return mu.points[rows], nu.points[columns], kantorovich_rubinstein(mu, nu)


def test_every_optimal_critic_is_linear_on_the_segments_of_the_coupling():
    """T16: the largest and the smallest extension agree there, and all others lie between them."""
    real, fake, critic = segments()
    ends = extension(critic.points, critic.values, fake, largest=True)
    for t in (0.1, 0.5, 0.9):
        at = fake + t * (real - fake)
        expected = ends + t * np.linalg.norm(real - fake, axis=1)
        for largest in (True, False):
            found = extension(critic.points, critic.values, at, largest=largest)
            np.testing.assert_allclose(found, expected, atol=1e-9)


def test_the_gradient_there_has_norm_one_and_points_at_the_real_side():
    """Central differences of a critic between both extensions; the slide has the opposite sign."""
    real, fake, critic = segments()
    middle, step = (real + fake) / 2, 1e-6

    def value(at):
        both = [extension(critic.points, critic.values, at, largest=x) for x in (True, False)]
        return sum(both) / 2

    gradient = np.stack(
        [(value(middle + e) - value(middle - e)) / (2 * step) for e in step * np.eye(2)], axis=1
    )
    towards = (real - fake) / np.linalg.norm(real - fake, axis=1, keepdims=True)
    np.testing.assert_allclose(np.linalg.norm(gradient, axis=1), 1, atol=1e-4)
    np.testing.assert_allclose(gradient, towards, atol=1e-3)


@settings(deadline=None)
@given(measures(1))
def test_extensions_keep_the_values_and_the_slope(one):
    points = np.unique(one[0].points, axis=0)
    values = 0.9 * np.linalg.norm(points - 0.3, axis=1)
    at = np.random.default_rng(0).normal(size=(20, points.shape[1]))
    low, high = (extension(points, values, at, largest=x) for x in (False, True))
    assert (low <= 0.9 * np.linalg.norm(at - 0.3, axis=1) + 1e-12).all()
    assert (high >= 0.9 * np.linalg.norm(at - 0.3, axis=1) - 1e-12).all()
    for largest, found in ((False, low), (True, high)):
        kept = extension(points, values, points, largest=largest)
        np.testing.assert_allclose(kept, values, atol=1e-12)
        assert lipschitz_constant(at, found) <= 1 + 1e-9


def test_lipschitz_constant():
    points = np.array([[0.0, 0], [3, 4], [0, 0]])
    assert lipschitz_constant(points, np.array([0.0, 10, 0])) == pytest.approx(2)
    assert lipschitz_constant(points, np.array([0.0, 10, 1])) == np.inf
    assert lipschitz_constant(points[:1], np.zeros(1)) == 0


def test_refuses():
    one, two = Measure.of(np.zeros((1, 1))), Measure.of(np.zeros((1, 2)))
    with pytest.raises(ValueError, match="one dimension"):
        kantorovich_rubinstein(one, two)
    with pytest.raises(ValueError, match=r"values \[K\]"):
        lipschitz_constant(np.zeros((2, 1)), np.zeros(3))
    with pytest.raises(ValueError, match="NaN"):
        extension(np.zeros((1, 1)), np.array([np.nan]), np.zeros((1, 1)), largest=True)
    with pytest.raises(ValueError, match="finite places"):
        extension(np.zeros((1, 1)), np.zeros(1), np.zeros((1, 2)), largest=True)
