"""Draw samples from a trained generator, without data set or discriminator."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Sampler:
    """Draw samples from a generator in evaluation mode.

    Args:
        generator: latents [B, L] -> samples [B, ...]; batch norm uses its running averages.
        prior: a function of `bench.models.priors`.
        latent_dim: L, the width of the latents.
    """

    generator: nn.Module
    prior: Callable[[int, int, torch.Generator], Tensor]
    latent_dim: int

    @property
    def function_evaluations(self) -> int:
        """Passes through a network for each sample: 1, or what the generator says of itself."""
        return getattr(self.generator, "function_evaluations", 1)

    def batches(self, count: int, latents: torch.Generator, size: int) -> Iterator[Tensor]:
        """Yield `count` samples in batches of at most `size`, float32 [B, ...].

        Args:
            latents: random generator; all latents are drawn at once on its device, so with one on
                the CPU every machine scores the same latents.
        """
        device = next(self.generator.parameters()).device
        latent = self.prior(count, self.latent_dim, latents)
        was_training = self.generator.training
        self.generator.eval()
        try:
            for part in latent.split(size):
                with torch.no_grad():  # around the yield it would outlast a caller who stops early
                    samples = self.generator(part.to(device))
                yield samples
        finally:
            self.generator.train(was_training)
