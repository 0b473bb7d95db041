"""VAE: Kingma and Welling 2014 (arXiv:1312.6114), equation 10 with one draw of the latent."""

import math
from collections.abc import Callable

import torch
from torch import Tensor


def kl_to_standard_normal(mean: Tensor, sigma: Tensor) -> Tensor:
    """KL(N(mean, sigma^2) || N(0, I)) of each sample, [B], from [B, L]; appendix B of the paper.

    Deviation: 1e-8 stands inside the logarithm, as in compare_gan v1.
    """
    return (mean.square() + sigma.square() - (1e-8 + sigma.square()).log() - 1).sum(1) / 2


def bernoulli_log_likelihood(mean: Tensor, samples: Tensor) -> Tensor:
    """sum x log m + (1 - x) log(1 - m) of each image, [B], for m, x in [0, 1], [B, C, H, W].

    Args:
        mean: the decoder's output.
        samples: real images. Grey levels are no Bernoulli draws; it is common practice, also in the
            study.

    Deviation: compare_gan v1 clips the mean to [1e-8, 1 - 1e-8]; in float32 the upper bound is 1
        and clips nothing, so the largest number below 1 is used.
    """
    mean = mean.clamp(1e-8, 1 - torch.finfo(mean.dtype).eps / 2)
    return (samples * mean.log() + (1 - samples) * (1 - mean).log()).flatten(1).sum(1)


def gaussian_log_likelihood(mean: Tensor, samples: Tensor, *, sigma: float) -> Tensor:
    """log N(x; m, sigma^2 I) of each sample, [B], from [B, ...]; sigma in the samples' units."""
    squared = ((samples - mean) / sigma).square().flatten(1).sum(1)
    dimensions = samples[0].numel()
    return -squared / 2 - dimensions * math.log(sigma * math.sqrt(2 * math.pi))


def negative_elbo(
    samples: Tensor,
    decoded: Tensor,
    mean: Tensor,
    sigma: Tensor,
    *,
    log_likelihood: Callable[[Tensor, Tensor], Tensor],
    channel_mean: bool,
) -> Tensor:
    """-E[log p(x | z)] + KL(q(z | x) || p(z)), mean over the batch, a scalar in nats.

    Args:
        samples, decoded: real samples and their reconstructions, [B, ...].
        mean, sigma: parameters of q(z | x), [B, L].
        log_likelihood: (decoded, samples) -> [B].
        channel_mean: divide the log-likelihood of images by C, as if channels were averaged.
    """
    channels = samples.shape[1] if channel_mean and samples.ndim == 4 else 1
    likelihood = log_likelihood(decoded, samples) / channels
    return (kl_to_standard_normal(mean, sigma) - likelihood).mean()
