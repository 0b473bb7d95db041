"""Maximum likelihood of a generator with noise added: Arjovsky et al. 2017 (arXiv:1701.07875).

Section 1: samples of a generator lie in a thin set, so that there is no density and KL is infinite;
the usual remedy is to add noise, mostly Gaussian. With noise of deviation sigma the model has the
density p(x) = E_z N(x; G(z), sigma^2 I), and maximum likelihood minimises -E[ln p(x)].
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
    # matrix products would lose the small distances, which matter most with small noise
    distances = torch.cdist(
        samples.flatten(1), pool.flatten(1), compute_mode="donot_use_mm_for_euclid_dist"
    )
    exponents = -(distances / noise).square() / 2
    scale = math.log(len(pool)) + samples[0].numel() * math.log(noise * math.sqrt(2 * math.pi))
    return exponents.logsumexp(1) - scale


@dataclass(frozen=True)
class Likelihood:
    """-E_i[ln (1/M) sum_m N(x_i; G(z_m), sigma^2 I)], from x [B, ...] and G(z) [M, ...].

    A scalar in nats per sample. As the noise goes to 0, 2 sigma^2 times it is, up to constants, the
    squared distance to the nearest sample: implicit maximum likelihood estimation.

    Args:
        noise: sigma, in the samples' units, above 0.

    Raises:
        ValueError: sigma is not positive and finite.
    """

    noise: float

    def __post_init__(self) -> None:
        if not 0 < self.noise < math.inf:
            raise ValueError(f"noise is {self.noise}; set this standard deviation above 0")

    def __call__(self, samples: Tensor, pool: Tensor) -> Tensor:
        """Return the scalar, from real samples [B, ...] and the pool [M, ...]."""
        return -log_likelihood(samples, pool, noise=self.noise).mean()
