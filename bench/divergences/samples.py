"""Estimates from samples, each with its bias: binned for plug-in, and nearest neighbours for KL.

W_1 between samples is `wasserstein(Measure.of(x), Measure.of(y), 1)`, whose bias stands there.
"""

import numpy as np
from scipy.spatial import cKDTree

from bench.divergences.measures import Measure


def binned(points: np.ndarray, width: float) -> Measure:
    """Shares of points [N, D] in the cells of a lattice of this width, on the cells' centres.

    `kl`, `js` and `tv` of two such measures are the plug-in estimates. Two biases: cells hide
    what happens inside them, so that the distances of the binned distributions are below the true
    ones (data processing); and shares of finite samples differ where the distributions do not,
    so that the estimates are above those. With K occupied cells and n against m samples of one
    distribution, to leading order while the cells hold many samples each:

        JS: (K - 1) (1/n + 1/m) / 8
        TV: sum_k sqrt(p_k (1 - p_k) (1/n + 1/m) / (2 pi))
        KL: infinite as soon as an occupied cell of the first has no sample of the second

    In the limit of small cells no two samples share one: JS = ln 2, TV = 1, KL = infinity,
    whatever the distributions, the same one on both sides included.

    Args:
        points: [N, D]; cells are [k width, (k + 1) width) in each coordinate.
        width: above 0, in units of the points.

    Raises:
        ValueError: no point, NaN or infinity, or a width that is not above 0 or so small that
            float64 cannot count the cells.
    """
    points = _points("binned", points)
    if not (np.isfinite(width) and width > 0):
        raise ValueError(f"binned: a width above 0, found {width}")
    cells = np.floor(points / width)
    if np.abs(cells).max() > 2**52:
        raise ValueError(f"binned: a width of {width:g} is too small for points of this size")
    found, counts = np.unique(cells, axis=0, return_counts=True)
    return Measure((found + 0.5) * width, counts / len(points))


def nearest_kl(x: np.ndarray, y: np.ndarray, *, k: int) -> float:
    """(D / n) sum_i ln(nu_k(i) / rho_k(i)) + ln(m / (n - 1)), an estimate of KL in nats.

    Wang, Kulkarni and Verdu 2009 (IEEE Trans. Inf. Theory 55, 2392): rho_k(i) is the distance of
    x_i to its k-th nearest other x, nu_k(i) that to its k-th nearest y. Consistent for densities as
    n and m grow. The bias has no closed form: near 0 between samples of one distribution, and the
    lower the larger KL and k are, since distances grow only with the gap. With 1,000 unit Gaussian
    samples on a side and k = 1 its mean was 3.9 for 4.5, 6.9 for 12.5 and 8.3 for 32, and in ten
    dimensions 1.4 for 2. It may be negative, and is finite where the truth is infinite.

    Args:
        x: samples of the first distribution, [n, D].
        y: of the second, [m, D].
        k: 1 or more, below n and at most m; a larger one trades variance for bias.

    Raises:
        ValueError: dimensions differ, k does not fit, NaN, or a point that occurs more than k
            times: there is no density.
    """
    x, y = _points("nearest_kl", x), _points("nearest_kl", y)
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"nearest_kl: points of one dimension, found {x.shape} and {y.shape}")
    if not 1 <= k <= min(len(x) - 1, len(y)):
        raise ValueError(f"nearest_kl: k from 1 to {min(len(x) - 1, len(y))}, found {k}")
    among = cKDTree(x).query(x, [k + 1])[0][:, 0]  # the nearest is the point itself
    across = cKDTree(y).query(x, [k])[0][:, 0]
    if not (among.min() > 0 and across.min() > 0):
        raise ValueError(f"nearest_kl: a point occurs more than {k} times: there is no density")
    ratio = np.log(across / among).mean()
    return float(x.shape[1] * ratio + np.log(len(y) / (len(x) - 1)))


def _points(name: str, points: np.ndarray) -> np.ndarray:
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or not points.size or not np.isfinite(points).all():
        raise ValueError(f"{name}: finite points [N, D], one at least, found {points.shape}")
    return points
