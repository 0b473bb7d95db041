"""Perceptron for images: Arjovsky et al. 2017 (arXiv:1701.07875), section 4.3, figure 7."""

import torch
from torch import Tensor, nn

from bench.networks.mlp import Perceptron


class Generator(nn.Module):
    """Latents [B, L] -> images [B, C, H, W] in (0, 1), by fully connected layers.

    Args:
        shape: [C, H, W].
        latent_dim: L.
        width, depth: units of a hidden ReLU layer, and how many such layers there are.

    Deviation: the output is a sigmoid, for images in [0, 1]; the authors' code leaves it linear.
    """

    bounded = True  # a sigmoid

    def __init__(self, shape: list[int], latent_dim: int, *, width: int, depth: int) -> None:
        super().__init__()
        self.shape = tuple(shape)
        pixels = shape[0] * shape[1] * shape[2]
        self.net = Perceptron(latent_dim, pixels, width=width, depth=depth, batch_norm=False)

    def reset(self, generator: torch.Generator) -> None:
        """Draw the initial weights."""
        self.net.reset(generator)

    def forward(self, latent: Tensor) -> Tensor:
        """Return images [B, C, H, W] of latents [B, L]."""
        return self.net(latent).sigmoid().unflatten(1, self.shape)
