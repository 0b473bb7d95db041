"""Frechet distance of two Gaussians fitted to features: Heusel et al. 2017 (arXiv:1706.08500).

Dowson and Landau 1982 (J. Multivariate Anal. 12, 450) give the formula. It is a distance
between means and covariances: sets that share both are at 0 however much they differ. Between
samples it is biased upwards, by what `expected_bias` says and `frechet_infinity` extrapolates.
"""

from collections.abc import Sequence

import numpy as np

from bench.metrics.bures import trace_of_root
from bench.metrics.moments import Moments, moments

__all__ = ["expected_bias", "frechet_distance", "frechet_infinity", "intercept", "moments"]

DIRECTIONS = {"frechet": "lower", "frechet_infinity": "lower"}
UNITS = {
    "frechet": "squared units of the features",
    "frechet_infinity": "squared units of the features; extrapolated, may be negative",
}
TITLES = {"frechet": "Frechet distance", "frechet_infinity": "Frechet distance, N to infinity"}
POSITIONS = {"frechet": 10, "frechet_infinity": 120}


def frechet_distance(
    mean_1: np.ndarray, cov_1: np.ndarray, mean_2: np.ndarray, cov_2: np.ndarray
) -> float:
    """|m1 - m2|^2 + Tr(C1 + C2 - 2 (C1 C2)^(1/2)): squared, as FID is reported.

    Args:
        mean_1, mean_2: [F], float64.
        cov_1, cov_2: [F, F], float64, divided by N - 1; of any rank (N <= F).

    Returns:
        At least 0, and 0 for equal statistics, to 1e-10 of Tr(C1 + C2), to which it is also
        symmetric (see `trace_of_root`). A covariance's variances below F eps of its largest count
        as none where they cannot be told from rounding.

    Raises:
        ValueError: shapes differ, an entry is not finite (a diverged generator has no FID), or
            a matrix is no covariance.
    """
    mean_1, cov_1, mean_2, cov_2 = statistics = [
        np.asarray(a, dtype=np.float64) for a in (mean_1, cov_1, mean_2, cov_2)
    ]
    if mean_1.ndim != 1 or [a.shape for a in statistics] != 2 * [mean_1.shape, 2 * mean_1.shape]:
        shapes = ", ".join(str(a.shape) for a in statistics)
        raise ValueError(f"frechet_distance: [F], [F, F], [F], [F, F] wanted, found {shapes}")
    if not all(np.isfinite(a).all() for a in statistics):
        raise ValueError("frechet_distance: statistics hold NaN or infinity")
    for cov in (cov_1, cov_2):
        if np.abs(cov - cov.T).max(initial=0) > 1e-6 * np.abs(cov).max(initial=0):
            raise ValueError("frechet_distance: a covariance is not symmetric")
    with np.errstate(over="ignore", invalid="ignore"):
        spread = np.trace(cov_1) + np.trace(cov_2) - 2 * trace_of_root(cov_1, cov_2)
        squared = np.sum((mean_1 - mean_2) ** 2) + spread
    if not np.isfinite(squared):
        raise ValueError("frechet_distance: statistics are too large for float64")
    return float(max(squared, 0.0))  # rounding of identical sets lies on either side of 0


def expected_bias(cov: np.ndarray, n: int, m: int | None) -> float:
    """(1/n + 1/m) (Tr C + 1/2 sum_ij l_i l_j (1 + delta_ij) / (l_i + l_j)), l eigenvalues of C.

    Leading order, for n, m well above F, of the mean `frechet_distance` between samples of n and
    m from one Gaussian, where the true one is 0. With 64 features it was within a third of
    simulated means down to n = F / 2. Errors E of the covariances move the distance by
    1/2 sum_ij E_ij^2 / (l_i + l_j); in the eigenbasis of C, E_ij of a sample has the variance
    l_i l_j (1 + delta_ij) / (n - 1) of a Wishart matrix; the means add Tr C / n.

    Args:
        cov: C [F, F].
        n, m: sizes; m None where the other side's statistics are exact.

    Returns:
        (F + F (F + 1) / 4) / n for the unit matrix and exact statistics.

    Raises:
        ValueError: C is not finite, or a size is below 2.
    """
    if n < 2 or (m is not None and m < 2):
        raise ValueError(f"expected_bias: sizes must be 2 at least, found {n} and {m}")
    if not np.isfinite(cov).all():
        raise ValueError("expected_bias: the covariance holds NaN or infinity")
    values = np.linalg.eigvalsh(cov).clip(min=0)
    values = values[values > 0]
    pairs = values[:, None] * values / (values[:, None] + values)
    spread = 0.5 * (pairs.sum() + np.trace(pairs))
    sizes = [n] if m is None else [n, m]
    return float(sum(values.sum() / size + spread / (size - 1) for size in sizes))


def frechet_infinity(
    mean: np.ndarray,
    cov: np.ndarray,
    features: np.ndarray,
    *,
    sizes: Sequence[int],
    rng: np.random.Generator,
) -> float:
    """Frechet distance extrapolated to infinitely many samples: Chong and Forsyth 2020.

    arXiv:1911.07023, section 4.1: the distance of random subsets of several sizes N (15 evenly
    spaced in the paper), and the `intercept` of their line in 1/N. It removes the leading bias
    of the generated sample alone: that of the reference's finite sample stays.

    Args:
        mean, cov: of the reference, [F] and [F, F].
        features: of the generated samples, [N, F].
        sizes: of the subsets, each drawn without replacement.

    Returns:
        The intercept, which rounding and chance may take below 0; its error is several times
        that of the distance at the largest size.

    Raises:
        ValueError: as `frechet_distance`, or the sizes are fewer than two or not in 2 to N.
    """
    if not all(2 <= size <= len(features) for size in sizes):
        raise ValueError(
            f"frechet_infinity: sizes must be between 2 and the {len(features)} samples, "
            f"found {list(sizes)}"
        )
    distances = []
    for size in sizes:
        part = Moments.of(features, rng.permutation(len(features))[:size])
        distances.append(frechet_distance(mean, cov, part.mean, part.covariance))
    return intercept(sizes, distances)


def intercept(sizes: Sequence[int], distances: Sequence[float]) -> float:
    """Value at 1/N = 0 of the least-squares line of distances over 1/N; ValueError for one size."""
    if len(set(sizes)) < 2:
        raise ValueError(f"frechet_infinity: a line needs two sizes, found {list(sizes)}")
    inverse, values = 1 / np.asarray(sizes, dtype=np.float64), np.asarray(distances)
    centred = inverse - inverse.mean()
    slope = centred @ values / (centred @ centred)
    return float(values.mean() - slope * inverse.mean())
