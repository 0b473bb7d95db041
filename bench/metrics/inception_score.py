"""Inception Score: Salimans et al. 2016 (arXiv:1606.03498), section 4.

Over all samples at once, as Lucic et al. 2018 report it, not the mean over ten splits. It never
looks at real images: a classifier's favourite image of each class, repeated, has the best score.
"""

import numpy as np
from scipy.special import entr, softmax

DIRECTIONS = {"inception_score": "higher"}
UNITS = {"inception_score": "effective number of classes, 1 to K"}


def inception_score(logits: np.ndarray) -> float:
    """exp(E_x KL(p(y|x) || p(y))) with p(y|x) = softmax of logits [N, K].

    Returns:
        1 when every sample has the same class probabilities; K when each is certain of its
        class and the K classes are equally frequent.

    Raises:
        ValueError: no sample, or a logit is not finite.
    """
    logits = np.asarray(logits, dtype=np.float64)
    if not np.isfinite(logits).all():
        raise ValueError("inception_score: logits hold NaN or infinity")
    return inception_score_of_probabilities(softmax(logits, axis=1))


def inception_score_of_probabilities(probabilities: np.ndarray) -> float:
    """The same from p(y|x) [N, K], rows summing to 1.

    E KL(p(y|x) || p(y)) = H(p(y)) - E H(p(y|x)), and the entropy of a certain class is 0.

    Raises:
        ValueError: no sample, an entry is negative, or a row does not sum to 1.
    """
    probabilities = np.asarray(probabilities, dtype=np.float64)
    if probabilities.ndim != 2 or not probabilities.size:
        raise ValueError(f"inception_score: one row [N, K] at least, found {probabilities.shape}")
    # Written so that NaN is refused too.
    if not (probabilities.min() >= 0 and np.abs(probabilities.sum(1) - 1).max() < 1e-5):
        raise ValueError("inception_score: rows must be probabilities that sum to 1")
    information = entr(probabilities.mean(0)).sum() - entr(probabilities).sum(1).mean()
    return float(np.exp(max(information, 0.0)))
