import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from random_measures import measures, random_measure

from bench.divergences import (
    Dual,
    Measure,
    Transport,
    c_transform,
    duality_gap,
    ground_costs,
    kantorovich,
    potentials,
    slackness,
    transport,
)

ORDERS = st.sampled_from([1, 1.5, 2, 3])


def feasible(dual, costs):
    return (dual.phi[:, None] + dual.psi - costs).max() <= 1e-12 * costs.max()


def test_by_hand():
    """Mass 1/4 from 0 to 4: W1 = 1, with potentials 4 and 0 at 0 and 4 against their negatives."""
    mu = Measure(np.array([[0.0], [4]]), np.array([0.75, 0.25]))
    nu = Measure(np.array([[0.0], [4]]), np.array([0.5, 0.5]))
    dual = kantorovich(mu, nu, 1)
    assert dual.value == pytest.approx(1)
    assert dual.phi[0] - dual.phi[1] == pytest.approx(4)
    np.testing.assert_allclose(dual.psi, -dual.phi)


@settings(max_examples=40, deadline=None)
@given(measures(), ORDERS)
def test_no_gap(two, p):
    """Primal and dual are programmes solved apart: T24, equality to rounding."""
    mu, nu = two
    costs, plan, dual = ground_costs(mu, nu, p), transport(mu, nu, p), kantorovich(mu, nu, p)
    assert feasible(dual, costs)
    assert dual.value == pytest.approx(plan.cost, abs=1e-9 * costs.max() + 1e-15)
    assert slackness(dual, plan, costs) == pytest.approx(0, abs=1e-9 * costs.max() + 1e-15)
    np.testing.assert_array_equal(c_transform(dual.phi, costs), dual.psi)
    np.testing.assert_allclose(c_transform(dual.psi, costs.T), dual.phi, atol=1e-12 * costs.max())


@pytest.mark.parametrize("p", [1, 2, 3])
def test_the_slides_divide_cost_and_supremum_by_p(p):
    """Potentials divided by p are conjugate for |x - y|^p / p, and their value is W_p^p / p."""
    rng = np.random.default_rng(p)
    mu, nu = random_measure(rng, 6, 2), random_measure(rng, 8, 2)
    costs, dual = ground_costs(mu, nu, p) / p, kantorovich(mu, nu, p)
    np.testing.assert_allclose(c_transform(dual.phi / p, costs), dual.psi / p, atol=1e-12)
    value = dual.phi / p @ mu.weights + dual.psi / p @ nu.weights
    assert value == pytest.approx(transport(mu, nu, p).cost / p)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("sizes", [(40, 40), (30, 50)])
def test_no_gap_between_samples(p, sizes):
    rng = np.random.default_rng(0)
    mu, nu = (random_measure(rng, size, 2) for size in sizes)
    assert duality_gap(mu, nu, p) == pytest.approx(0, abs=1e-9)
    x, y = (Measure.of(rng.normal(size=(size, 2))) for size in sizes)
    assert duality_gap(x, y, p) == pytest.approx(0, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(measures(), ORDERS)
def test_mass_travels_only_where_the_potentials_meet_the_cost(two, p):
    mu, nu = two
    costs, plan, dual = ground_costs(mu, nu, p), transport(mu, nu, p), kantorovich(mu, nu, p)
    slack = costs - dual.phi[:, None] - dual.psi
    assert (slack[plan.coupling > 1e-6] <= 1e-8 * costs.max()).all()


@settings(max_examples=40, deadline=None)
@given(measures(), ORDERS)
def test_any_feasible_pair_is_a_lower_bound(two, p):
    mu, nu = two
    costs = ground_costs(mu, nu, p)
    phi = np.sin(np.arange(len(mu.points)))
    psi = c_transform(phi, costs)
    assert phi @ mu.weights + psi @ nu.weights <= transport(mu, nu, p).cost + 1e-9 * costs.max()


@settings(deadline=None)
@given(
    arrays(float, (4, 6), elements=st.floats(-10, 10)),
    arrays(float, 4, elements=st.floats(-10, 10)),
)
def test_three_transforms_are_one(costs, psi):
    """psi^(c c c) = psi^c and psi^(c c) >= psi, of any function and cost, whatever it means."""
    once = c_transform(psi, costs)
    twice = c_transform(once, costs.T)
    assert (twice >= psi - 1e-13).all()
    np.testing.assert_allclose(c_transform(twice, costs), once, rtol=0, atol=1e-13)


@settings(max_examples=40, deadline=None)
@given(measures(), ORDERS)
def test_shortest_paths_find_the_same_value(two, p):
    mu, nu = two
    costs, plan = ground_costs(mu, nu, p), transport(mu, nu, p)
    dual = potentials(mu, nu, p, plan)
    assert feasible(dual, costs)
    assert dual.value == pytest.approx(kantorovich(mu, nu, p).value, abs=1e-8 * costs.max() + 1e-15)


def test_shortest_paths_prove_a_large_assignment():
    rng = np.random.default_rng(0)
    mu, nu = Measure.of(rng.normal(size=(300, 3))), Measure.of(rng.normal(size=(300, 3)) + 1)
    for p in (1, 2):
        plan = transport(mu, nu, p)
        assert potentials(mu, nu, p, plan).value == pytest.approx(plan.cost, rel=1e-12)


def test_a_coupling_that_is_not_optimal_leaves_a_gap():
    mu = nu = Measure.of(np.array([[0.0], [1]]))
    crossed = Transport(1.0, np.array([[0, 0.5], [0.5, 0]]))
    dual = potentials(mu, nu, 2, crossed)
    assert feasible(dual, ground_costs(mu, nu, 2))
    assert slackness(dual, crossed, ground_costs(mu, nu, 2)) >= 1 - 1e-12
    assert isinstance(dual, Dual) and dual.value <= 1e-12


def test_refuses():
    mu = Measure.of(np.zeros((2, 1)))
    with pytest.raises(ValueError, match="1 or more"):
        kantorovich(mu, mu, 0.5)
    with pytest.raises(ValueError, match="one dimension"):
        kantorovich(mu, Measure.of(np.zeros((2, 2))), 1)
    with pytest.raises(ValueError, match="a coupling of shape"):
        potentials(mu, mu, 1, Transport(0.0, np.eye(3)))
    with pytest.raises(ValueError, match=r"costs \[N, M\]"):
        c_transform(np.zeros(3), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="NaN"):
        c_transform(np.array([np.nan, 0]), np.zeros((2, 3)))
