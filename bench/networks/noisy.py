"""A generator with optional observation noise, which is part of the latent."""

import math
from typing import Any

import torch
from torch import Tensor, nn


def latents(latent_dim: int, shape: list[int], *, added: bool) -> int:
    """L, or L + D with added noise: the width of a latent, for samples of D numbers."""
    return latent_dim + math.prod(shape) * added


class Noisy(nn.Module):
    """G(z) from [B, L], or G(z) + sigma e from (z, e) [B, L + D]: samples [B, ...].

    Args:
        net: G, latents [B, L] -> samples [B, ...].
        latent_dim: L.
        noise: sigma, in the samples' units.

    Deviation: images with noise are clipped to [0, 1]; the likelihood is that without bounds.
    """

    bounded = True  # images are clipped

    def __init__(self, net: Any, latent_dim: int, *, noise: float) -> None:
        super().__init__()
        self.net, self.latent_dim, self.noise = net, latent_dim, noise

    def reset(self, generator: torch.Generator) -> None:
        """Draw the initial weights of G."""
        self.net.reset(generator)

    def forward(self, latent: Tensor) -> Tensor:
        """Return samples [B, ...]; numbers of a latent beyond the first L are the noise e."""
        mean = self.net(latent[:, : self.latent_dim])
        if latent.shape[1] == self.latent_dim:
            return mean
        samples = mean + self.noise * latent[:, self.latent_dim :].reshape(mean.shape)
        return samples.clamp(0, 1) if samples.ndim == 4 else samples
