"""Maximum likelihood of a generator with noise added: Arjovsky et al. 2017 (arXiv:1701.07875).

Section 1: samples of a generator fill a thin set, where no density exists and KL is infinite; the
usual remedy is noise added to the model, Gaussian as a rule. With noise of deviation sigma it has
the density p(x) = E_z N(x; G(z), sigma^2 I), and maximum likelihood minimises -E[ln p(x)].
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


def log_likelihood(samples: Tensor, pool: Tensor, *, noise: float) -> Tensor:
    """ln (1/M) sum_m N(x; y_m, sigma^2 I) of each sample, [B], in nats.

    Args:
        samples: real samples x, [B, ...].
        pool: G(z_m) of independent latents, without noise, [M, ...].
        noise: sigma, in the samples' units.

    Returns:
        ln of an unbiased estimate of p(x): by Jensen's inequality its expectation over the pool is
        at most ln p(x), and rises towards it with M. No importance weights.
    """
    # not by matrix products, which lose the small distances that small noise weighs most
    distances = torch.cdist(
        samples.flatten(1), pool.flatten(1), compute_mode="donot_use_mm_for_euclid_dist"
    )
    exponents = -(distances / noise).square() / 2
    scale = math.log(len(pool)) + samples[0].numel() * math.log(noise * math.sqrt(2 * math.pi))
    return exponents.logsumexp(1) - scale


@dataclass(frozen=True)
class Likelihood:
    """-E_i[ln (1/M) sum_m N(x_i; G(z_m), sigma^2 I)], from x [B, ...] and G(z) [M, ...].

    A scalar in nats for each sample. Where the noise goes to 0, 2 sigma^2 of it, but for constants,
    is the squared distance to the nearest: implicit maximum likelihood estimation.

    Args:
        noise: sigma, above 0.

    Raises:
        ValueError: the noise has no density.
    """

    noise: float

    def __post_init__(self) -> None:
        if not 0 < self.noise < math.inf:
            raise ValueError(f"noise is {self.noise}; a standard deviation lies above 0")

    def __call__(self, samples: Tensor, pool: Tensor) -> Tensor:
        """The scalar, from real samples [B, ...] and the pool [M, ...]."""
        return -log_likelihood(samples, pool, noise=self.noise).mean()
