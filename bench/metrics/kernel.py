"""Squared maximum mean discrepancy, unbiased: Gretton et al. 2012 (JMLR 13, 723), equation 3.

E k(x, x') + E k(y, y') - 2 E k(x, y) over pairs of different samples. With the cubic polynomial
kernel on features it is the Kernel Inception Distance of Binkowski et al. 2018
(arXiv:1801.01401), section 4. Its mean is 0 for equal distributions, so it may be negative.

Features in float32 are multiplied in float32 and summed in float64, which takes half the time. With
u = 2^-24 and R^2 the largest |x|^2 / F, each k(x, y) is off by 3 (F + 6) u R^2 (R^2 + 1)^2 at most
(to first order; Higham 2002, Accuracy and Stability of Numerical Algorithms, equation 3.5), and the
distance by four times that. Over many pairs rounding errors cancel: between 10,000 training images
of MNIST and its 10,000 test images, in 64 features, the distance is off by 2e-8 of its value.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from scipy.spatial.distance import cdist

DIRECTIONS = {"kernel": "lower", "kernel_blocks": "lower", "mmd": "lower"}
UNITS = {
    "kernel": "squared distance under the cubic kernel; may be negative",
    "kernel_blocks": "squared distance under the cubic kernel, mean of blocks; may be negative",
    "mmd": "squared distance under Gaussian kernels, 0 to 2 for each; may be negative",
}
TITLES = {
    "kernel": "kernel distance",
    "kernel_blocks": "kernel distance, mean of blocks",
    "mmd": "MMD",
}
POSITIONS = {"kernel": 80, "kernel_blocks": 90, "mmd": 210}
BLOCK = 1024  # samples of a side at a time: memory and nothing else

Kernel = Callable[[np.ndarray, np.ndarray], np.ndarray]


def cubic(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(x.y / F + 1)^3, [n, m], of rows [n, F] and [m, F]: Binkowski et al. 2018, section 4."""
    base = x @ y.T
    base /= x.shape[1]
    base += 1
    return base * base * base


def cubic_minus_one(x: np.ndarray, y: np.ndarray, *, unit: float) -> np.ndarray:
    """(t + u)^3 - u^3 = t (t (t + 3 u) + 3 u^2), t = x.y / F, [n, m], of rows [n, F] and [m, F].

    For u = 1 `cubic` less 1, to the relative precision of t: u^3 is the same in all three means of
    the distance and cancels, but it would take the digits of a small t with it.
    """
    inner = x @ y.T
    inner /= x.shape[1]
    cube = inner + 3 * unit
    cube *= inner
    cube += 3 * unit**2
    cube *= inner
    return cube


def gaussian(x: np.ndarray, y: np.ndarray, *, bandwidths: Sequence[float]) -> np.ndarray:
    """sum_s exp(-|x - y|^2 / (2 s^2)) over bandwidths s, [n, m], of rows [n, F] and [m, F]."""
    squares = cdist(x, y, "sqeuclidean")
    total = np.zeros_like(squares)
    for bandwidth in bandwidths:
        total += np.exp(squares / (-2 * bandwidth**2))
    return total


def kernel_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """Unbiased MMD^2 under `cubic` between all of real [N, F] and all of fake [M, F].

    Raises:
        ValueError: fewer than two samples on a side, the widths differ, or not finite.
    """
    return _unbiased_cubic(real, fake, "kernel_distance")


def kernel_blocks(
    real: np.ndarray,
    fake: np.ndarray,
    real_subsets: Sequence[np.ndarray],
    fake_subsets: Sequence[np.ndarray],
) -> tuple[float, float]:
    """Mean over pairs of subsets of the unbiased MMD^2 under `cubic`, and its standard error.

    torch-fidelity and Binkowski et al. draw 100 subsets of 1000 without replacement (within a
    subset); compare_gan splits the samples into disjoint blocks, as `disjoint_blocks` does.

    Args:
        real, fake: features, [N, F] and [M, F].
        real_subsets, fake_subsets: indices of their rows; the i-th of both are compared.

    Returns:
        Mean, and standard deviation (over B - 1) / sqrt(B) of B values. The latter is the error
        of the mean for disjoint blocks only: subsets that overlap are not independent.

    Raises:
        ValueError: fewer than two pairs, unequal numbers of subsets, or as `kernel_distance`.
    """
    if len(real_subsets) != len(fake_subsets) or len(real_subsets) < 2:
        raise ValueError(
            f"kernel_blocks: as many real as generated subsets, two at least, "
            f"found {len(real_subsets)} and {len(fake_subsets)}"
        )
    real, fake = np.asarray(real), np.asarray(fake)
    pairs = zip(real_subsets, fake_subsets, strict=True)
    values = [_unbiased_cubic(real[i], fake[j], "kernel_blocks") for i, j in pairs]
    return float(np.mean(values)), float(np.std(values, ddof=1) / len(values) ** 0.5)


