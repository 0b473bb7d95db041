"""Precision and recall, density and coverage from balls around nearest neighbours.

Precision and recall: Kynkaanniemi et al. 2019 (arXiv:1904.06991), equations 1 and 2; density and
coverage: Naeem et al. 2020 (arXiv:2002.09797), equations 3 and 4. The ball of a sample reaches
to the k-th nearest other sample of its own set.
"""

import numpy as np

from bench.metrics.neighbours import Distances, distinct, floats

DIRECTIONS = {"precision": "higher", "recall": "higher", "density": "higher", "coverage": "higher"}
UNITS = {
    "precision": "share of generated samples, 0 to 1",
    "recall": "share of real samples, 0 to 1",
    "density": "real balls around a generated sample, over k; may exceed 1",
    "coverage": "share of real samples, 0 to 1",
}
TITLES = {
    "precision": "precision",
    "recall": "recall",
    "density": "density",
    "coverage": "coverage",
}
POSITIONS = {"precision": 20, "recall": 30, "density": 50, "coverage": 40}


def prdc(
    real: np.ndarray, fake: np.ndarray, *, k: int, strict: bool, max_bytes: int
) -> dict[str, float]:
    """Precision, recall, density and coverage by name.

    Args:
        real, fake: features of real and of generated samples, [N, F] and [M, F].
        k: neighbours; 3 in Kynkaanniemi et al., 5 in Naeem et al.
        strict: false: a sample on a sphere is inside (equation 1, and torch-fidelity); true: it
            is outside (the code of Naeem et al.). They differ where samples repeat.
        max_bytes: distances are held in blocks of this size.

    Returns:
        For two equal sets without repeated samples precision = recall = coverage = 1 and
        density = (k + 1) / k, or 1 if strict; all 0 for sets far apart.

    Raises:
        ValueError: k is not between 1 and N - 1 and M - 1, the widths differ, or a feature is
            not finite.
    """
    real, fake = _checked(real, fake, k)
    # Copies share a ball: each is measured once and counted as often as it occurs.
    (real_first, real_copies), (fake_first, fake_copies) = distinct(real), distinct(fake)
    n_real, n_fake, real, fake = len(real), len(fake), real[real_first], fake[fake_first]
    real_radius = _radii(real, real_copies, k, max_bytes)
    fake_radius = _radii(fake, fake_copies, k, max_bytes)

    recalled, covered = np.zeros(len(real), dtype=bool), np.zeros(len(real), dtype=bool)
    precise, pairs_in_balls = np.zeros(len(fake), dtype=bool), 0.0
    distances = Distances(real, fake, max_bytes=max_bytes)
    for block, bounds in distances.blocks():
        in_real = distances.below(block, bounds, real_radius[block, None], strict=strict)
        in_fake = distances.below(block, bounds, fake_radius[None, :], strict=strict)
        precise |= in_real.any(0)
        pairs_in_balls += real_copies[block] @ (in_real.astype(np.float64) @ fake_copies)
        covered[block], recalled[block] = in_real.any(1), in_fake.any(1)
    return {
        "precision": float(fake_copies[precise].sum() / n_fake),
        "recall": float(real_copies[recalled].sum() / n_real),
        "density": float(pairs_in_balls / (k * n_fake)),
        "coverage": float(real_copies[covered].sum() / n_real),
    }


def _checked(real: np.ndarray, fake: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    real, fake = floats(real), floats(fake)
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
        raise ValueError(f"prdc: features [N, F] and [M, F], found {real.shape}, {fake.shape}")
    if not 1 <= k < min(len(real), len(fake)):
        raise ValueError(
            f"prdc: k must be between 1 and the smaller set's size less one, found k={k} "
            f"for {len(real)} real and {len(fake)} generated samples"
        )
    if not (np.isfinite(real).all() and np.isfinite(fake).all()):
        raise ValueError("prdc: features hold NaN or infinity")
    return real, fake


def _radii(points: np.ndarray, copies: np.ndarray, k: int, max_bytes: int) -> np.ndarray:
    """Squared distance [U] of each different point to its k-th nearest other sample."""
    radii = np.zeros(len(points))
    if len(points) == 1:
        return radii
    within = Distances(points, points, max_bytes=max_bytes)
    near, squares = within.nearest(min(k, len(points) - 1), ignore=np.arange(len(points)))
    # A point's own copies come first, at distance 0; then its neighbours with theirs.
    reached = np.cumsum(np.column_stack([copies - 1, copies[near]]), axis=1) >= k
    return np.column_stack([radii, squares])[np.arange(len(points)), reached.argmax(1)]
