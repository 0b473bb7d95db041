"""A generator whose samples may carry observation noise, drawn with the latent."""

import math
from typing import Any

import torch
from torch import Tensor, nn


def latents(latent_dim: int, shape: list[int], *, added: bool) -> int:
    """The width of a latent: L, and one more for each number of a sample where noise is added."""
    return latent_dim + math.prod(shape) * added


class Noisy(nn.Module):
    """G(z) from [B, L], or G(z) + sigma e from (z, e) [B, L + D]: samples [B, ...].

    Args:
        net: G, latents [B, L] -> samples [B, ...].
        latent_dim: L.
        noise: sigma, in the samples' units.

    Deviation: images with noise are clipped to [0, 1]; the likelihood knows of no bounds.
    """

    def __init__(self, net: Any, latent_dim: int, *, noise: float) -> None:
        super().__init__()
        self.net, self.latent_dim, self.noise = net, latent_dim, noise

    def reset(self, generator: torch.Generator) -> None:
        """Draw G's initial weights."""
        self.net.reset(generator)

    def forward(self, latent: Tensor) -> Tensor:
        """Samples [B, ...]; what a latent holds beyond L is the noise."""
        mean = self.net(latent[:, : self.latent_dim])
        if latent.shape[1] == self.latent_dim:
            return mean
        samples = mean + self.noise * latent[:, self.latent_dim :].reshape(mean.shape)
        return samples.clamp(0, 1) if samples.ndim == 4 else samples
