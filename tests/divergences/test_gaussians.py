from math import inf, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_measures import SEEDS
from scipy.stats import norm, ortho_group

from bench.divergences import (
    density_kl,
    density_tv,
    gaussian_kl,
    gaussian_tv,
    gaussian_tv_same_covariance,
    gaussian_w2,
    wasserstein_quantiles,
)
from bench.metrics.frechet import frechet_distance

MEANS, DEVIATIONS = st.floats(-5, 5), st.floats(0.2, 5)


def covariance(rng, dimensions):
    root = rng.normal(size=(dimensions, dimensions))
    return root @ root.T + 0.1 * np.eye(dimensions)


def test_known_values():
    """KL of N(0, 1) from N(1, 4): ln 2 + 2/8 - 1/2. TV at distance 2: 2 Phi(1) - 1. W2: sqrt 2."""
    one, four, zero = np.eye(1), 4 * np.eye(1), np.zeros(1)
    assert gaussian_kl(zero, one, zero + 1, four) == pytest.approx(log(2) - 0.25)
    assert gaussian_kl(zero, one, zero + 3, one) == pytest.approx(4.5)
    assert gaussian_tv(0, 1, 2, 1) == pytest.approx(0.682689492137)
    assert gaussian_w2(zero, one, zero + 1, four) == pytest.approx(2**0.5)
    assert gaussian_w2(np.zeros(3), np.zeros((3, 3)), np.zeros(3), np.eye(3)) == pytest.approx(
        3**0.5
    )


@settings(max_examples=40, deadline=None)
@given(MEANS, DEVIATIONS, MEANS, DEVIATIONS)
def test_agree_with_quadrature_on_the_line(m, s, n, t):
    p, q = norm(m, s).logpdf, norm(n, t).logpdf
    low, high = min(m - 12 * s, n - 12 * t), max(m + 12 * s, n + 12 * t)
    expected = density_kl(p, q, low, high).value
    found = gaussian_kl(np.array([m]), np.array([[s**2]]), np.array([n]), np.array([[t**2]]))
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-11)
    assert gaussian_tv(m, s, n, t) == pytest.approx(density_tv(p, q, low, high).value, abs=1e-9)
    assert gaussian_tv(n, t, m, s) == pytest.approx(gaussian_tv(m, s, n, t), abs=1e-12)


def test_w2_agrees_with_the_quantiles():
    for m, s, n, t in ((0, 1, 0, 3), (1, 2, -4, 0.5)):
        expected = wasserstein_quantiles(norm(m, s).ppf, norm(n, t).ppf, 2)
        found = gaussian_w2(np.array([m]), np.array([[s**2]]), np.array([n]), np.array([[t**2]]))
        assert found == pytest.approx(expected, rel=1e-8)


@settings(deadline=None)
@given(SEEDS, st.integers(1, 6))
def test_in_more_dimensions(seed, dimensions):
    """KL is invariant under any affine map, W2 under rotations; W2^2 is the Frechet distance."""
    rng = np.random.default_rng(seed)
    m, n = rng.normal(size=(2, dimensions))
    a, b, c = (covariance(rng, dimensions) for _ in range(3))
    affine = rng.normal(size=(dimensions, dimensions)) + 3 * np.eye(dimensions)
    found = gaussian_kl(m, a, n, b)
    mapped = gaussian_kl(affine @ m, affine @ a @ affine.T, affine @ n, affine @ b @ affine.T)
    if np.linalg.cond(affine) < 100:
        assert mapped == pytest.approx(found, rel=1e-6)
    assert gaussian_w2(m, a, n, b) ** 2 == pytest.approx(frechet_distance(m, a, n, b))
    assert gaussian_w2(m, a, n, b) <= gaussian_w2(m, a, m, c) + gaussian_w2(m, c, n, b) + 1e-7
    assert gaussian_kl(m, a, m, a) == pytest.approx(0, abs=1e-9)
    assert gaussian_w2(m, a, m, a) == pytest.approx(0, abs=1e-6)


