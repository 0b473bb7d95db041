"""One Gaussian fitted to a mixture of Gaussians on the line, by forward KL, reverse KL or JS.

Huszar 2015 (arXiv:1511.05101), section 2 and figure 1: KL(p, q) covers all modes, KL(q, p) seeks
one, JS lies between. p is the mixture, the data; q = N(m, s^2) the model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

PLACES = 2001  # of the trapezoidal rule, exact to rounding for smooth densities that fall off
REACH = 12.0  # deviations beyond the outermost centre: density 1e-32 of its height


@dataclass(frozen=True, eq=False)
class Mixture:
    """sum_k w_k N(c_k, s_k^2) on the line.

    Args:
        weights: w, [K], not negative, with the sum 1.
        centres: c, [K].
        deviations: s, [K], above 0.

    Raises:
        ValueError: shapes differ, NaN, or numbers that make no density.
    """

    weights: np.ndarray
    centres: np.ndarray
    deviations: np.ndarray

    def __post_init__(self) -> None:
        for name in ("weights", "centres", "deviations"):
            object.__setattr__(self, name, np.array(getattr(self, name), dtype=np.float64))
        w, c, s = self.weights, self.centres, self.deviations
        if w.ndim != 1 or not w.size or not w.shape == c.shape == s.shape:
            raise ValueError(f"Mixture: [K] three times, found {w.shape}, {c.shape}, {s.shape}")
        if not (np.isfinite([w, c, s]).all() and s.min() > 0):
            raise ValueError("Mixture: finite numbers only, and deviations above 0")
        if w.min() < 0 or abs(w.sum() - 1) > 1e-9:
            raise ValueError(f"Mixture: weights of 0 or more with the sum 1, found {w.tolist()}")

    def log_density(self, at: np.ndarray) -> np.ndarray:
        """ln p, [N], at places [N]."""
        with np.errstate(divide="ignore"):  # a weight of 0 has the logarithm -infinity
            logs = np.log(self.weights)
        parts = zip(logs, self.centres, self.deviations, strict=True)
        return np.logaddexp.reduce([w + log_normal(np.asarray(at), c, s) for w, c, s in parts])

    @property
    def mean(self) -> float:
        """sum w c."""
        return float(self.weights @ self.centres)

    @property
    def deviation(self) -> float:
        """sqrt(sum w (s^2 + (c - mean)^2))."""
        return float(np.sqrt(self.weights @ (self.deviations**2 + (self.centres - self.mean) ** 2)))


class Fit(NamedTuple):
    """The Gaussian found, and its divergence from the mixture in nats."""

    mean: float
    deviation: float
    divergence: float


Divergence = Callable[[np.ndarray, np.ndarray], float]  # of log densities on a lattice


def fit_forward_kl(mixture: Mixture) -> Fit:
    """argmin over q of KL(p, q): the mixture's own mean and deviation, in closed form.

    KL(p, q) = -H(p) + ln(s sqrt(2 pi)) + ((mean - m)^2 + deviation^2) / 2 s^2.
    """
    mean, deviation = mixture.mean, mixture.deviation
    return Fit(mean, deviation, divergence_of(mixture, mean, deviation, forward_kl))


def fit_reverse_kl(mixture: Mixture) -> Fit:
    """argmin over q of KL(q, p), numerically: as `fit`."""
    return fit(mixture, reverse_kl)


def fit_js(mixture: Mixture) -> Fit:
    """argmin over q of JS(p, q) = (KL(p, m) + KL(q, m)) / 2, numerically: as `fit`."""
    return fit(mixture, half_js)


def fit(mixture: Mixture, divergence: Divergence) -> Fit:
    """The best of the minima that Nelder and Mead's simplex finds from K + 1 starts.

    Starts are the mixture's moments and each of its Gaussians. Parameters are m and ln s, found to
    about 1e-6. Of equally good minima, as of a symmetric mixture's two modes, the first counts:
    the moments', then the Gaussians' in their order. The divergence is `forward_kl`, `reverse_kl`
    or `half_js`.
    """
    starts = [(mixture.mean, mixture.deviation)]
    starts += list(zip(mixture.centres, mixture.deviations, strict=True))
    best: Fit | None = None
    for mean, deviation in starts:
        found = minimize(
            lambda x: divergence_of(mixture, x[0], np.exp(x[1]), divergence),
            [mean, np.log(deviation)],
            method="Nelder-Mead",
            options={"xatol": 1e-7, "fatol": 1e-14, "maxiter": 1000},
        )
        if best is None or found.fun < best.divergence - 1e-10:
            best = Fit(float(found.x[0]), float(np.exp(found.x[1])), float(found.fun))
    assert best is not None
    return best


def divergence_of(mixture: Mixture, mean: float, deviation: float, divergence: Divergence) -> float:
    """The divergence between the mixture and N(mean, deviation^2), by the trapezoidal rule.

    Right to rounding while each deviation is at least a five-hundredth of the interval, which is 12
    deviations beyond the outermost centre on either side.
    """
    centres = np.append(mixture.centres, mean)
    reach = REACH * np.append(mixture.deviations, deviation)
    at = np.linspace((centres - reach).min(), (centres + reach).max(), PLACES)
    log_q = log_normal(at, mean, deviation)
    return float(at[1] - at[0]) * divergence(mixture.log_density(at), log_q)


def forward_kl(log_p: np.ndarray, log_q: np.ndarray) -> float:
    """sum p (ln p - ln q): KL(p, q) of the data from the model, but for the places' spacing."""
    return float(np.exp(log_p) @ (log_p - log_q))


def reverse_kl(log_p: np.ndarray, log_q: np.ndarray) -> float:
    """sum q (ln q - ln p): KL(q, p) of the model from the data, but for the places' spacing."""
    return float(np.exp(log_q) @ (log_q - log_p))


def half_js(log_p: np.ndarray, log_q: np.ndarray) -> float:
    """Half the sum of both KLs from the middle: the blog's JS, but for the places' spacing."""
    middle = np.logaddexp(log_p, log_q) - np.log(2)
    return (forward_kl(log_p, middle) + forward_kl(log_q, middle)) / 2


def log_normal(at: np.ndarray, mean: float, deviation: float) -> np.ndarray:
    """ln of the density of N(mean, deviation^2)."""
    return -(((at - mean) / deviation) ** 2) / 2 - np.log(deviation * np.sqrt(2 * np.pi))
