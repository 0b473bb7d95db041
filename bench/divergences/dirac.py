"""Dirac-GAN: Mescheder, Geiger and Nowozin 2018 (arXiv:1801.04406), sections 2 and 3.

Data is delta(0), the generator delta(theta), the discriminator D(x) = psi x; theta loses and psi
gains L = f(theta psi) + f(0). The players move along v = (-f' psi, f' theta); the zero-centred
penalty weight / 2 |grad D|^2 = weight / 2 psi^2 (R1, and R2 alike) adds -weight psi to the second.
An update converges to (0, 0) from nearby where the eigenvalues of its matrix there are inside the
unit circle, and does not where one is outside.

WGAN-GP has no such matrix: its penalty weight / 2 (|psi| - target)^2 has a corner at psi = 0, where
the force jumps from -weight target to weight target, so that no linear part exists and nothing near
(0, 0) comes to rest there (section 3); `trajectory` shows it.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import expit

SLOPE = 0.5  # f'(0) of the minimax and non-saturating losses, f(t) = -ln(1 + e^-t); 1 for WGAN's

Force = Callable[[float], float]


def jacobian(slope: float, penalty_weight: float) -> np.ndarray:
    """[[0, -f'], [f', -weight]] of v at (0, 0); weight 0 for no penalty."""
    _finite(slope, penalty_weight)
    return np.array([[0.0, -slope], [slope, -penalty_weight]])


def simultaneous(step: float, slope: float, penalty_weight: float) -> np.ndarray:
    """I + h J, with step h and slope f'(0): both players move at once.

    Without penalty its eigenvalues are 1 +- i h f', outside the unit circle for each h > 0:
    the game spirals outwards. With a zero-centred penalty of weight w they are
    1 - h w / 2 +- h sqrt(w^2 / 4 - f'^2).

    Raises:
        ValueError: a number is not finite.
    """
    _finite(step)
    return np.eye(2) + step * jacobian(slope, penalty_weight)


def alternating(step: float, slope: float, penalty_weight: float, *, n_dis: int = 1) -> np.ndarray:
    """D^n G with n = n_dis, 1 or more: the generator moves, then the discriminator n times.

    Without penalty its determinant is 1 and its eigenvalues are 1 - a^2 / 2 +- i sqrt(1 - (1 -
    a^2 / 2)^2) with a = sqrt(n_dis) h f', on the unit circle for a < 2: the linear game
    stays on a bounded cycle.

    Raises:
        ValueError: a number is not finite, or n_dis is below 1.
    """
    _finite(step)
    if n_dis < 1:
        raise ValueError(f"dirac: n_dis of 1 or more, found {n_dis}")
    move = step * jacobian(slope, penalty_weight)
    generator, discriminator = np.eye(2), np.eye(2)
    generator[0] += move[0]
    discriminator[1] += move[1]
    return np.linalg.matrix_power(discriminator, n_dis) @ generator


def eigenvalues(matrix: np.ndarray) -> np.ndarray:
    """Tr / 2 +- sqrt(Tr^2 / 4 - det) of a 2 x 2 matrix, complex, the one with + first."""
    half, determinant = np.trace(matrix) / 2, np.linalg.det(matrix)
    root = np.sqrt(complex(half**2 - determinant))
    return np.array([half + root, half - root])


def zero_centred(weight: float) -> Force:
    """d/dpsi of weight / 2 psi^2: R1's, and R2's, in this game."""
    return lambda psi: weight * psi


def one_centred(weight: float, target: float = 1.0) -> Force:
    """d/dpsi of weight / 2 (|psi| - target)^2: WGAN-GP's; 0 at psi = 0, where it has a corner."""
    return lambda psi: float(weight * (abs(psi) - target) * np.sign(psi))


def logistic_slope(t: float) -> float:
    """f'(t) = sigmoid(-t), of f(t) = -ln(1 + e^-t)."""
    return float(expit(-t))


def trajectory(
    start: tuple[float, float],
    steps: int,
    step: float,
    *,
    slope: Callable[[float], float],
    penalty: Force,
    alternate: bool,
) -> np.ndarray:
    """(theta, psi) after 0 to `steps` steps of the game itself, not of its linear part, [T + 1, 2].

    Args:
        start: theta and psi at first.
        steps: T.
        step: h, of both players.
        slope: f', `logistic_slope` say; `lambda t: 1.0` for WGAN's.
        penalty: derivative of the penalty by psi, `zero_centred(0)` for none.
        alternate: whether the discriminator sees where the generator has gone.

    Raises:
        ValueError: a number is not finite, or steps is below 0.
    """
    _finite(*start, step)
    if steps < 0:
        raise ValueError(f"dirac: 0 steps or more, found {steps}")
    path = np.empty((steps + 1, 2))
    theta, psi = path[0] = start
    for n in range(1, steps + 1):
        moved = theta - step * slope(theta * psi) * psi
        seen = moved if alternate else theta
        psi += step * (slope(seen * psi) * seen - penalty(psi))
        theta = moved
        path[n] = theta, psi
    return path


def _finite(*numbers: float) -> None:
    if not np.isfinite(numbers).all():
        raise ValueError(f"dirac: finite numbers only, found {numbers}")