def test_diagonal_covariances_add_up():
    m, n, s, t = np.array([[0.0, 1, 2], [1, -1, 2], [1, 2, 3], [2, 2, 0.5]])
    alone = [gaussian_kl(m[[i]], np.diag(s[[i]]), n[[i]], np.diag(t[[i]])) for i in range(3)]
    assert gaussian_kl(m, np.diag(s), n, np.diag(t)) == pytest.approx(sum(alone))


def test_same_covariance_is_the_line_between_the_means():
    rng = np.random.default_rng(0)
    m, n = rng.normal(size=(2, 4))
    expected = gaussian_tv(0, 1.5, np.linalg.norm(m - n), 1.5)
    assert gaussian_tv_same_covariance(m, n, 2.25 * np.eye(4)) == pytest.approx(expected)
    sheared = rng.normal(size=(4, 4))
    found = gaussian_tv_same_covariance(sheared @ m, sheared @ n, 2.25 * sheared @ sheared.T)
    assert found == pytest.approx(expected, rel=1e-6)
    assert gaussian_tv_same_covariance(m, m, np.eye(4)) == 0


def test_subspaces():
    """The same plane: KL within it; another one, a shifted one, or no plane: infinity."""
    rotation = ortho_group.rvs(3, random_state=np.random.default_rng(1))
    plane = rotation @ np.diag([1.0, 2, 0]) @ rotation.T
    other = rotation @ np.diag([2.0, 2, 0]) @ rotation.T
    zero = np.zeros(3)
    expected = gaussian_kl(np.zeros(1), np.eye(1), np.zeros(1), 2 * np.eye(1))
    assert gaussian_kl(zero, plane, zero, other) == pytest.approx(expected)
    assert gaussian_kl(zero, plane, rotation[:, 2], other) == inf
    assert gaussian_kl(zero, plane, zero, np.eye(3)) == inf
    assert gaussian_kl(zero, np.eye(3), zero, plane) == inf
    assert gaussian_kl(zero, plane, zero, np.diag([1.0, 2, 0])) == inf
    assert gaussian_tv_same_covariance(zero, rotation[:, 2], plane) == 1
    assert gaussian_kl(zero, np.zeros((3, 3)), zero, np.zeros((3, 3))) == 0
    assert gaussian_kl(zero, np.zeros((3, 3)), zero + 1, np.zeros((3, 3))) == inf


def test_deviations_that_nearly_agree():
    """The far crossing goes to infinity; the near one stays half way."""
    for apart in (1e-3, 1e-8, 1e-14):
        found = gaussian_tv(0, 1, 2, 1 + apart)
        assert found == pytest.approx(gaussian_tv(0, 1, 2, 1), abs=apart + 1e-12)
    assert gaussian_tv(5, 1, 5, 1) == 0
    assert gaussian_tv(0, 1e-9, 0, 1) == pytest.approx(1, abs=1e-7)


@pytest.mark.parametrize("function", [gaussian_kl, gaussian_w2])
@pytest.mark.parametrize(
    ("mean", "cov", "message"),
    [
        (np.zeros(3), np.eye(2), "wanted, found"),
        (np.zeros(2), np.array([[1, np.nan], [np.nan, 1]]), "NaN"),
        (np.zeros(2), np.array([[1.0, 2], [0, 1]]), "not symmetric"),
        (np.zeros(2), np.diag([1.0, -1]), "eigenvalue -1"),
    ],
)
def test_refuses(function, mean, cov, message):
    with pytest.raises(ValueError, match=message):
        function(mean, cov, np.zeros(2), np.eye(2))


@pytest.mark.parametrize("sd", [0, -1, np.nan])
def test_no_deviation(sd):
    with pytest.raises(ValueError, match="deviations above 0"):
        gaussian_tv(0, 1, 0, sd)
