from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_measures import SEEDS, measures
from scipy.stats import norm, ortho_group, wasserstein_distance

from bench.divergences import (
    Measure,
    ground_costs,
    transport,
    wasserstein,
    wasserstein_line,
    wasserstein_quantiles,
)

ORDERS = st.sampled_from([1, 1.5, 2, 3])


def line(points, weights=None):
    points = np.array(points, dtype=float)[:, None]
    return Measure.of(points) if weights is None else Measure(points, np.array(weights))


def test_by_hand():
    """3/4 at 0 and 1/4 at 4 against 1/2 each: 1/4 travels 4. W1 = 1, W2^2 = 4."""
    mu, nu = line([0, 4], [0.75, 0.25]), line([4, 0], [0.5, 0.5])
    for distance in (wasserstein, wasserstein_line):
        assert distance(mu, nu, 1) == pytest.approx(1)
        assert distance(mu, nu, 2) == pytest.approx(2)
    np.testing.assert_allclose(transport(mu, nu, 1).coupling, [[0.25, 0.5], [0.25, 0]], atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(1, 5), ORDERS)
def test_no_permutation_costs_less(seed, dimensions, p):
    """Exhaustive, 120 permutations of five points; the programme, weights a bit off, agrees."""
    x, y = np.random.default_rng(seed).normal(size=(2, 5, dimensions)).round(1)
    costs = ground_costs(Measure.of(x), Measure.of(y), p)
    least = min(costs[range(5), list(s)].mean() for s in permutations(range(5)))
    assert transport(Measure.of(x), Measure.of(y), p).cost == pytest.approx(least)
    off = Measure(x, np.array([0.2, 0.2, 0.2, 0.2 + 1e-12, 0.2 - 1e-12]))
    assert transport(off, Measure.of(y), p).cost == pytest.approx(least, abs=1e-8)


@settings(max_examples=40, deadline=None)
@given(measures(), ORDERS)
def test_equals_scipy_and_the_sorted_coupling_on_the_line(two, p):
    x, y = (Measure(m.points[:, :1], m.weights) for m in two)
    found = wasserstein(x, y, p)
    assert found**p == pytest.approx(wasserstein_line(x, y, p) ** p, abs=1e-8)
    expected = wasserstein_distance(x.points[:, 0], y.points[:, 0], x.weights, y.weights)
    assert wasserstein_line(x, y, 1) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(measures(), ORDERS)
def test_the_coupling_has_the_marginals(two, p):
    mu, nu = two
    cost, coupling = transport(mu, nu, p)
    assert coupling.min() >= 0
    np.testing.assert_allclose(coupling.sum(1), mu.weights, atol=1e-15)
    np.testing.assert_allclose(coupling.sum(0), nu.weights, atol=1e-15)
    assert cost == pytest.approx((coupling * ground_costs(mu, nu, p)).sum())


def test_weights_of_the_size_of_the_solvers_tolerance():
    """From 1 down to 1e-300: HiGHS alone calls some of these infeasible."""
    rng = np.random.default_rng(0)
    for _ in range(60):
        n, m = rng.integers(1, 40, size=2)
        mu, nu = (Measure(rng.normal(size=(k, 1)), rng.dirichlet(np.full(k, 0.05))) for k in (n, m))
        cost, coupling = transport(mu, nu, 1)
        assert cost == pytest.approx(wasserstein_line(mu, nu, 1), abs=1e-9)
        np.testing.assert_allclose(coupling.sum(1), mu.weights, atol=1e-15)
        np.testing.assert_allclose(coupling.sum(0), nu.weights, atol=1e-15)


@settings(max_examples=25, deadline=None)
@given(measures(3), ORDERS)
def test_is_a_metric(three, p):
    """W^p is exact to 1e-9 of the largest cost, so that W near 0 has the root of that."""
    x, y, z = three
    found = wasserstein(x, y, p)
    assert found**p == pytest.approx(wasserstein(y, x, p) ** p, abs=1e-8)
    assert found <= wasserstein(x, z, p) + wasserstein(z, y, p) + 1e-7
    assert wasserstein(x, x, p) ** p == pytest.approx(0, abs=1e-9)
    assert wasserstein(x, y, 1) <= found + 1e-7


@settings(max_examples=25, deadline=None)
@given(measures(), ORDERS, SEEDS)
def test_moves_turns_and_scales(two, p, seed):
    mu, nu = two
    rng, dimensions = np.random.default_rng(seed), mu.points.shape[1]
    turn = np.eye(1) if dimensions == 1 else ortho_group.rvs(dimensions, random_state=rng)
    shift = rng.normal(size=dimensions)
    also, moved = (Measure(1e6 * (m.points + shift) @ turn, m.weights) for m in two)
    assert (wasserstein(also, moved, p) / 1e6) ** p == pytest.approx(
        wasserstein(mu, nu, p) ** p, abs=1e-8
    )
    there = Measure(mu.points + shift, mu.weights)
    assert wasserstein(mu, there, p) == pytest.approx(np.linalg.norm(shift))


def test_weak_convergence_and_where_it_is_not_enough():
    """delta(1/n) is 1/n from delta(0); (1 - 1/n) delta(0) + delta(n) / n is 1 from it for all n."""
    zero = line([0])
    for n in (1, 10, 1000):
        assert wasserstein(line([1 / n]), zero, 1) == pytest.approx(1 / n)
        escaping = line([0, n], [1 - 1 / n, 1 / n])
        assert wasserstein(escaping, zero, 1) == pytest.approx(1)


def test_gaussian_quantiles():
    """A shift costs itself for every p; N(0, 1) to N(0, s^2) costs |s - 1| (E|z|^p)^(1/p)."""
    for p in (1, 2, 4):
        assert wasserstein_quantiles(norm(0, 1).ppf, norm(3, 1).ppf, p) == pytest.approx(3)
    apart = wasserstein_quantiles(norm(0, 1).ppf, norm(0, 3).ppf, 1)
    assert apart == pytest.approx(2 * (2 / np.pi) ** 0.5, rel=1e-8)
    assert wasserstein_quantiles(lambda u: u, lambda u: 1 - u, 1) == pytest.approx(0.5)


def test_the_line_takes_many_points():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=20_000), rng.normal(size=30_000) + 1
    found = wasserstein_line(line(x), line(y), 1)
    assert found == pytest.approx(wasserstein_distance(x, y), rel=1e-12)


@pytest.mark.parametrize("p", [0.5, 0, -1, np.nan, np.inf])
def test_no_order(p):
    x = line([0, 1])
    for distance in (wasserstein, wasserstein_line, transport):
        with pytest.raises(ValueError, match="1 or more"):
            distance(x, x, p)
    with pytest.raises(ValueError, match="1 or more"):
        wasserstein_quantiles(norm.ppf, norm.ppf, p)


def test_refuses():
    with pytest.raises(ValueError, match="found 1 and 2"):
        wasserstein(line([0]), Measure.of(np.zeros((1, 2))), 1)
    with pytest.raises(ValueError, match="too large"):
        wasserstein(line([0]), line([1e200]), 2)
    with pytest.raises(ValueError, match="too large"):
        wasserstein_line(line([0]), line([1e200]), 2)
    with pytest.raises(ValueError, match=r"points \[N, 1\]"):
        wasserstein_line(line([0]), Measure.of(np.zeros((1, 2))), 1)
