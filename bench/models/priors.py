"""Priors of the latent: (count, latent_dim, generator) -> [count, L] on the generator's device."""

import torch
from torch import Tensor


def uniform(count: int, latent_dim: int, generator: torch.Generator) -> Tensor:
    """U(-1, 1) per entry: all GANs of the study."""
    return 2 * torch.rand(count, latent_dim, generator=generator, device=generator.device) - 1


def normal(count: int, latent_dim: int, generator: torch.Generator) -> Tensor:
    """N(0, 1) per entry: VAEs, and most later GANs."""
    return torch.randn(count, latent_dim, generator=generator, device=generator.device)


def sphere(count: int, latent_dim: int, generator: torch.Generator) -> Tensor:
    """z sqrt(L) / |z| with z ~ N(0, I): Karras et al. 2018 (arXiv:1710.10196), appendix A."""
    z = torch.randn(count, latent_dim, generator=generator, device=generator.device)
    return z * (z.square().mean(1, keepdim=True) + 1e-8).rsqrt()
