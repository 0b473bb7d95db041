"""Inception Score: Salimans et al. 2016 (arXiv:1606.03498), section 4.

Over all samples at once, as Lucic et al. 2018 report it, or as the mean over splits, as the
paper's code does. It never looks at real images: a classifier's favourite image of each class,
repeated, has the best score.
"""

from collections.abc import Iterator

import numpy as np
from scipy.special import entr, softmax

DIRECTIONS = {"inception_score": "higher", "inception_score_splits": "higher"}
UNITS = {
    "inception_score": "effective number of classes, 1 to K",
    "inception_score_splits": "effective number of classes, 1 to K; mean over splits",
}
TITLES = {
    "inception_score": "Inception Score formula",
    "inception_score_splits": "Inception Score formula, mean of splits",
}
POSITIONS = {"inception_score": 70, "inception_score_splits": 240}
BLOCK_BYTES = 2**24  # of rows in float64 at a time: memory and nothing else


def inception_score(logits: np.ndarray) -> float:
    """exp(E_x KL(p(y|x) || p(y))) with p(y|x) = softmax of logits [N, K].

    Returns:
        1 when every sample has the same class probabilities; K when each is certain of its
        class and the K classes are equally frequent.

    Raises:
        ValueError: no sample, or a logit is not finite.
    """
    count, total, entropy = 0, np.zeros(1), 0.0
    for rows in _blocks(logits):
        if not np.isfinite(rows).all():
            raise ValueError("inception_score: logits hold NaN or infinity")
        probabilities = softmax(rows, axis=1)
        count += len(rows)
        total = total + probabilities.sum(0)
        entropy += entr(probabilities).sum()  # that of a certain class is 0
    information = entr(total / count).sum() - entropy / count  # H(p(y)) - E H(p(y|x))
    return float(np.exp(max(information, 0.0)))


def inception_score_splits(logits: np.ndarray, splits: int) -> tuple[float, float]:
    """Mean, and standard deviation over `splits` (not less one), of the scores of parts.

    The parts are contiguous, from row i N // splits on, in the order given, as in the code of
    Salimans et al. and in torch-fidelity, which shuffles first. A smaller part scores lower.

    Args:
        logits: [N, K], shuffled if they come sorted.
        splits: number of parts; 10 of 5,000 there.

    Raises:
        ValueError: fewer samples than splits, no split, or a logit is not finite.
    """
    logits = np.asarray(logits)
    if not 1 <= splits <= len(logits):
        raise ValueError(
            f"inception_score_splits: splits must be between 1 and the {len(logits)} samples, "
            f"found {splits}"
        )
    ends = [i * len(logits) // splits for i in range(splits + 1)]
    parts = [inception_score(logits[a:b]) for a, b in zip(ends, ends[1:], strict=False)]
    return float(np.mean(parts)), float(np.std(parts))


def _blocks(rows: np.ndarray) -> Iterator[np.ndarray]:
    rows = np.asarray(rows)
    if rows.ndim != 2 or not rows.size:
        raise ValueError(f"inception_score: one row [N, K] at least, found {rows.shape}")
    height = max(1, BLOCK_BYTES // (8 * rows.shape[1]))
    for start in range(0, len(rows), height):
        yield rows[start : start + height].astype(np.float64)
