"""Modes found by a generator: centres of a mixture, or classes that a classifier sees.

Points: Srivastava et al. 2017 (VEEGAN, arXiv:1705.07761). A sample is of high quality if it lies
within `radius` of its nearest centre, three standard deviations there and in Lin et al. 2018
(PacGAN, arXiv:1712.04086), section 4.1. A mode is covered if `min_samples` such samples are
nearest to it, one in both papers.

Images: Metz et al. 2017 (arXiv:1611.02163), section 3.3, and VEEGAN on stacked digits: a class
is covered if one sample is classified as it, and the shares q of the classes among generated
samples are compared with their probabilities p by KL(q || p).
"""

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import rel_entr

DIRECTIONS = {
    "modes_covered": "higher",
    "high_quality": "higher",
    "classes_covered": "higher",
    "class_reverse_kl": "lower",
}
UNITS = {
    "modes_covered": "modes",
    "high_quality": "share of samples, 0 to 1",
    "classes_covered": "classes",
    "class_reverse_kl": "nats",
}
TITLES = {
    "modes_covered": "modes covered",
    "high_quality": "high quality",
    "classes_covered": "classes covered",
    "class_reverse_kl": "class reverse KL",
}
POSITIONS = {
    "modes_covered": 170,
    "high_quality": 180,
    "classes_covered": 150,
    "class_reverse_kl": 160,
}


def modes_covered(
    samples: np.ndarray, centres: np.ndarray, *, radius: float, min_samples: int
) -> int:
    """Number of centres [K, D] with at least `min_samples` high-quality samples [N, D].

    Raises:
        ValueError: as `high_quality`, or `min_samples` is below 1.
    """
    if min_samples < 1:
        raise ValueError(f"modes_covered: min_samples must be 1 at least, found {min_samples}")
    nearest, distance = nearest_centres(samples, centres)
    found = np.bincount(nearest[distance <= radius], minlength=len(centres))
    return int((found >= min_samples).sum())


def high_quality(samples: np.ndarray, centres: np.ndarray, *, radius: float) -> float:
    """Share of samples [N, D] within `radius` of their nearest centre [K, D].

    ValueError for no sample, or a coordinate that is not finite.
    """
    return float((nearest_centres(samples, centres)[1] <= radius).mean())


def classes_covered(logits: np.ndarray) -> int:
    """Number of classes that are some sample's largest logit, [N, K].

    ValueError for no sample, fewer than two classes, or a logit that is not finite.
    """
    return int((_class_shares(logits) > 0).sum())


def class_reverse_kl(logits: np.ndarray, class_probabilities: np.ndarray) -> float:
    """KL(q || p) = sum_i q_i log(q_i / p_i) with q_i the share of samples of class i.

    Args:
        logits: of generated samples, [N, K]; a sample is of the class of its largest.
        class_probabilities: p [K], of the data: known (uniform for stacked digits) or counted
            where every class occurs. It is given, since a class that a small real set happens to
            lack would cost infinitely much.

    Returns:
        0 where the shares agree; log(K / m) for m of K equally probable classes, equally often.
        N samples from p itself have (K - 1) / 2N on average while N is well above K.

    Raises:
        ValueError: as `classes_covered`; the probabilities are negative, do not sum to 1, or are
            0 for a class that occurs.
    """
    found, expected = _class_shares(logits), np.asarray(class_probabilities, dtype=np.float64)
    are_shares = (expected >= 0).all() and abs(expected.sum() - 1) < 1e-6
    if expected.shape != found.shape or not are_shares:
        raise ValueError(
            f"class_reverse_kl: class_probabilities must be {len(found)} numbers of at least 0 "
            f"with the sum 1, found shape {expected.shape}, sum {expected.sum():g}"
        )
    if (found[expected == 0] > 0).any():
        lacking = np.flatnonzero((expected == 0) & (found > 0)).tolist()
        raise ValueError(f"class_reverse_kl: classes {lacking} occur, but have probability 0")
    return float(rel_entr(found, expected).sum())


def _class_shares(logits: np.ndarray) -> np.ndarray:
    logits = np.asarray(logits)
    if logits.ndim != 2 or not len(logits) or logits.shape[1] < 2:
        raise ValueError(
            f"classes: logits must be [N, K], two classes at least, found {logits.shape}"
        )
    if not np.isfinite(logits).all():
        raise ValueError("classes: logits hold NaN or infinity")
    return np.bincount(logits.argmax(1), minlength=logits.shape[1]) / len(logits)


def nearest_centres(samples: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each sample's nearest centre, [N] of the K, and its distance, [N].

    ValueError for no sample [N, D], or a coordinate that is not finite.
    """
    samples = np.asarray(samples, dtype=np.float64)
    if samples.ndim != 2 or not len(samples) or not np.isfinite(samples).all():
        raise ValueError("modes: samples must be finite points [N, D], one at least")
    distances = cdist(samples, centres)
    nearest = distances.argmin(1)
    return nearest, distances[np.arange(len(samples)), nearest]
