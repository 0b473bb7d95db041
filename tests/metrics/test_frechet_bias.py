"""Bias of the Frechet distance of finite samples, and its extrapolation to infinitely many."""

import numpy as np
import pytest

from bench.metrics.frechet import (
    expected_bias,
    frechet_distance,
    frechet_infinity,
    intercept,
    moments,
)


def cloud(seed, n=40, width=5):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, width)) @ rng.normal(size=(width, width)) + rng.normal(size=width)


def rotation(seed, width):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(width, width)))[0]


def simulated(cov, n, m, replicates, seed=0):
    """Distances between samples of one Gaussian: mean and its standard error."""
    rng, root = np.random.default_rng(seed), np.linalg.cholesky(cov)
    mean = np.arange(len(cov))
    found = []
    for _ in range(replicates):
        sides = [
            moments(rng.normal(size=(size, len(cov))) @ root.T + mean) for size in (n, m) if size
        ]
        found.append(frechet_distance(*sides[0], *(sides[1] if m else (mean, cov))))
    return np.mean(found), np.std(found) / replicates**0.5


def test_bias_of_the_unit_matrix_and_of_one_feature():
    """F / n + F (F + 1) / 4 / (n - 1); with one feature of variance l, l / n + l / 2 / (n - 1)."""
    assert expected_bias(np.eye(8), 101, None) == pytest.approx(8 / 101 + 18 / 100, rel=1e-12)
    assert expected_bias(np.array([[3.0]]), 11, None) == pytest.approx(3 / 11 + 3 / 20, rel=1e-12)


def test_bias_of_two_features_by_hand():
    """Eigenvalues 1 and 3: means 4, diagonal 1/2 + 3/2, twice 3 / 4 / 2 off it."""
    turn = rotation(0, 2)
    cov = (turn * [1.0, 3.0]) @ turn.T
    expected = 4 / 21 + (2 + 0.75) / 20
    assert expected_bias(cov, 21, None) == pytest.approx(expected, rel=1e-12)
    assert expected_bias(cov, 21, 21) == pytest.approx(2 * expected, rel=1e-12)
    assert expected_bias(5 * cov, 21, 11) == pytest.approx(
        5 * (expected + 4 / 11 + 2.75 / 10), rel=1e-12
    )


def test_features_without_variance_add_no_bias():
    cov = np.diag([2.0, 1.0])
    wide = np.zeros((5, 5))
    wide[:2, :2] = cov
    assert expected_bias(wide, 100, 50) == pytest.approx(expected_bias(cov, 100, 50), rel=1e-12)
    assert expected_bias(np.zeros((3, 3)), 10, None) == 0


@pytest.mark.parametrize("sizes", [(250, None), (500, None), (1000, None), (500, 1000), (500, 500)])
def test_bias_is_the_mean_distance_of_samples_of_one_gaussian(sizes):
    """To 4 standard errors, of 1.5 % each: the growth as 1/n and both sides' shares."""
    turn = rotation(1, 6)
    cov = (turn * np.linspace(1, 4, 6)) @ turn.T
    mean, error = simulated(cov, *sizes, replicates=600)
    expected = expected_bias(cov, *sizes)
    assert error < 0.015 * expected
    assert mean == pytest.approx(expected, abs=4 * error)


@pytest.mark.parametrize("sizes", [(1, None), (5, 1), (0, 0)])
def test_bias_refuses_sizes_without_a_covariance(sizes):
    with pytest.raises(ValueError, match="sizes"):
        expected_bias(np.eye(2), *sizes)


def test_bias_refuses_a_covariance_that_is_not_finite():
    with pytest.raises(ValueError, match="NaN"):
        expected_bias(np.full((2, 2), np.nan), 5, 5)


def test_intercept_of_an_exact_line_and_of_any():
    sizes = [100, 125, 200, 500]
    assert intercept(sizes, [3 + 50 / n for n in sizes]) == pytest.approx(3, rel=1e-12)
    assert intercept([10, 20], [5.0, 1.0]) == pytest.approx(-3, rel=1e-12)
    values = [1.0, 4.0, 2.0, 8.0]
    expected = np.polyfit(1 / np.array(sizes), values, 1)[1]
    assert intercept(sizes, values) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_infinity_is_nearer_to_the_true_distance(seed):
    """Of two known Gaussians, with exact statistics of the reference."""
    width, rng = 24, np.random.default_rng(seed)
    turn = rotation(0, width)
    fake_cov, shift = (turn * np.linspace(0.5, 2, width)) @ turn.T, np.full(width, 0.05)
    true = frechet_distance(np.zeros(width), np.eye(width), shift, fake_cov)
    fake = rng.normal(size=(1000, width)) @ np.linalg.cholesky(fake_cov).T + shift
    plain = frechet_distance(np.zeros(width), np.eye(width), *moments(fake))
    sizes = np.linspace(200, 1000, 9).astype(int)
    found = frechet_infinity(np.zeros(width), np.eye(width), fake, sizes=sizes, rng=rng)
    assert abs(found - true) < 0.7 * abs(plain - true)


def test_infinity_of_all_samples_and_half_of_them_by_hand():
    """All: d; half: d'; the line meets 1/N = 0 at 2 d - d'."""
    features, (mean, cov) = cloud(0, 40), moments(cloud(1))
    half = np.random.default_rng(7).permutation(40)[:20]
    expected = 2 * frechet_distance(mean, cov, *moments(features)) - frechet_distance(
        mean, cov, *moments(features[half])
    )
    rng = np.random.default_rng(7)
    found = frechet_infinity(mean, cov, features, sizes=[20, 40], rng=rng)
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("sizes", [[], [10], [10, 10], [1, 10], [10, 41]])
def test_infinity_refuses_sizes(sizes):
    with pytest.raises(ValueError, match="sizes"):
        frechet_infinity(
            np.zeros(5), np.eye(5), cloud(0), sizes=sizes, rng=np.random.default_rng(0)
        )
