"""KL, JS and total variation of two densities on the line, by quadrature, and the GAN's game.

Densities are given by their logarithms, -infinity where there is no mass: ratios then stay exact
far out, where both densities are 0 in floating point. The game: Goodfellow et al. 2014
(arXiv:1406.2661), proposition 1 and theorem 1. Natural logarithms; JS is half of the slides'.
"""

import numpy as np
from scipy.special import expit, log_expit

from bench.divergences.quadrature import Function, Integral, integrate

LogDensity = Function
MASS = 1e-6  # how far from 1 the mass inside the interval may be


def density_kl(log_p: LogDensity, log_q: LogDensity, low: float, high: float) -> Integral:
    """int p (ln p - ln q) from low to high, in nats, with its error.

    Args:
        log_p, log_q: places [n] to log densities [n], `scipy.stats.norm(0, 1).logpdf` say.
        low, high: an interval outside of which neither has mass that counts.

    Returns:
        Infinity where q is 0 and p is not, at some node of the quadrature.

    Raises:
        ValueError: no interval, NaN, or the mass of a density inside is not 1 to 1e-6: it lies
            outside, or is so narrow that no node has met it.
    """
    p, q = _inside(log_p, low, high), _inside(log_q, low, high)
    return _positive(integrate(lambda x: _weighted(p(x), _difference(p(x), q(x))), low, high))


def density_js(log_p: LogDensity, log_q: LogDensity, low: float, high: float) -> Integral:
    """(KL(p, m) + KL(q, m)) / 2 with m = (p + q) / 2, in nats: from 0 to ln 2.

    Args, Returns and Raises: as `density_kl`, but never infinite.
    """
    p, q = _inside(log_p, low, high), _inside(log_q, low, high)

    def both(x: np.ndarray) -> np.ndarray:
        middle = np.logaddexp(p(x), q(x)) - np.log(2)
        one, two = (_weighted(f(x), _difference(f(x), middle)) for f in (p, q))
        return (one + two) / 2

    return _positive(integrate(both, low, high))


def density_tv(log_p: LogDensity, log_q: LogDensity, low: float, high: float) -> Integral:
    """int |p - q| / 2, from 0 to 1.

    Args, Returns and Raises: as `density_kl`, but never infinite.
    """
    p, q = _inside(log_p, low, high), _inside(log_q, low, high)
    return integrate(lambda x: np.abs(np.exp(p(x)) - np.exp(q(x))) / 2, low, high)


def optimal_discriminator(log_real: LogDensity, log_fake: LogDensity, at: np.ndarray) -> np.ndarray:
    """D*(x) = p_r / (p_r + p_g), as sigmoid(ln p_r - ln p_g), [N] at places [N].

    1/2 where the densities agree; NaN where both are 0 and nothing determines it.
    """
    return expit(optimal_logit(log_real, log_fake, at))


def optimal_logit(log_real: LogDensity, log_fake: LogDensity, at: np.ndarray) -> np.ndarray:
    """ln D* / (1 - D*) = ln p_r - ln p_g, [N] at places [N]; NaN where both densities are 0.

    Linear in x for two Gaussians of one variance: D* saturates, its logit does not.
    """
    at = np.asarray(at, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray(log_real(at)) - np.asarray(log_fake(at))


def game_value(
    log_real: LogDensity, log_fake: LogDensity, logit: Function, low: float, high: float
) -> Integral:
    """V(D, G) = E_r[ln D] + E_g[ln(1 - D)] of any discriminator D = sigmoid(logit), in nats.

    For D* it is 2 JS - 2 ln 2 (the slides': JS - 2 ln 2, with their twofold JS), and -2 ln 2 =
    -1.386 where the generator has found the data's distribution and D* = 1/2. No D exceeds D*.

    Args:
        log_real, log_fake, low, high: as in `density_kl`.
        logit: places [n] to logits [n]; `optimal_logit`'s for D*.

    Raises:
        ValueError: as `density_kl`; a logit that is NaN where a density has mass.
    """
    real, fake = _inside(log_real, low, high), _inside(log_fake, low, high)

    def both(x: np.ndarray) -> np.ndarray:
        scores = np.asarray(logit(x), dtype=np.float64)
        return _weighted(real(x), log_expit(scores)) + _weighted(fake(x), log_expit(-scores))

    return integrate(both, low, high)


def _positive(found: Integral) -> Integral:
    """Set a value below 0, which only rounding can give, to 0."""
    return Integral(max(found.value, 0.0), found.error)


def _weighted(log_density: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Density times values, and 0 where there is no density, whatever the value."""
    density = np.exp(log_density)
    return np.where(density > 0, density * np.where(density > 0, values, 0), 0)


def _difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # both -infinity: no mass, not counted
        return one - other


def _inside(log_density: LogDensity, low: float, high: float) -> LogDensity:
    """Return the log density, after checking that its mass between low and high is 1."""
    mass = integrate(lambda x: np.exp(log_density(x)), low, high, tolerance=1e-9).value
    if not abs(mass - 1) <= MASS:
        raise ValueError(
            f"densities: a mass of 1 between {low:g} and {high:g} wanted, found {mass:.7g}"
        )
    return log_density
