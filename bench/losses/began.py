"""BEGAN: Berthelot et al. 2017 (arXiv:1703.10717), sections 3.3 to 3.5.

The discriminator is an autoencoder; a controller k keeps the two reconstruction errors at a ratio.
"""

import math
from dataclasses import dataclass

from torch import Tensor


def reconstruction_error(reconstruction: Tensor, samples: Tensor) -> Tensor:
    """R(v) = E|A(v) - v|: L1, mean over batch and elements of [B, ...], a scalar."""
    return (reconstruction - samples).abs().mean()


def discriminator_loss(real_error: Tensor, fake_error: Tensor, k: Tensor) -> Tensor:
    """R(x) - k R(G(z)), from three scalars."""
    return real_error - k * fake_error


def convergence(real_error: Tensor, fake_error: Tensor, *, gamma: float) -> Tensor:
    """M = R(x) + |gamma R(x) - R(G(z))|, section 3.4.1: falls as training succeeds."""
    return real_error + (gamma * real_error - fake_error).abs()


@dataclass(frozen=True, kw_only=True)
class Equilibrium:
    """The controller of section 3.3.1.

    Args:
        gamma: diversity ratio, the target of R(G(z)) / R(x), in [0, 1].
        k_rate: lambda_k, the controller's step size, at least 0.
        clip_k: clip k to [0, 1], as the paper does.
        fresh_errors: the controller uses errors computed again with the updated weights, as the
            study's code does; else those of the losses, as the paper does.

    Raises:
        ValueError: a number is outside its range.
    """

    gamma: float
    k_rate: float
    clip_k: bool
    fresh_errors: bool

    def __post_init__(self) -> None:
        if not 0 <= self.gamma <= 1:
            raise ValueError(f"gamma is {self.gamma}; set this ratio between 0 and 1")
        if not (math.isfinite(self.k_rate) and self.k_rate >= 0):
            raise ValueError(f"k_rate is {self.k_rate}; set it to 0 or more")

    def next_k(self, k: Tensor, real_error: Tensor, fake_error: Tensor) -> Tensor:
        """k + lambda_k (gamma R(x) - R(G(z))), a scalar; clipped to [0, 1] with `clip_k`."""
        moved = k + self.k_rate * (self.gamma * real_error - fake_error)
        return moved.clamp(0, 1) if self.clip_k else moved
