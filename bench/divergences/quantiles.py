"""W_p on the line: int_0^1 |F^-1(u) - G^-1(u)|^p du, for the sorted coupling is optimal.

Villani 2003, Topics in Optimal Transportation, theorem 2.18 and the remarks after it.
"""

import numpy as np

from bench.divergences.measures import Measure
from bench.divergences.quadrature import Function, integrate
from bench.divergences.transport import check_order

Quantile = Function


def wasserstein_line(mu: Measure, nu: Measure, p: float) -> float:
    """W_p of measures on the line, exactly, in N log N: samples of any size and weights.

    Raises:
        ValueError: points of more than one coordinate, p below 1, or costs beyond float64.
    """
    check_order(p)
    if mu.points.shape[1] != 1 or nu.points.shape[1] != 1:
        raise ValueError(
            "wasserstein_line: points [N, 1] on both sides, "
            f"found {mu.points.shape} and {nu.points.shape}"
        )
    (x, below_x), (y, below_y) = _steps(mu), _steps(nu)
    levels = np.unique(np.concatenate([[0.0], below_x, below_y]))
    within = (levels[1:] + levels[:-1]) / 2  # the quantile functions are constant between levels
    first = x[np.searchsorted(below_x, within).clip(max=len(x) - 1)]
    far = np.abs(first - y[np.searchsorted(below_y, within).clip(max=len(y) - 1)])
    with np.errstate(over="ignore"):
        cost = float((np.diff(levels) * far**p).sum())
    if not np.isfinite(cost):
        raise ValueError(f"divergences: |x - y|^{p:g} is too large for float64")
    return cost ** (1 / p)


def wasserstein_quantiles(quantile_1: Quantile, quantile_2: Quantile, p: float) -> float:
    """W_p of two distributions on the line, from F^-1 and G^-1, by quadrature.

    Args:
        quantile_1, quantile_2: levels [n] in (0, 1) to places [n], `scipy.stats.norm.ppf` say.
        p: 1 or more.

    Returns:
        W_p to about 1e-9 for Gaussian tails; infinite moments are not noticed.

    Raises:
        ValueError: p below 1, or NaN.
    """
    check_order(p)

    def apart(u: np.ndarray) -> np.ndarray:
        u = u.clip(max=1 - 2**-53)  # a level that rounding makes 1 has an infinite quantile
        return np.abs(quantile_1(u) - quantile_2(u)) ** p

    return integrate(apart, 0.0, 1.0).value ** (1 / p)


def _steps(measure: Measure) -> tuple[np.ndarray, np.ndarray]:
    """Places in order, and the mass up to each."""
    order = np.argsort(measure.points[:, 0], kind="stable")
    below = np.cumsum(measure.weights[order])
    return measure.points[order, 0], below / below[-1]
