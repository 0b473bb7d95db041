"""Kantorovich's dual, the c-transform: Villani 2003, Topics in Optimal Transportation, chapter 1.

max sum_i phi_i mu_i + sum_j psi_j nu_j over phi_i + psi_j <= c_ij. Any such pair is a lower bound
of any coupling's cost, so that a gap of 0 proves both optimal, however either was found.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from bench.divergences.measures import Measure
from bench.divergences.transport import MASS, NO_MASS, Transport, ground_costs, solve, transport


class Dual(NamedTuple):
    """A pair of potentials, each the c-transform of the other.

    Args:
        value: W_p^p, to 1e-9 of the largest cost.
        phi, psi: [N] and [M], up to a constant that one gains and the other loses.
    """

    value: float
    phi: np.ndarray
    psi: np.ndarray


def c_transform(potential: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """psi_j = min_i c_ij - phi_i, [M], of a potential [N] and costs [N, M].

    The other way is `c_transform(psi, costs.T)`. psi^(c c) >= psi, and psi^(c c c) = psi^c.
    ValueError where the shapes do not fit, or for NaN.
    """
    potential, costs = np.asarray(potential, dtype=np.float64), np.asarray(costs)
    if costs.ndim != 2 or potential.shape != costs.shape[:1] or not costs.size:
        raise ValueError(
            f"c_transform: a potential [N] and costs [N, M], found {potential.shape}, {costs.shape}"
        )
    if np.isnan(potential).any() or np.isnan(costs).any():
        raise ValueError("c_transform: potential or costs hold NaN")
    return (costs - potential[:, None]).min(axis=0)


def kantorovich(mu: Measure, nu: Measure, p: float) -> Dual:
    """The dual as a linear programme of its own, which sees nothing of the primal's solution.

    Args:
        mu, nu: of N and M points; N M constraints.
        p: 1 or more; the cost is |x - y|^p. The slides' potentials are these divided by p.

    Raises:
        ValueError: as `ground_costs`.
    """
    costs = ground_costs(mu, nu, p)
    n, m = costs.shape
    scale = float(costs.max()) or 1.0
    pairs = sparse.hstack(
        [sparse.kron(sparse.eye(n), np.ones((m, 1))), sparse.kron(np.ones((n, 1)), sparse.eye(m))]
    ).tocsr()
    solution = solve(
        -MASS * np.concatenate([mu.weights, nu.weights]),
        A_ub=pairs,
        b_ub=costs.ravel() / scale,
        bounds=[(0, 0)] + [(None, None)] * (n + m - 1),  # the constant that leaves all unchanged
    )
    return _conjugate(mu, nu, c_transform(scale * solution[:n], costs), costs)


def potentials(mu: Measure, nu: Measure, p: float, plan: Transport) -> Dual:
    """The dual from an optimal coupling, by shortest paths in its residual graph.

    Ahuja, Magnanti and Orlin 1993, Network Flows, section 9.3: edges x_i -> y_j cost c_ij, and
    -c_ij back where the coupling has mass; an optimal coupling leaves no negative cycle. Bellman
    and Ford's rounds cost N M each: hundreds of points, where `kantorovich` takes its time.

    Returns:
        Feasible potentials whatever the coupling; only where that is optimal have they its cost.

    Raises:
        ValueError: as `ground_costs`, or a coupling of another shape.
    """
    costs, coupling = ground_costs(mu, nu, p), plan.coupling
    if coupling.shape != costs.shape:
        raise ValueError(f"potentials: a coupling of shape {costs.shape}, found {coupling.shape}")
    back = np.where(coupling > NO_MASS, costs, -np.inf)
    psi = np.zeros(costs.shape[1])
    for _ in range(sum(costs.shape)):
        from_mu = (psi - back).min(axis=1)
        shorter = np.minimum(psi, (from_mu[:, None] + costs).min(axis=0))
        if np.abs(shorter - psi).max() <= 1e-15 * costs.max():
            break
        psi = shorter
    return _conjugate(mu, nu, psi, costs)


def slackness(dual: Dual, plan: Transport, costs: np.ndarray) -> float:
    """sum_ij pi_ij (c_ij - phi_i - psi_j): complementary slackness, 0 at the optimum.

    No term is negative for feasible potentials: the sum is the duality gap, and 0 means that
    phi_i + psi_j = c_ij wherever mass travels.
    """
    return float((plan.coupling * (costs - dual.phi[:, None] - dual.psi)).sum())


def duality_gap(mu: Measure, nu: Measure, p: float) -> float:
    """Primal minus dual, solved apart: 0 to 1e-9 of the largest cost. Raises as `ground_costs`."""
    return transport(mu, nu, p).cost - kantorovich(mu, nu, p).value


def _conjugate(mu: Measure, nu: Measure, psi: np.ndarray, costs: np.ndarray) -> Dual:
    """The pair (psi^c, psi^(c c)): feasible to rounding, and no worse than what it came from."""
    phi = c_transform(psi, costs.T)
    psi = c_transform(phi, costs)
    return Dual(float(phi @ mu.weights + psi @ nu.weights), phi, psi)
