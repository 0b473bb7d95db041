"""Perceptrons with maxout units: Goodfellow et al. 2013 (arXiv:1302.4389), section 2."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

PIECES = 2  # linear functions of which a unit takes the largest


class Maxout(nn.Module):
    """[B, inputs] -> [B, outputs]: a layer of maxout units, then a linear one.

    Args:
        width: maxout units.
    """

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        super().__init__()
        self.pieces = nn.Linear(inputs, PIECES * width)
        self.last = nn.Linear(width, outputs)

    def reset(self, generator: torch.Generator) -> None:
        """Draw weights from N(0, 1 / fan in); biases are 0."""
        for layer in (self.pieces, self.last):
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5, generator=generator)
            nn.init.zeros_(layer.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the outputs, [B, outputs]."""
        return self.last(self.pieces(inputs).unflatten(-1, (-1, PIECES)).amax(-1))


def build_generator(shape: Sequence[int], latent_dim: int, width: int) -> Maxout:
    """Latents [B, L] -> points [B, D]."""
    return Maxout(latent_dim, shape[0], width)


class Discriminator(Maxout):
    """Points [B, D] -> logits [B]."""

    def __init__(self, shape: Sequence[int], width: int) -> None:
        super().__init__(shape[0], 1, width)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits, [B]."""
        return super().forward(inputs).squeeze(1)
