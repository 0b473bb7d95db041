"""Whether two are different, equivalent within a margin, or undecided: not to differ is not enough.

Schuirmann 1987 (J. Pharmacokinet. Biopharm. 15, 657): equivalence is shown by two one-sided tests,
which reject at level alpha where the interval of 1 - 2 alpha lies inside the margin. The interval
here is one of 1 - alpha, and so stricter.
"""

from bench.stats.intervals import Interval

DIFFERENT, EQUIVALENT, UNDECIDED = "different", "equivalent", "undecided"


def compare(difference: Interval, margin: float) -> str:
    """Return EQUIVALENT, DIFFERENT or UNDECIDED of a difference with its interval.

    Args:
        margin: largest difference that does not matter, fixed beforehand; 0 for none.

    Returns:
        EQUIVALENT where the whole interval lies within the margin, even where it excludes 0;
        else DIFFERENT where it excludes 0.

    Raises:
        ValueError: a negative margin, or NaN.
    """
    _, low, high = difference
    if not margin >= 0 or not low <= high:
        raise ValueError(
            f"compare: a margin from 0 on and an interval, found {margin}, {low, high}"
        )
    if -margin < low and high < margin:
        return EQUIVALENT
    return DIFFERENT if low > 0 or high < 0 else UNDECIDED
