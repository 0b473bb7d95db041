"""Inverse transform sampling as a yardstick: a map G of u, uniform in (0, 1), against F^-1.

F^-1(u) has the distribution F (Devroye 1986, Non-Uniform Random Variate Generation, II.2). So has
F^-1(1 - u), and F^-1 after any map that keeps the uniform distribution: a generator that learnt one
of these is as good. What is compared with F^-1 is therefore the increasing rearrangement of G,
which all of these share.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from bench.divergences.mixtures import Mixture
from bench.divergences.quantiles import Quantile

HALVINGS = 200  # a bracket of any width is down to neighbouring numbers long before


class Gap(NamedTuple):
    """Distance of an increasing rearrangement from F^-1.

    Args:
        mean: mean |difference|: W_1 between n equally likely places and F, but for what n levels
            cannot see.
        largest: the same at the worst of the levels; the tails' business, as a rule.
    """

    mean: float
    largest: float


def sample_gap(samples: np.ndarray, quantile: Quantile) -> Gap:
    """Sorted samples x_(i) against F^-1((i - 1/2) / n), i = 1 ... n.

    Args:
        samples: of a one-dimensional generator, [n] or [n, 1].
        quantile: F^-1, levels [n] in (0, 1) to places [n]; of a `Mixture`, `mixture_quantile`.

    Returns:
        About sigma / sqrt(n) in the mean for n samples of F itself: 0 is for maps, see `map_gap`.

    Raises:
        ValueError: no samples, more than one coordinate, or a number that is not finite.
    """
    samples = np.asarray(samples, dtype=np.float64)
    if samples.ndim == 2 and samples.shape[1] == 1:
        samples = samples[:, 0]
    if samples.ndim != 1 or not samples.size:
        raise ValueError(f"inverse: samples on the line, one at least, found {samples.shape}")
    wanted = _numbers(quantile, _levels(samples.size), "quantile")
    if not np.isfinite(samples).all():
        raise ValueError("inverse: samples hold NaN or infinity")
    apart = np.abs(np.sort(samples) - wanted)
    return Gap(float(apart.mean()), float(apart.max()))


def map_gap(learned: Quantile, quantile: Quantile, count: int) -> Gap:
    """The increasing rearrangement of G against F^-1, at the levels (i - 1/2) / n.

    Args:
        learned: G, u [n] in (0, 1) to places [n]; a generator of one latent z is G after
            z = 2 u - 1 for U(-1, 1), after z = ndtri(u) for N(0, 1).
        quantile: F^-1, as for `sample_gap`.
        count: n, levels.

    Returns:
        0 for F^-1(u), F^-1(1 - u) and F^-1(frac(u + c)), to the width of a level; |c| twice for
        F^-1(u) + c.

    Raises:
        ValueError: n is below 1, or a value is not finite.
    """
    if count < 1:
        raise ValueError(f"inverse: {count} levels; one at least")
    return sample_gap(_numbers(learned, _levels(count), "learned map"), quantile)


def mixture_cumulative(mixture: Mixture, places: np.ndarray) -> np.ndarray:
    """F(x) = sum_k w_k Phi((x - c_k) / s_k), [N], at places [N]."""
    places = np.asarray(places, dtype=np.float64)[..., None]
    return ndtr((places - mixture.centres) / mixture.deviations) @ mixture.weights


def mixture_quantile(mixture: Mixture, levels: np.ndarray) -> np.ndarray:
    """F^-1(u), [N], of levels u [N], by bisection, to the rounding of F, above the median of 1 - F.

    In a gap between far modes F is flat and many places are right to rounding: one is given.

    Raises:
        ValueError: a level is not in (0, 1).
    """
    levels = np.asarray(levels, dtype=np.float64)
    if not ((levels > 0) & (levels < 1)).all():
        raise ValueError("inverse: levels lie between 0 and 1, both excluded")
    mirrored = Mixture(mixture.weights, -mixture.centres, mixture.deviations)
    # 39 deviations: ndtr is 0 and 1 in float64 beyond, so the levels' places lie within
    low = np.full(levels.shape, (mixture.centres - 39 * mixture.deviations).min())
    high = np.full(levels.shape, (mixture.centres + 39 * mixture.deviations).max())
    for _ in range(HALVINGS):
        middle = low + (high - low) / 2
        left = mixture_cumulative(mixture, middle) < levels
        right = mixture_cumulative(mirrored, -middle) > 1 - levels
        below = np.where(levels <= 0.5, left, right)
        low, high = np.where(below, middle, low), np.where(below, high, middle)
        if (high - low <= np.spacing(np.maximum(np.abs(low), np.abs(high)))).all():
            break
    return high


def _levels(count: int) -> np.ndarray:
    """(i - 1/2) / n for i = 1 ... n: the middles of n equal parts of (0, 1)."""
    return (np.arange(count) + 0.5) / count


def _numbers(function: Quantile, levels: np.ndarray, name: str) -> np.ndarray:
    """The function's values, one finite number for each level."""
    values = np.asarray(function(levels), dtype=np.float64)
    if values.shape != levels.shape or not np.isfinite(values).all():
        raise ValueError(
            f"inverse: the {name} must give a finite number for each of {levels.shape} levels, "
            f"found {values.shape}"
        )
    return values
