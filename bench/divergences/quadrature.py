"""An integral over an interval by adaptive Gauss-Legendre rules, all cells of a round at once.

A kink or jump between a cell's end and its first node would be seen by neither the cell's rule nor
its halves'. So the integrand is also looked at beside the ends, where the polynomial through the
nodes foretells it.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.polynomial import legendre

NODES, WEIGHTS = legendre.leggauss(10)
ENDS = np.array([-1, 1]) * (1 - 1e-9)  # beside the ends: at them a density may be 0, a quantile not
FORETOLD = np.linalg.solve(legendre.legvander(NODES, 9).T, legendre.legvander(ENDS, 9).T)
GAP = (1 - NODES[-1]) / 2  # from an end to the first node, of the cell's width
CELLS = 256  # at first: a peak narrower than a hundredth of one may hide between nodes
ROUNDS = 30  # halvings; a jump's cell is then 1e-12 of the interval
ROUNDING = 1e-14  # of a cell's integral of |f|, below which halves cannot agree
MOST = 100_000  # cells of a round

Function = Callable[[np.ndarray], np.ndarray]


class Integral(NamedTuple):
    """A value and what its error is believed to be at most."""

    value: float
    error: float


def integrate(function: Function, low: float, high: float, *, tolerance: float = 1e-10) -> Integral:
    """Integral of f from low to high; kinks and jumps are halved until they do not matter.

    Args:
        function: f, places [n] to values [n]; infinity at a node makes the integral infinite.
        low, high: finite.
        tolerance: of the whole, for cells of the same density of error.

    Returns:
        The sum of halved cells, and the sum of what halving changed and what the ends may hide:
        the true error is far below that where f is smooth. It knows nothing of what lies between
        all nodes.

    Raises:
        ValueError: no interval, or f has NaN in it.
    """
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ValueError(f"integrate: a finite interval low < high, found {low}, {high}")
    edges = np.linspace(low, high, CELLS + 1)
    left, right = edges[:-1], edges[1:]
    value = error = 0.0
    for done in range(ROUNDS + 1):
        middle = (left + right) / 2
        whole, size, hidden = _cells(function, left, right)
        if not np.isfinite(whole).all():
            return Integral(float(whole.sum()), 0.0)
        first, second = _cells(function, left, middle)[0], _cells(function, middle, right)[0]
        changed = np.abs(first + second - whole) + hidden
        allowed = np.maximum(tolerance * (right - left) / (high - low), ROUNDING * size)
        kept = changed <= allowed
        if done == ROUNDS or len(left) > MOST:
            kept[:] = True
        value += float((first + second)[kept].sum())
        error += float(np.maximum(changed, 1e-16 * size)[kept].sum())
        left, middle, right = left[~kept], middle[~kept], right[~kept]
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
        if not len(left):
            break
    return Integral(value, error)


def _cells(
    function: Function, left: np.ndarray, right: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Integrals of f and of |f| over each cell, and what f at its ends says may be missed."""
    half, middle = (right - left)[:, None] / 2, (left + right)[:, None] / 2
    places = np.concatenate([half * NODES + middle, half * ENDS + middle], axis=1)
    values = np.asarray(function(places.ravel()), dtype=np.float64)
    if values.shape != (places.size,):
        raise ValueError("integrate: the function must give a number for each place")
    values = values.reshape(places.shape)
    inner, ends = values[:, : len(NODES)], values[:, len(NODES) :]
    if np.isnan(inner).any():
        raise ValueError("integrate: the function is NaN somewhere")
    with np.errstate(invalid="ignore"):
        surprise = np.abs(ends - inner @ FORETOLD).sum(axis=1)
    hidden = np.where(np.isfinite(surprise), surprise, 0) * GAP * 2 * half[:, 0]
    return half[:, 0] * (inner @ WEIGHTS), half[:, 0] * (np.abs(inner) @ WEIGHTS), hidden
