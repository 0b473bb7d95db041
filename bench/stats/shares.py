"""Intervals of a difference of shares, from counts."""

from math import hypot, sqrt

from scipy.special import ndtri


def share_difference(
    hits_1: int, n_1: int, hits_2: int, n_2: int, *, confidence: float
) -> tuple[float, float]:
    """Interval of p_1 - p_2 from independent counts: Newcombe 1998 (Stat. in Medicine 17, 873).

    Method 10: p_1 - p_2 - sqrt((p_1 - l_1)^2 + (u_2 - p_2)^2) and p_1 - p_2 + sqrt((u_1 - p_1)^2
    + (p_2 - l_2)^2), with Wilson's bounds l and u of each share; it stays sensible for 0 and n.

    Args:
        hits_1, hits_2: how many of n_1 and n_2, [0, n].
        confidence: of both sides together, 0.95 say.

    Raises:
        ValueError: a count is not within 0 and its n, or n is 0.
    """
    for hits, n in ((hits_1, n_1), (hits_2, n_2)):
        if not 0 <= hits <= n or n < 1:
            raise ValueError(f"share_difference: hits must be 0 to n of n > 0, found {hits} of {n}")
    p_1, p_2 = hits_1 / n_1, hits_2 / n_2
    low_1, high_1 = _wilson(p_1, n_1, confidence)
    low_2, high_2 = _wilson(p_2, n_2, confidence)
    below, above = hypot(p_1 - low_1, high_2 - p_2), hypot(high_1 - p_1, p_2 - low_2)
    return p_1 - p_2 - below, p_1 - p_2 + above


def _wilson(share: float, n: int, confidence: float) -> tuple[float, float]:
    """Solve (p - share)^2 = z^2 p (1 - p) / n: Wilson 1927 (J. Am. Stat. Assoc. 22, 209)."""
    z = float(ndtri((1 + confidence) / 2))
    centre, spread = share + z**2 / (2 * n), z * sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    return (centre - spread) / (1 + z**2 / n), (centre + spread) / (1 + z**2 / n)
