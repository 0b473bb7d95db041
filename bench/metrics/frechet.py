"""Frechet distance of two Gaussians fitted to features: Heusel et al. 2017 (arXiv:1706.08500).

Dowson and Landau 1982 (J. Multivariate Anal. 12, 450) give the formula. It is a distance
between means and covariances: sets that share both are at 0 however much they differ.
"""

import numpy as np

DIRECTIONS = {"frechet": "lower"}
UNITS = {"frechet": "squared units of the features"}


def moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean [F] and covariance [F, F], divided by N - 1, of features [N, F], in float64.

    Raises:
        ValueError: fewer than two samples, or an entry is not finite.
    """
    features = np.asarray(features, dtype=np.float64)
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(f"moments: two rows [N, F] at least, found shape {features.shape}")
    if not np.isfinite(features).all():
        raise ValueError("moments: features hold NaN or infinity")
    mean = features.mean(0)
    centred = features - mean
    return mean, centred.T @ centred / (len(features) - 1)


def frechet_distance(
    mean_1: np.ndarray, cov_1: np.ndarray, mean_2: np.ndarray, cov_2: np.ndarray
) -> float:
    """|m1 - m2|^2 + Tr(C1 + C2 - 2 (C1 C2)^(1/2)): squared, as FID is reported.

    Args:
        mean_1, mean_2: [F], float64.
        cov_1, cov_2: [F, F], float64, divided by N - 1; of any rank (N <= F).

    Returns:
        At least 0; 0 for equal statistics, to rounding.

    Raises:
        ValueError: an entry is not finite. A diverged generator has no FID.
    """
    if not all(np.isfinite(a).all() for a in (mean_1, cov_1, mean_2, cov_2)):
        raise ValueError("frechet_distance: statistics hold NaN or infinity")
    # With C = R R^T, the eigenvalues of C1 C2 are the squared singular values of R1^T R2. Those
    # are exact to eps where square roots of eigenvalues would turn an eps into 1e-8.
    cross = np.linalg.svd(_root(cov_1).T @ _root(cov_2), compute_uv=False).sum()
    squared = np.sum((mean_1 - mean_2) ** 2) + np.trace(cov_1) + np.trace(cov_2) - 2 * cross
    return float(max(squared, 0.0))  # rounding of identical sets lies on either side of 0


def _root(cov: np.ndarray) -> np.ndarray:
    """R [F, rank] with R R^T = cov; directions without variance (N <= F) are left out."""
    values, vectors = np.linalg.eigh(cov)
    kept = values > max(values.max(), 0.0) * len(values) * np.finfo(float).eps
    return vectors[:, kept] * np.sqrt(values[kept])
