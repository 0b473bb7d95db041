"""Precision and recall, density and coverage from balls around nearest neighbours.

Precision and recall: Kynkaanniemi et al. 2019 (arXiv:1904.06991), equations 1 and 2; density and
coverage: Naeem et al. 2020 (arXiv:2002.09797), equations 3 and 4. The ball of a sample reaches
to the k-th nearest other sample of its own set.
"""

import numpy as np

from bench.metrics.neighbours import Distances

DIRECTIONS = {"precision": "higher", "recall": "higher", "density": "higher", "coverage": "higher"}
UNITS = {
    "precision": "share of generated samples, 0 to 1",
    "recall": "share of real samples, 0 to 1",
    "density": "real balls around a generated sample, over k; may exceed 1",
    "coverage": "share of real samples, 0 to 1",
}


def prdc(
    real: np.ndarray, fake: np.ndarray, *, k: int, strict: bool, max_bytes: int
) -> dict[str, float]:
    """Precision, recall, density and coverage by name.

    Args:
        real: features of real samples, [N, F].
        fake: features of generated samples, [M, F].
        k: neighbours; 3 in Kynkaanniemi et al., 5 in Naeem et al.
        strict: false: a sample on a sphere is inside (equation 1, and torch-fidelity); true: it
            is outside (the code of Naeem et al.). They differ where samples repeat.
        max_bytes: distances are held in blocks of this size, about three at once.

    Returns:
        For two equal sets without repeated samples precision = recall = coverage = 1 and
        density = (k + 1) / k, or 1 if strict; all 0 for sets far apart.

    Raises:
        ValueError: k is not between 1 and N - 1 and M - 1, the widths differ, or a feature is
            not finite.
    """
    real, fake = (np.asarray(a, dtype=np.float64) for a in (real, fake))
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
        raise ValueError(f"prdc: features [N, F] and [M, F], found {real.shape}, {fake.shape}")
    if not 1 <= k < min(len(real), len(fake)):
        raise ValueError(
            f"prdc: k must be between 1 and the smaller set's size less one, found k={k} "
            f"for {len(real)} real and {len(fake)} generated samples"
        )
    if not (np.isfinite(real).all() and np.isfinite(fake).all()):
        raise ValueError("prdc: features hold NaN or infinity")
    real_radius = Distances(real, real, max_bytes=max_bytes).kth(k)
    fake_radius = Distances(fake, fake, max_bytes=max_bytes).kth(k)

    balls_around = np.zeros(len(fake), dtype=np.int64)
    recalled, covered = np.zeros(len(real), dtype=bool), np.zeros(len(real), dtype=bool)
    distances = Distances(real, fake, max_bytes=max_bytes)
    for block, squares in distances.blocks():
        in_real = distances.below(block, squares, real_radius[block, None], strict=strict)
        in_fake = distances.below(block, squares, fake_radius[None, :], strict=strict)
        balls_around += in_real.sum(0)
        covered[block], recalled[block] = in_real.any(1), in_fake.any(1)
    return {
        "precision": float((balls_around > 0).mean()),
        "recall": float(recalled.mean()),
        "density": float(balls_around.sum() / (k * len(fake))),
        "coverage": float(covered.mean()),
    }
