"""Discrete measures, and KL, JS and total variation between them, in nats.

JS is the usual one, Lin 1991 (IEEE Trans. Inf. Theory 37, 145): half of KL(mu, m) + KL(nu, m) with
m = (mu + nu) / 2, at most ln 2, as in section 2 of the blog that the suite examines. The slides
beside it leave the half out: theirs is twice this one, at most 2 ln 2. Total variation is
sup_A |mu(A) - nu(A)|, at most 1 (Arjovsky et al. 2017, arXiv:1701.07875, section 2). Measures in
different dimensions have no distance: every function of two raises a ValueError for them.
"""

from dataclasses import dataclass
from math import log
from typing import NamedTuple

import numpy as np
from scipy.special import rel_entr

SUM_TOLERANCE = 1e-9  # how far from 1 weights may sum: what adding a million of them may lose


@dataclass(frozen=True, eq=False)
class Measure:
    """sum_i w_i delta(x_i), a probability on finitely many points, which may repeat.

    Args:
        points: x, [N, D].
        weights: w, [N], not negative, with the sum 1 to 1e-9; kept divided by that sum.

    Raises:
        ValueError: no point, shapes that do not fit, NaN or infinity, or weights that are no
            probabilities.
    """

    points: np.ndarray
    weights: np.ndarray

    def __post_init__(self) -> None:
        points = np.array(self.points, dtype=np.float64) + 0.0  # -0.0 is 0.0
        weights = np.array(self.weights, dtype=np.float64)
        if points.ndim != 2 or not points.size:
            raise ValueError(f"Measure: points [N, D], one at least, found {points.shape}")
        if weights.shape != points.shape[:1]:
            raise ValueError(
                f"Measure: one weight for each of {len(points)} points, found {weights.shape}"
            )
        if not (np.isfinite(points).all() and np.isfinite(weights).all()):
            raise ValueError("Measure: points or weights hold NaN or infinity")
        if weights.min() < 0:
            raise ValueError(f"Measure: negative mass, {weights.min():g}")
        total = weights.sum()
        if abs(total - 1) > SUM_TOLERANCE:
            raise ValueError(f"Measure: weights must have the sum 1, found {total:.12g}")
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "weights", weights / total)

    @classmethod
    def of(cls, points: np.ndarray) -> "Measure":
        """The empirical measure of points [N, D]: 1/N on each."""
        count = len(points)
        return cls(points, np.full(count, 1 / max(count, 1)))


class Common(NamedTuple):
    """Two measures on one list of points.

    Args:
        points: [K, D], each once, in lexicographic order.
        mu, nu: their weights there, [K].
    """

    points: np.ndarray
    mu: np.ndarray
    nu: np.ndarray


def on_common_points(mu: Measure, nu: Measure) -> Common:
    """Both measures on the union of their points; weights of repeated points are added."""
    same_dimension(mu, nu)
    both = np.concatenate([mu.points, nu.points])
    points, places = np.unique(both, axis=0, return_inverse=True)
    places = places.reshape(-1)  # numpy 2.0 alone gives it a second axis
    n, k = len(mu.points), len(points)
    parts = ((places[:n], mu.weights), (places[n:], nu.weights))
    return Common(points, *(np.bincount(at, weights, minlength=k) for at, weights in parts))


def kl(mu: Measure, nu: Measure) -> float:
    """KL(mu, nu) = sum mu ln(mu / nu), in nats; infinity where mu has mass and nu has none."""
    _, p, q = on_common_points(mu, nu)
    return max(float(rel_entr(p, q).sum()), 0.0)


def js(mu: Measure, nu: Measure) -> float:
    """JS(mu, nu) = (KL(mu, m) + KL(nu, m)) / 2 with m = (mu + nu) / 2, in nats.

    From 0 to ln 2 = 0.693, which it is where no point has mass under both; the slides' is twice
    this.
    """
    _, p, q = on_common_points(mu, nu)
    middle = (p + q) / 2
    found = float((rel_entr(p, middle) + rel_entr(q, middle)).sum() / 2)
    return min(max(found, 0.0), log(2))


def tv(mu: Measure, nu: Measure) -> float:
    """sup_A |mu(A) - nu(A)| = sum |mu - nu| / 2, from 0 to 1."""
    _, p, q = on_common_points(mu, nu)
    return min(float(np.abs(p - q).sum() / 2), 1.0)


def same_dimension(mu: Measure, nu: Measure) -> None:
    """Refuse, with a ValueError, two measures that have no space in common."""
    found = mu.points.shape[1], nu.points.shape[1]
    if found[0] != found[1]:
        raise ValueError(f"divergences: measures of one dimension, found {found[0]} and {found[1]}")