def disjoint_blocks(permutation: np.ndarray, size: int) -> list[np.ndarray]:
    """Cut a permutation into whole blocks of `size`; ValueError below 2 or above its length."""
    if not 2 <= size <= len(permutation):
        raise ValueError(
            f"disjoint_blocks: size must be between 2 and the {len(permutation)} samples, "
            f"found {size}"
        )
    whole = len(permutation) // size
    return np.split(permutation[: whole * size], whole)


def mmd(real: np.ndarray, fake: np.ndarray, bandwidths: Sequence[float]) -> float:
    """Unbiased MMD^2 under `gaussian`, squared, between points real [N, D] and fake [M, D].

    Raises:
        ValueError: a bandwidth is not positive, or as `kernel_distance`.
    """
    if not len(bandwidths) or not all(0 < bandwidth < np.inf for bandwidth in bandwidths):
        raise ValueError(f"mmd: bandwidths must be positive, found {list(bandwidths)}")
    return _unbiased(real, fake, partial(gaussian, bandwidths=bandwidths), "mmd")


def _unbiased_cubic(real: np.ndarray, fake: np.ndarray, name: str) -> float:
    """Unbiased MMD^2 under `cubic`; products in float32 where both sides are float32."""
    real, fake = np.asarray(real), np.asarray(fake)
    if not real.dtype == fake.dtype == np.float32:
        return _unbiased(real, fake, cubic, name)
    edges = [edge for side in (real, fake) for edge in (side.min(initial=0), side.max(initial=0))]
    largest = float(np.abs(edges).max())
    scale = 2.0 ** max(0, math.frexp(largest)[1] - 20)  # rounds nothing
    if scale > 1:  # or cubes, 2^120 at most here, could leave float32
        real, fake = real / scale, fake / scale
    kernel = partial(cubic_minus_one, unit=scale**-2)
    return scale**6 * _unbiased(real, fake, kernel, name, np.float32)


def _unbiased(
    real: np.ndarray, fake: np.ndarray, kernel: Kernel, name: str, dtype: type = np.float64
) -> float:
    """Unbiased MMD^2 of samples [N, D] and [M, D], which the kernel gets in blocks of `dtype`."""
    real, fake = np.asarray(real), np.asarray(fake)
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1:] != fake.shape[1:] or not real.shape[1]:
        raise ValueError(f"{name}: samples [N, F] and [M, F], found {real.shape}, {fake.shape}")
    if min(len(real), len(fake)) < 2:
        raise ValueError(f"{name}: two samples a side at least, found {len(real)} and {len(fake)}")
    if not all(np.isfinite(part).all() for side in (real, fake) for part in _blocks(side, dtype)):
        raise ValueError(f"{name}: samples hold NaN or infinity")
    pairs = ((x, y) for x in _blocks(real, dtype) for y in _blocks(fake, dtype))
    between = sum(kernel(x, y).sum(dtype=np.float64) for x, y in pairs)
    cross = between / (len(real) * len(fake))
    within = [_mean_within(side, kernel, dtype) for side in (real, fake)]
    value = within[0] + within[1] - 2 * cross
    if not np.isfinite(value):
        raise ValueError(f"{name}: samples are too large for float64")
    return float(value)


def _mean_within(samples: np.ndarray, kernel: Kernel, dtype: type) -> float:
    """Mean of k(x, x') over pairs of different samples; k is symmetric."""
    total = 0.0
    starts = range(0, len(samples), BLOCK)
    for start, x in zip(starts, _blocks(samples, dtype), strict=True):
        own = kernel(x, x)
        np.fill_diagonal(own, 0)
        total += own.sum(dtype=np.float64)
        others = _blocks(samples[start + BLOCK :], dtype)
        total += 2 * sum(kernel(x, y).sum(dtype=np.float64) for y in others)
    return total / (len(samples) * (len(samples) - 1))


def _blocks(samples: np.ndarray, dtype: type) -> Iterator[np.ndarray]:
    """Rows as `dtype`, BLOCK at a time."""
    for start in range(0, len(samples), BLOCK):
        yield samples[start : start + BLOCK].astype(dtype, copy=False)
