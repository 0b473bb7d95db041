"""Kantorovich's primal: Villani 2003, Topics in Optimal Transportation, introduction.

W_p^p(mu, nu) = min over couplings of sum_ij pi_ij |x_i - y_j|^p. The slides divide cost and
supremum by p: theirs is W_p^p / p, and their potentials are these divided by p. Between n and n
points of equal weight some optimal coupling is a permutation (Birkhoff), found by assignment;
else by linear programme, whose N M variables make a few hundred points on a side its limit.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import linear_sum_assignment, linprog
from scipy.spatial.distance import cdist

from bench.divergences.measures import Measure, same_dimension

# HiGHS's smallest tolerances, for costs divided by the largest; simplex, for its corners are exact
HIGHS = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
MASS = 1000.0  # of both sides in the programme, so that its tolerance is 1e-13 of the whole
NO_MASS = 1e-12  # a weight below is left to `_rounded`: near its tolerance HiGHS finds no coupling


class Transport(NamedTuple):
    """An optimal coupling.

    Args:
        cost: W_p^p, to 1e-9 of the largest cost.
        coupling: pi, [N, M]: rows sum to the weights of mu, columns to those of nu.
    """

    cost: float
    coupling: np.ndarray


def ground_costs(mu: Measure, nu: Measure, p: float) -> np.ndarray:
    """|x_i - y_j|^p with the Euclidean norm, [N, M].

    Raises:
        ValueError: p below 1 or not finite, measures of different dimension, or costs beyond
            float64.
    """
    same_dimension(mu, nu)
    check_order(p)
    with np.errstate(over="ignore"):
        costs = cdist(mu.points, nu.points) ** p
    if not np.isfinite(costs).all():
        raise ValueError(f"divergences: |x - y|^{p:g} is too large for float64")
    return costs


def transport(mu: Measure, nu: Measure, p: float) -> Transport:
    """Least cost, and a coupling that has it; there may be others.

    For p = 2 the cost is the squared distance. Raises as `ground_costs`.
    """
    costs = ground_costs(mu, nu, p)
    n, m = costs.shape
    if n == m and np.ptp(mu.weights) == 0 and np.ptp(nu.weights) == 0:
        rows, columns = linear_sum_assignment(costs)
        coupling = np.zeros((n, n))
        coupling[rows, columns] = 1 / n
    else:
        coupling = _by_programme(mu.weights, nu.weights, costs)
    return Transport(float((coupling * costs).sum()), coupling)


def wasserstein(mu: Measure, nu: Measure, p: float) -> float:
    """W_p = (least cost)^(1/p), a metric; W_1 <= W_2. Raises as `ground_costs`.

    Between empirical measures of samples it is biased upwards, as an estimate of the distance of
    what they were drawn from: W_p^p is convex, so that its mean over samples is no less than the
    truth, and for equal distributions it falls like n^(-1/D) only in D > 2p dimensions (Fournier
    and Guillin 2015, arXiv:1312.2128), on the line like n^(-1/2) for p = 1.
    """
    return transport(mu, nu, p).cost ** (1 / p)


def solve(objective: np.ndarray, **programme) -> np.ndarray:
    """Solve a linear programme by HiGHS's dual simplex; RuntimeError where it finds no solution."""
    found = linprog(objective, method="highs-ds", options=HIGHS, **programme)
    if found.x is None:
        raise RuntimeError(f"divergences: no solution of a linear programme: {found.message}")
    return found.x


def check_order(p: float) -> None:
    """Refuse, with a ValueError, an order p below 1, infinite or NaN: W_p is then no metric."""
    if not (np.isfinite(p) and p >= 1):
        raise ValueError(f"divergences: W_p needs a finite p of 1 or more, found {p}")


def _by_programme(mu: np.ndarray, nu: np.ndarray, costs: np.ndarray) -> np.ndarray:
    n, m = costs.shape
    sums = sparse.vstack(
        [sparse.kron(sparse.eye(n), np.ones((1, m))), sparse.kron(np.ones((1, n)), sparse.eye(m))]
    ).tocsr()
    kept = [np.where(weights > NO_MASS, weights, 0) for weights in (mu, nu)]
    masses = np.concatenate([MASS * weights / weights.sum() for weights in kept])
    # the last column's sum follows from the others; left in, rounding could contradict it
    flat = solve(costs.ravel() / (costs.max() or 1.0), A_eq=sums[:-1], b_eq=masses[:-1])
    return _rounded(flat.reshape(n, m).clip(min=0) / MASS, mu, nu)


def _rounded(plan: np.ndarray, mu: np.ndarray, nu: np.ndarray) -> np.ndarray:
    """A coupling beside a plan whose sums are a little off: Altschuler et al. 2017, Algorithm 2.

    arXiv:1705.09634. Rows, then columns are brought down to their weights, and what is missing is
    put on all pairs alike.
    """
    for weights, axis in ((mu, 1), (nu, 0)):
        found = plan.sum(axis=axis, keepdims=True)
        wanted = np.expand_dims(weights, axis)
        plan = plan * np.minimum(wanted / np.where(found > 0, found, 1), 1)
    missing_mu, missing_nu = mu - plan.sum(axis=1), nu - plan.sum(axis=0)
    missing = missing_nu.sum()
    if missing > 1e-16:
        plan = plan + missing_mu.clip(min=0)[:, None] * missing_nu.clip(min=0) / missing
    return plan
