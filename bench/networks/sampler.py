"""A trained generator that only draws samples; it needs no data set and no discriminator."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Sampler:
    """Samples from a generator in evaluation mode.

    Args:
        generator: latents [B, L] -> samples [B, ...]; batch norm uses its running averages.
        prior: a function of `bench.models.priors`.
        latent_dim: L.
    """

    generator: nn.Module
    prior: Callable[[int, int, torch.Generator], Tensor]
    latent_dim: int

    def batches(self, count: int, latents: torch.Generator, size: int) -> Iterator[Tensor]:
        """`count` samples in batches of at most `size`, float32 [B, ...].

        Args:
            latents: the stream they are drawn from, all at once and on its device: on the CPU's
                every machine judges with the same latents.
        """
        device = next(self.generator.parameters()).device
        latent = self.prior(count, self.latent_dim, latents)
        was_training = self.generator.training
        self.generator.eval()
        try:
            for part in latent.split(size):
                with torch.no_grad():  # not around the yield: who stops early would keep it
                    samples = self.generator(part.to(device))
                yield samples
        finally:
            self.generator.train(was_training)
