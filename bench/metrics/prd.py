"""Precision and recall of distributions, PRD: Sajjadi et al. 2018 (arXiv:1806.00035).

Features of real and generated samples are clustered together; what share of each falls into a
cluster makes two histograms, and a curve of precision against recall is read off them, as in
compare_gan's prd_score.py.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bench.metrics.neighbours import floats

DIRECTIONS = {"prd_f8": "higher", "prd_f1_8": "higher"}
UNITS = {
    "prd_f8": "F score that stresses recall, 0 to 1",
    "prd_f1_8": "F score that stresses precision, 0 to 1",
}
TITLES = {"prd_f8": "PRD F8", "prd_f1_8": "PRD F1/8"}
POSITIONS = {"prd_f8": 100, "prd_f1_8": 110}


class Curve(NamedTuple):
    """Pairs of precision and recall, both [A], from low precision to low recall."""

    precision: np.ndarray
    recall: np.ndarray


def curve(real_shares: np.ndarray, fake_shares: np.ndarray, *, angles: int) -> Curve:
    """alpha = sum_i min(lambda P_i, Q_i), beta = alpha / lambda.

    Args:
        real_shares, fake_shares: P and Q, [K], each with the sum 1.
        angles: how many lambda = tan(angle), with angles evenly from 1e-10 to pi / 2 - 1e-10.

    Returns:
        Precision min(lambda, 1) and recall min(1, 1 / lambda) for equal histograms.

    Raises:
        ValueError: a share is negative or NaN, or a sum is not 1.
    """
    for shares in (real_shares, fake_shares):
        if not (np.min(shares) >= 0 and abs(np.sum(shares) - 1) < 1e-6):
            raise ValueError("prd: shares must be 0 at least, with the sum 1")
    slopes = np.tan(np.linspace(1e-10, np.pi / 2 - 1e-10, angles))
    precision = np.minimum(slopes[:, None] * real_shares, fake_shares).sum(1)
    return Curve(precision.clip(max=1), (precision / slopes).clip(max=1))  # rounding exceeds 1


def f_beta(found: Curve, *, beta: float) -> float:
    """max (1 + b^2) p r / (b^2 p + r) over the curve; 0 where both are 0."""
    precision, recall = found
    # Above 1 recall counts more: F tends to r, not p, as b grows.
    below = beta**2 * precision + recall
    above = (1 + beta**2) * precision * recall
    return float(np.divide(above, below, out=np.zeros(len(above)), where=below > 0).max())


def summary(found: Curve) -> dict[str, float]:
    """F_8 and F_1/8 of a curve by name: the pair that the paper compares GANs by."""
    return {"prd_f8": f_beta(found, beta=8), "prd_f1_8": f_beta(found, beta=1 / 8)}


def histograms(
    real: np.ndarray, fake: np.ndarray, *, clusters: int, n_init: int, batch_size: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Shares [K] of real and of generated samples in the clusters of both together.

    Args:
        real, fake: features, [N, F] each.
        clusters: K; 20 in the paper and in compare_gan.
        n_init: initial clusterings, of which MiniBatchKMeans keeps the best; 10 in compare_gan.
        batch_size: samples a step; 100 was scikit-learn's default at the time.

    Raises:
        ValueError: the counts or widths differ, there are fewer samples than clusters, or a
            feature is not finite.
    """
    from sklearn.cluster import MiniBatchKMeans  # takes a second to import

    real, fake = floats(real), floats(fake)
    if real.ndim != 2 or real.shape != fake.shape:
        raise ValueError(
            f"prd: as many real as generated samples [N, F], found {real.shape}, {fake.shape}"
        )
    if len(real) < clusters:
        raise ValueError(f"prd: samples must be {clusters} at least, found {len(real)}")
    if not (np.isfinite(real).all() and np.isfinite(fake).all()):
        raise ValueError("prd: features hold NaN or infinity")
    means = MiniBatchKMeans(clusters, n_init=n_init, batch_size=batch_size, random_state=seed)
    labels = means.fit_predict(np.concatenate([fake, real], dtype=np.float64))
    fake_labels, real_labels = np.split(labels, 2)
    counts = [np.bincount(part, minlength=clusters) for part in (real_labels, fake_labels)]
    return counts[0] / len(real), counts[1] / len(fake)


def prd_curve(
    real: np.ndarray,
    fake: np.ndarray,
    *,
    clusters: int,
    n_init: int,
    batch_size: int,
    angles: int,
    seeds: Sequence[int],
) -> Curve:
    """Mean over clusterings of the curves of `histograms`, one a seed; ten in compare_gan."""
    curves = []
    for seed in seeds:
        found = histograms(
            real, fake, clusters=clusters, n_init=n_init, batch_size=batch_size, seed=seed
        )
        curves.append(curve(*found, angles=angles))
    return Curve(*np.mean(curves, axis=0))
