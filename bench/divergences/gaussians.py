"""Closed forms between Gaussians: KL, total variation, W2. JS has none: see `densities`.

KL: Kullback 1959, Information Theory and Statistics, chapter 9. W2: Dowson and Landau 1982 (J.
Multivariate Anal. 12, 450). Total variation: the sets on which one density exceeds the other,
half-spaces for equal covariances, intervals on the line.
"""

from math import erf, log, sqrt

import numpy as np
from scipy.special import ndtr

RANK = 1e-12  # an eigenvalue below this times the largest counts as none


def gaussian_kl(
    mean_1: np.ndarray, cov_1: np.ndarray, mean_2: np.ndarray, cov_2: np.ndarray
) -> float:
    """(Tr(C2^-1 C1) + d^T C2^-1 d - D + ln det C2 / det C1) / 2 with d = m2 - m1, in nats.

    Args:
        mean_1, mean_2: [D].
        cov_1, cov_2: [D, D], of any rank; eigenvalues below 1e-12 of the largest count as 0.

    Returns:
        Infinity where the two do not live on the same affine subspace: the first then has mass
        where the second has none, or no density there. On the same one, KL within it.

    Raises:
        ValueError: shapes differ, an entry is not finite, or a matrix is no covariance.
    """
    mean_1, cov_1, mean_2, cov_2 = _checked("gaussian_kl", mean_1, cov_1, mean_2, cov_2)
    basis_1, basis_2 = _axes(cov_1)[1], _axes(cov_2)[1]
    shift = mean_2 - mean_1
    tilt = basis_1 - basis_2 @ (basis_2.T @ basis_1)
    if basis_1.shape != basis_2.shape or np.abs(tilt).max(initial=0) > 1e-6:
        return np.inf
    if _leaves(shift, basis_2, mean_1, mean_2):
        return np.inf
    shift = basis_2.T @ shift
    inner_1, inner_2 = (basis_2.T @ cov @ basis_2 for cov in (cov_1, cov_2))
    logs = np.linalg.slogdet(inner_2)[1] - np.linalg.slogdet(inner_1)[1]
    spread = np.trace(np.linalg.solve(inner_2, inner_1)) - len(shift)
    return max(float((spread + shift @ np.linalg.solve(inner_2, shift) + logs) / 2), 0.0)


def gaussian_w2(
    mean_1: np.ndarray, cov_1: np.ndarray, mean_2: np.ndarray, cov_2: np.ndarray
) -> float:
    """sqrt(|m1 - m2|^2 + Tr(C1 + C2 - 2 (C1 C2)^(1/2))), the distance, not its square.

    Args:
        mean_1, mean_2: [D].
        cov_1, cov_2: [D, D], of any rank.

    Returns:
        |s1 - s2| for N(0, s1^2) and N(0, s2^2). Equal covariances leave |m1 - m2|, to the root
        of rounding (1e-7 of the deviations).

    Raises:
        ValueError: shapes differ, an entry is not finite, or a matrix is no covariance.
    """
    mean_1, cov_1, mean_2, cov_2 = _checked("gaussian_w2", mean_1, cov_1, mean_2, cov_2)
    (values_1, axes_1), (values_2, axes_2) = _axes(cov_1), _axes(cov_2)
    roots = (axes_1 * np.sqrt(values_1)).T @ (axes_2 * np.sqrt(values_2))
    cross = np.linalg.svd(roots, compute_uv=False).sum()  # C = R R^T: Tr (C1 C2)^(1/2)
    spread = np.trace(cov_1) + np.trace(cov_2) - 2 * cross
    return sqrt(np.sum((mean_1 - mean_2) ** 2) + max(spread, 0.0))


def gaussian_tv(mean_1: float, sd_1: float, mean_2: float, sd_2: float) -> float:
    """TV of N(m1, s1^2) and N(m2, s2^2): 2 Phi(|m1 - m2| / 2s) - 1 for s1 = s2 = s.

    Else the narrower density exceeds the wider one between the two points at which they meet.

    Raises:
        ValueError: a number is not finite, or a deviation is not above 0.
    """
    if not (np.isfinite([mean_1, mean_2, sd_1, sd_2]).all() and min(sd_1, sd_2) > 0):
        raise ValueError(
            "gaussian_tv: finite means and deviations above 0, "
            f"found {mean_1}, {sd_1} and {mean_2}, {sd_2}"
        )
    if sd_1 > sd_2:
        mean_1, sd_1, mean_2, sd_2 = mean_2, sd_2, mean_1, sd_1
    shift, ratio = abs(mean_2 - mean_1) / sd_1, sd_2 / sd_1  # the narrower one is N(0, 1)
    square = 1 - ratio**-2
    if square == 0:
        return erf(shift / sqrt(8))
    # x^2 (1 - 1/r^2) + 2 x d/r^2 - d^2/r^2 - 2 ln r = 0, its roots without cancellation
    far = -shift / ratio**2 - sqrt((shift / ratio) ** 2 + 2 * square * log(ratio))
    ends = np.array([far / square, -((shift / ratio) ** 2 + 2 * log(ratio)) / far])
    inside = np.diff(ndtr(ends)) - np.diff(ndtr((ends - shift) / ratio))
    return max(float(inside[0]), 0.0)


def gaussian_tv_same_covariance(mean_1: np.ndarray, mean_2: np.ndarray, cov: np.ndarray) -> float:
    """2 Phi(d / 2) - 1 with Mahalanobis' d^2 = (m1 - m2)^T C^-1 (m1 - m2), m [D], C [D, D].

    Returns:
        1 where C has no variance in some direction in which the means differ.

    Raises:
        ValueError: shapes differ, an entry is not finite, or C is no covariance.
    """
    mean_1, cov, mean_2, _ = _checked("gaussian_tv_same_covariance", mean_1, cov, mean_2, cov)
    values, axes = _axes(cov)
    shift = mean_2 - mean_1
    if _leaves(shift, axes, mean_1, mean_2):
        return 1.0
    inner = axes.T @ shift
    return erf(sqrt(np.sum(inner**2 / values)) / sqrt(8))


def _leaves(shift: np.ndarray, axes: np.ndarray, *means: np.ndarray) -> bool:
    """Whether the shift has a part outside the span of the axes, beyond the means' rounding."""
    outside = shift - axes @ (axes.T @ shift)
    return bool(np.abs(outside).max() > 1e-12 * np.abs(means).max())


def _axes(cov: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values, vectors = np.linalg.eigh(cov)
    size = np.abs(values).max()
    if values.min() < -1e-6 * size:
        raise ValueError(f"divergences: a covariance has the eigenvalue {values.min():.3g}")
    kept = values > RANK * size
    return values[kept], vectors[:, kept]


def _checked(name: str, *statistics: np.ndarray) -> list[np.ndarray]:
    """Mean, covariance, mean, covariance as float64, or a ValueError."""
    arrays = [np.asarray(a, dtype=np.float64) for a in statistics]
    shape = arrays[0].shape
    if len(shape) != 1 or not shape[0] or [a.shape for a in arrays] != 2 * [shape, 2 * shape]:
        shapes = ", ".join(str(a.shape) for a in arrays)
        raise ValueError(f"{name}: [D], [D, D], [D], [D, D] wanted, found {shapes}")
    if not all(np.isfinite(a).all() for a in arrays):
        raise ValueError(f"{name}: statistics hold NaN or infinity")
    for cov in (arrays[1], arrays[3]):
        if np.abs(cov - cov.T).max() > 1e-6 * np.abs(cov).max():
            raise ValueError(f"{name}: a covariance is not symmetric")
    return arrays
