"""Squared maximum mean discrepancy, unbiased: Gretton et al. 2012 (JMLR 13, 723), equation 3.

E k(x, x') + E k(y, y') - 2 E k(x, y) over pairs of different samples. With the cubic polynomial
kernel on features it is the Kernel Inception Distance of Binkowski et al. 2018
(arXiv:1801.01401), section 4. Its mean is 0 for equal distributions, so it may be negative.
"""

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
    return _unbiased(real, fake, cubic, "kernel_distance")


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
    values = [_unbiased(real[i], fake[j], cubic, "kernel_blocks") for i, j in pairs]
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


def _unbiased(real: np.ndarray, fake: np.ndarray, kernel: Kernel, name: str) -> float:
    real, fake = np.asarray(real), np.asarray(fake)
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1:] != fake.shape[1:] or not real.shape[1]:
        raise ValueError(f"{name}: samples [N, F] and [M, F], found {real.shape}, {fake.shape}")
    if min(len(real), len(fake)) < 2:
        raise ValueError(f"{name}: two samples a side at least, found {len(real)} and {len(fake)}")
    if not all(np.isfinite(part).all() for side in (real, fake) for part in _blocks(side)):
        raise ValueError(f"{name}: samples hold NaN or infinity")
    between = sum(kernel(x, y).sum() for x in _blocks(real) for y in _blocks(fake))
    cross = between / (len(real) * len(fake))
    value = _mean_within(real, kernel) + _mean_within(fake, kernel) - 2 * cross
    if not np.isfinite(value):
        raise ValueError(f"{name}: samples are too large for float64")
    return float(value)


def _mean_within(samples: np.ndarray, kernel: Kernel) -> float:
    """Mean of k(x, x') over pairs of different samples; k is symmetric."""
    total = 0.0
    for start, x in zip(range(0, len(samples), BLOCK), _blocks(samples), strict=True):
        own = kernel(x, x)
        np.fill_diagonal(own, 0)
        total += own.sum()
        total += 2 * sum(kernel(x, y).sum() for y in _blocks(samples[start + BLOCK :]))
    return total / (len(samples) * (len(samples) - 1))


def _blocks(samples: np.ndarray) -> Iterator[np.ndarray]:
    """Rows in float64, BLOCK at a time."""
    for start in range(0, len(samples), BLOCK):
        yield samples[start : start + BLOCK].astype(np.float64)
