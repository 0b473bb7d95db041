"""Implicit maximum likelihood estimation: Li and Malik 2018 (arXiv:1809.09087), Algorithm 1."""

from collections.abc import Callable
from types import FunctionType

import torch
from torch import Tensor, nn

from bench import together
from bench.models.base import GenerativeModel, Training, require


class Nobody(nn.Module):
    """The opponent of a generator that has none."""

    def reset(self, generator: torch.Generator) -> None:
        """There are no weights to draw."""


class IMLE(GenerativeModel):
    """A generator alone, pulled towards each real sample where it is nearest.

    Its steps are counted as `d_steps`. With several processes the pool is the whole batch's, so
    that a sample's nearest is the same however many processes share the work.

    Args:
        generator: latents [B, L] -> samples [B, ...].
        loss: (samples [B, ...], pool [M, ...]) -> scalar.
        pool_factor: m, generated samples per real one: M = m B. At least 1.
        training: see `Training`.

    Raises:
        ValueError: m is not a whole number from 1 on.

    Deviation: Algorithm 1 looks for the nearest once, of a large batch, and takes several steps
        of gradient with them; here each step has its own real samples and its own pool. The
        nearest are then exact, under the batch norm that the step's gradient has.
    """

    name, kind = "imle", FunctionType  # of the loss

    def __init__(
        self,
        generator: nn.Module,
        loss: Callable[[Tensor, Tensor], Tensor],
        pool_factor: int,
        training: Training,
    ) -> None:
        require(loss, self.kind, self.name)
        if isinstance(pool_factor, bool) or not isinstance(pool_factor, int) or pool_factor < 1:
            raise ValueError(
                f"pool_factor is {pool_factor!r}; it counts generated samples per real one: "
                "1 or more"
            )
        super().__init__(generator, Nobody(), training)
        self.loss, self.pool_factor = loss, pool_factor

    def players(self) -> tuple[nn.Module, ...]:
        """The generator alone."""
        return (self.generator,)

    def training_step(self, real: Tensor, batch_idx: int) -> None:
        """One step of the generator; real is [B, ...]."""
        optimizer = self.optimizers(use_pl_optimizer=False)
        pool = self.generate(self.draw_latent(self.pool_factor * len(real)))
        loss = self.loss(real, together.gathered(pool))
        self.losses["d_loss"] = self.step(optimizer, loss)
        self.generator_moved()
        self.d_steps += 1
