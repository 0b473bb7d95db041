"""Virtual batch norm: Salimans et al. 2016 (arXiv:1606.03498), section 3.5."""

from typing import Any

import torch
from torch import Tensor, nn

from bench.core.number_checks import require_whole_number
from bench.core.pixels import pixel_range
from bench.networks.layers import EPS, BatchNorm


class VirtualBatchNorm(nn.Module):
    """(x - mean) / sqrt(var + eps), over R reference samples and x itself, scaled and shifted.

    The first R rows are the reference, normalised by their own mean and variance; every other row
    is normalised by mean and variance of R + 1 samples: the reference and the row itself.

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
        """Normalise x, [R + B, features, ...]; the first R rows are the reference."""
        count, column = self.reference, (-1, *(1,) * (x.ndim - 2))
        values = x.float() if x.dtype == torch.bfloat16 else x
        values = values.reshape(*x.shape[:2], -1)  # [R + B, features, pixels]
        means, variances = values.mean(2), values.var(2, correction=0)
        first = means[:count].mean(0, keepdim=True)
        square = (variances[:count] + (means[:count] - first).square()).mean(0, keepdim=True)

        row_means, row_vars = means[count:], variances[count:]
        mean = (count * first + row_means) / (count + 1)
        squares = count * (square + (first - mean).square())
        squares = squares + row_vars + (row_means - mean).square()
        mean = torch.cat([first.expand(count, -1), mean])
        var = torch.cat([square.expand(count, -1), squares / (count + 1)])
        scaled = (values - mean[..., None]) * (self.weight * (var + EPS).rsqrt())[..., None]
        return (scaled.reshape(x.shape) + self.bias.reshape(column)).to(x.dtype)


class Generator(nn.Module):
    """Latents [B, L] -> samples [B, ...]: a generator with virtual instead of plain batch norm.

    Each sample depends on its own latent and on a reference batch of latents, which is drawn once,
    with the initial weights, and saved with them. The reference passes through the network with
    every batch.

    Args:
        net: a generator with batch norm.
        latent_dim: L.
        reference: R, at least 2, latents in the reference batch, U(-1, 1).

    Raises:
        ValueError: R is less than 2, or the network has no batch norm.
    """

    latents: Tensor

    def __init__(self, net: Any, latent_dim: int, *, reference: int) -> None:
        super().__init__()
        require_whole_number("reference", reference, 2)
        norms = [
            (parent, name, layer)
            for parent in net.modules()
            for name, layer in parent.named_children()
            if isinstance(layer, BatchNorm)
        ]
        if not norms:
            raise ValueError("virtual batch norm replaces batch norm, and the network has none")
        for parent, name, layer in norms:
            setattr(parent, name, VirtualBatchNorm(len(layer.weight), reference=reference))
        self.net, self.pixel_range = net, pixel_range(net)
        self.bounded = getattr(net, "bounded", False)
        self.register_buffer("latents", torch.zeros(reference, latent_dim))

    def reset(self, generator: torch.Generator) -> None:
        """Draw the initial weights, then the reference batch."""
        self.net.reset(generator)
        self.latents.copy_(2 * torch.rand(self.latents.shape, generator=generator) - 1)

    def forward(self, latent: Tensor) -> Tensor:
        """Return samples [B, ...] of latents [B, L]."""
        return self.net(torch.cat([self.latents.to(latent.dtype), latent]))[len(self.latents) :]
