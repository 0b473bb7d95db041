from math import inf, log, pi, sqrt

import numpy as np
import pytest
from scipy.stats import norm

from bench.divergences import (
    Measure,
    binned,
    density_js,
    density_tv,
    js,
    kl,
    nearest_kl,
    tv,
    wasserstein,
    wasserstein_line,
)


def test_cells_by_hand():
    """Width 1: [-1, 0), [0, 1), [1, 2); 1 itself belongs to the last."""
    found = binned(np.array([[-0.2], [0], [0.9], [1]]), 1.0)
    np.testing.assert_array_equal(found.points, [[-0.5], [0.5], [1.5]])
    np.testing.assert_array_equal(found.weights, [0.25, 0.5, 0.25])
    square = binned(np.array([[0.1, 0.1], [0.1, 0.7]]), 0.5)
    np.testing.assert_allclose(square.points, [[0.25, 0.25], [0.25, 0.75]])


def test_plug_in_of_many_samples_is_near_the_truth():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200_000, 1)), rng.normal(size=(200_000, 1)) + 1
    p, q = norm(0, 1).logpdf, norm(1, 1).logpdf
    one, other = binned(x, 0.1), binned(y, 0.1)
    assert js(one, other) == pytest.approx(density_js(p, q, -12, 12).value, abs=0.003)
    assert tv(one, other) == pytest.approx(density_tv(p, q, -12, 12).value, abs=0.01)


def test_bias_between_samples_of_one_distribution():
    """20 cells, n = 1000 and m = 500: (K - 1)(1/n + 1/m) / 8, and sum sqrt(p(1 - p)(..) / 2 pi)."""
    rng = np.random.default_rng(0)
    pairs = [
        (binned(rng.random((1000, 1)), 0.05), binned(rng.random((500, 1)), 0.05))
        for _ in range(200)
    ]
    size = 1 / 1000 + 1 / 500
    assert np.mean([js(*pair) for pair in pairs]) == pytest.approx(19 * size / 8, rel=0.05)
    expected = 20 * sqrt(0.05 * 0.95 * size / (2 * pi))
    assert np.mean([tv(*pair) for pair in pairs]) == pytest.approx(expected, rel=0.03)


def test_small_cells_see_no_common_point_even_at_theta_zero():
    """T3: two samples of one line, TV 1, KL infinite, JS ln 2; W1 small and positive."""
    rng = np.random.default_rng(0)
    x, y = (np.stack([np.zeros(200), rng.random(200)], axis=1) for _ in range(2))
    one, other = binned(x, 1e-9), binned(y, 1e-9)
    assert (tv(one, other), kl(one, other)) == (1, inf)
    assert js(one, other) == pytest.approx(log(2))
    assert 0 < wasserstein(Measure.of(x), Measure.of(y), 1) < 0.15


def test_bias_of_w1_between_samples_of_one_line():
    """2 / sqrt(pi n) int sqrt(u (1 - u)) = sqrt(pi / n) / 4, to leading order."""
    rng, n = np.random.default_rng(0), 400
    found = [
        wasserstein_line(Measure.of(rng.random((n, 1))), Measure.of(rng.random((n, 1))), 1)
        for _ in range(400)
    ]
    assert np.mean(found) == pytest.approx(sqrt(pi / n) / 4, rel=0.06)


def test_w1_of_samples_is_too_large_on_average_and_near_the_truth_when_far():
    """Parallel lines at theta = 1/2: at least 1/2, each, since every step crosses the gap."""
    rng = np.random.default_rng(0)
    for _ in range(5):
        x = Measure.of(np.stack([np.zeros(100), rng.random(100)], axis=1))
        y = Measure.of(np.stack([np.full(100, 0.5), rng.random(100)], axis=1))
        assert 0.5 <= wasserstein(x, y, 1) < 0.55


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize(("dimensions", "shift"), [(1, 0.0), (1, 1.0), (2, 1.0)])
def test_nearest_neighbours_against_gaussians(k, dimensions, shift):
    """KL of unit Gaussians a shift apart in one coordinate: shift^2 / 2."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4000, dimensions)), rng.normal(size=(5000, dimensions))
    y[:, 0] += shift
    assert nearest_kl(x, y, k=k) == pytest.approx(shift**2 / 2, abs=0.08)


def test_nearest_neighbours_are_too_low_where_kl_is_large():
    """The docstring's 6.9 for 12.5, unit Gaussians 5 apart."""
    rng = np.random.default_rng(0)
    found = nearest_kl(rng.normal(size=(1000, 1)), rng.normal(size=(1000, 1)) + 5, k=1)
    assert found == pytest.approx(6.9, abs=1)


def test_nearest_neighbours_by_hand():
    """x = 0, 1, 3 to y = 2, 5: rho = 1, 1, 2, nu = 2, 1, 1; ln 2 + 0 - ln 2 over 3, ln(2 / 2)."""
    x, y = np.array([[0.0], [1], [3]]), np.array([[2.0], [5]])
    assert nearest_kl(x, y, k=1) == pytest.approx(0, abs=1e-15)
    assert nearest_kl(x, np.array([[4.0], [5]]), k=1) == pytest.approx(
        (log(4) + log(3) - log(2)) / 3
    )
    far = nearest_kl(10 * x, 10 * y, k=1)
    assert far == pytest.approx(nearest_kl(x, y, k=1), abs=1e-15)


def test_refuses():
    good = np.arange(4.0)[:, None]
    for width in (0, -1, np.nan, inf):
        with pytest.raises(ValueError, match="width above 0"):
            binned(good, width)
    with pytest.raises(ValueError, match="too small"):
        binned(good, 1e-300)
    for bad in (np.zeros((0, 1)), np.zeros(3), np.full((2, 1), np.nan)):
        with pytest.raises(ValueError, match="finite points"):
            binned(bad, 1.0)
    with pytest.raises(ValueError, match="one dimension"):
        nearest_kl(good, np.zeros((4, 2)), k=1)
    for k in (0, 4):
        with pytest.raises(ValueError, match="k from 1 to 3"):
            nearest_kl(good, good + 0.5, k=k)
    with pytest.raises(ValueError, match="no density"):
        nearest_kl(good, good, k=1)
    with pytest.raises(ValueError, match="no density"):
        nearest_kl(np.zeros((4, 1)), good + 0.5, k=1)
