"""Toy densities in one and two dimensions, whose moments and modes are known in closed form."""

from collections.abc import Sequence

import numpy as np

from bench.core.errors import UserError
from bench.data.points import Modes


def ring(count: int, radius: float) -> np.ndarray:
    """Return centres on a circle around 0, [count, 2], the first at angle 0."""
    angles = 2 * np.pi * np.arange(count) / count
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def grid(side: int, spacing: float) -> np.ndarray:
    """Return centres on a square lattice around 0, [side * side, 2]."""
    axis = spacing * (np.arange(side) - (side - 1) / 2)
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)


class GaussianMixture:
    """sum_k w_k N(c_k, sigma^2 I): mean sum w c, covariance sigma^2 I + sum w (c - mean)^2.

    Args:
        centres: c, [K, D].
        sigma: standard deviation of each coordinate about its centre.
        weights: w, [K], adding up to 1; None: all equal.
        quality_sigmas: radius of high quality, in standard deviations.
    """

    def __init__(
        self,
        centres: Sequence[Sequence[float]] | np.ndarray,
        sigma: float,
        weights: Sequence[float] | None,
        quality_sigmas: float,
    ) -> None:
        self.centres = np.atleast_2d(np.asarray(centres, dtype=np.float64))
        self.sigma, self.weights = sigma, weights
        self.modes = Modes(self.centres, quality_sigmas * sigma)

    def sample(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw points [count, D] and the index of the Gaussian that each comes from, [count]."""
        self._check()
        labels = rng.choice(len(self.centres), size=count, p=self.weights)
        noise = self.sigma * rng.standard_normal((count, self.centres.shape[1]))
        return self.centres[labels] + noise, labels.astype(np.int64)

    def _check(self) -> None:
        """Refuse a sigma or weights that make no density."""
        if not self.sigma > 0:
            raise UserError(f"a Gaussian has sigma {self.sigma}", fix="set sigma above 0")
        if self.weights is None:
            return
        count, total = len(self.weights), sum(self.weights)
        if count != len(self.centres) or min(self.weights) < 0 or abs(total - 1) > 1e-9:
            raise UserError(
                f"weights {list(self.weights)} for {len(self.centres)} Gaussians",
                fix="set one weight per centre, adding up to 1, or weights: null for equal ones",
            )


class SwissRoll:
    """(t cos t, t sin t) / scale plus noise, t uniform in [1.5 pi, 4.5 pi]: scikit-learn's roll.

    Args:
        noise: standard deviation of each coordinate before scaling.
        scale: number that both coordinates are divided by.
    """

    modes = None

    def __init__(self, noise: float, scale: float) -> None:
        self.noise, self.scale = noise, scale

    def sample(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, None]:
        """Draw points [count, 2]: the roll without its width, the second of three coordinates."""
        from sklearn.datasets import make_swiss_roll  # takes a second to import

        legacy = np.random.RandomState(rng.bit_generator)  # scikit-learn takes no Generator
        roll, _ = make_swiss_roll(count, noise=self.noise, random_state=legacy)
        return roll[:, [0, 2]] / self.scale, None


class ParallelLines:
    """(theta_k, y), y uniform in [0, 1): Arjovsky et al. 2017 (arXiv:1701.07875), Example 1.

    The example compares P_0, the line at 0, with P_theta: W1 = |theta| while JS = log 2. Both lines
    are in the data, labelled by their index, so that either can be used without the other.

    Args:
        offsets: theta_k, one line each, equally likely; [0.0] is the example's real distribution.
    """

    modes = None

    def __init__(self, offsets: Sequence[float]) -> None:
        self.offsets = np.asarray(offsets, dtype=np.float64)

    def sample(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw points [count, 2] and the index of the line that each lies on, [count]."""
        labels = rng.integers(len(self.offsets), size=count)
        return np.stack([self.offsets[labels], rng.random(count)], axis=1), labels
