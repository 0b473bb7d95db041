"""Parallel lines: Arjovsky et al. 2017 (arXiv:1701.07875), Example 1.

(0, y) against (theta, y), y uniform in [0, 1]: of the four only W1 knows how far apart they are.
"""

from math import inf, isfinite, log
from typing import NamedTuple


class ParallelLines(NamedTuple):
    """The four distances of the example, in nats but for the last, in units of theta."""

    tv: float
    kl: float
    js: float
    w1: float


def parallel_lines(theta: float) -> ParallelLines:
    """TV = 1, KL = infinity in both directions, JS = ln 2, W1 = |theta|; all 0 at theta = 0.

    JS is half of the slides', which is 2 ln 2. ValueError where theta is not finite.
    """
    if not isfinite(theta):
        raise ValueError(f"parallel_lines: a finite theta, found {theta}")
    if theta == 0:
        return ParallelLines(0.0, 0.0, 0.0, 0.0)
    return ParallelLines(1.0, inf, log(2), abs(float(theta)))
