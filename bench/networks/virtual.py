"""Virtual batch norm: Salimans et al. 2016 (arXiv:1606.03498), section 3.5."""

from typing import Any

import torch
from torch import Tensor, nn

from bench.networks.layers import EPS, BatchNorm


class VirtualBatchNorm(nn.Module):
    """(x - mean) / sqrt(var + eps), over R reference samples and x itself, scaled and shifted.

    The first R rows are the reference, normalised by their own mean and variance; every other row
    by those of the R + 1 samples that the reference and itself make.

    Args:
        features: channels of [R + B, features] or [R + B, features, H, W].
        reference: R, at least 2.
    """

    def __init__(self, features: int, *, reference: int) -> None:
        super().__init__()
        self.reference = reference
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features))

    def forward(self, x: Tensor) -> Tensor:
        """Normalised x, same shape, [R + B, features, ...]."""
        count, column = self.reference, (-1, *(1,) * (x.ndim - 2))
        values = x.float() if x.dtype == torch.bfloat16 else x
        values = values.reshape(*x.shape[:2], -1)  # [R + B, features, places]
        means, spreads = values.mean(2), values.var(2, correction=0)
        first = means[:count].mean(0, keepdim=True)
        square = (spreads[:count] + (means[:count] - first).square()).mean(0, keepdim=True)

        own, spread = means[count:], spreads[count:]
        mean = (count * first + own) / (count + 1)
        away = count * (square + (first - mean).square()) + spread + (own - mean).square()
        mean = torch.cat([first.expand(count, -1), mean])
        var = torch.cat([square.expand(count, -1), away / (count + 1)])
        scaled = (values - mean[..., None]) * (self.weight * (var + EPS).rsqrt())[..., None]
        return (scaled.reshape(x.shape) + self.bias.reshape(column)).to(x.dtype)


class Generator(nn.Module):
    """A generator with virtual batch norm in place of its batch norms: latents [B, L] -> [B, ...].

    Each sample depends on its own latent and on a reference batch of latents that is drawn once,
    with the initial weights, and kept with them. The reference passes through the network with
    every batch.

    Args:
        net: a generator with batch norm.
        latent_dim: L.
        reference: R, latents in the reference batch, U(-1, 1).

    Raises:
        ValueError: R is less than 2, or the network has no batch norm.
    """

    latents: Tensor

    def __init__(self, net: Any, latent_dim: int, *, reference: int) -> None:
        super().__init__()
        if reference < 2:
            raise ValueError(f"reference is {reference}; a reference batch has 2 samples or more")
        held = [
            (owner, name, layer)
            for owner in net.modules()
            for name, layer in owner.named_children()
        ]
        normed = [found for found in held if isinstance(found[2], BatchNorm)]
        if not normed:
            raise ValueError("virtual batch norm takes the place of batch norm, and there is none")
        for owner, name, layer in normed:
            setattr(owner, name, VirtualBatchNorm(len(layer.weight), reference=reference))
        self.net = net
        self.register_buffer("latents", torch.zeros(reference, latent_dim))

    def reset(self, generator: torch.Generator) -> None:
        """Draw the initial weights, then the reference batch."""
        self.net.reset(generator)
        self.latents.copy_(2 * torch.rand(self.latents.shape, generator=generator) - 1)

    def forward(self, latent: Tensor) -> Tensor:
        """Samples [B, ...] from latents [B, L]."""
        return self.net(torch.cat([self.latents.to(latent.dtype), latent]))[len(self.latents) :]
