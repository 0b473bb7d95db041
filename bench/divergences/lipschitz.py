"""Kantorovich-Rubinstein: the dual for p = 1, whose one potential is 1-Lipschitz.

W_1(mu, nu) = max over 1-Lipschitz f of E_mu f - E_nu f: Villani 2003, theorem 1.14; Arjovsky et al.
2017 (arXiv:1701.07875), equation 2, with mu the real side. So an optimal f falls from real x to
generated y at slope 1 along each pair that an optimal coupling joins, and there its gradient, where
it has one, is (x - y) / |x - y|: Gulrajani et al. 2017 (arXiv:1704.00028), proposition 1.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.spatial.distance import cdist

from bench.divergences.measures import Measure, on_common_points
from bench.divergences.transport import MASS, solve


class Potential(NamedTuple):
    """An optimal critic on the points of both measures.

    Args:
        value: W_1, to 1e-9 of the largest distance.
        points: [K, D], each once.
        values: f there, [K], up to a constant.
    """

    value: float
    points: np.ndarray
    values: np.ndarray


def kantorovich_rubinstein(mu: Measure, nu: Measure) -> Potential:
    """max E_mu f - E_nu f over f_i - f_j <= |x_i - x_j|, all K (K - 1) pairs of points.

    A programme of its own, which knows no coupling. Tens of points on a side are quick. ValueError
    for measures in different dimensions.
    """
    points, p, q = on_common_points(mu, nu)
    count, distances = len(points), cdist(points, points)
    scale = float(distances.max()) or 1.0
    first, second = np.nonzero(~np.eye(count, dtype=bool))
    rows, ones = np.arange(len(first)), np.ones(len(first))
    slopes = sparse.csr_matrix(
        (np.concatenate([ones, -ones]), (np.tile(rows, 2), np.concatenate([first, second]))),
        shape=(len(first), count),
    )
    if count == 1:
        return Potential(0.0, points, np.zeros(1))
    solution = scale * solve(
        MASS * (q - p),
        A_ub=slopes,
        b_ub=distances[first, second] / scale,
        bounds=[(0, 0)] + [(None, None)] * (count - 1),  # the constant that leaves all unchanged
    )
    values = extension(points, solution, points, largest=False)  # the solver's rounding taken off
    return Potential(float(values @ (p - q)), points, values)


def lipschitz_constant(points: np.ndarray, values: np.ndarray) -> float:
    """max |f_i - f_j| / |x_i - x_j|, from points [K, D] and values [K].

    Returns:
        0 for one point or a constant; infinity where a point has two values. Between points 1e-6
        apart, rounding alone moves it by 1e-10.

    Raises:
        ValueError: the shapes do not fit, NaN or infinity.
    """
    points, values = _checked("lipschitz_constant", points, values)
    rises, distances = np.abs(values[:, None] - values), cdist(points, points)
    if (rises[distances == 0] > 0).any():
        return np.inf
    return float((rises / np.where(distances > 0, distances, 1)).max())


def extension(
    points: np.ndarray, values: np.ndarray, at: np.ndarray, *, largest: bool
) -> np.ndarray:
    """min_k f_k + |z - x_k|, or max_k f_k - |z - x_k|: McShane 1934 (Bull. AMS 40, 837).

    The largest and the smallest 1-Lipschitz function with these values: between them lies each
    other one. On the segments of an optimal coupling they agree, and so do all optimal critics.

    Args:
        points, values, at: x [K, D], f [K] and z [N, D].
        largest: whether the largest, the minimum above.

    Returns:
        [N]; at the points themselves f, if that is 1-Lipschitz there.

    Raises:
        ValueError: the shapes do not fit, NaN or infinity.
    """
    points, values = _checked("extension", points, values)
    at = np.asarray(at, dtype=np.float64)
    if at.ndim != 2 or at.shape[1] != points.shape[1] or not np.isfinite(at).all():
        raise ValueError(
            f"extension: finite places [N, {points.shape[1]}] for points {points.shape}, "
            f"found {at.shape}"
        )
    distances = cdist(at, points)
    return (values + distances).min(axis=1) if largest else (values - distances).max(axis=1)


def _checked(name: str, points: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    points, values = (np.asarray(a, dtype=np.float64) for a in (points, values))
    if points.ndim != 2 or not points.size or values.shape != points.shape[:1]:
        raise ValueError(
            f"{name}: points [K, D] and values [K], found {points.shape}, {values.shape}"
        )
    if not (np.isfinite(points).all() and np.isfinite(values).all()):
        raise ValueError(f"{name}: points or values hold NaN or infinity")
    return points, values
