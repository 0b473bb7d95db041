"""Implicit maximum likelihood estimation: Li and Malik 2018 (arXiv:1809.09087), Algorithm 1."""

from collections.abc import Callable
from types import FunctionType
from typing import ClassVar

from torch import Tensor, nn

from bench.core import distributed
from bench.core.batch import Latent
from bench.core.number_checks import require_whole_number
from bench.models.base import GenerativeModel, TrainingConfig, check_objective_type
from bench.models.executor import GENERATOR, StepExecutor


class IMLE(GenerativeModel):
    """Train a generator alone: each real sample attracts the nearest generated one.

    Its steps are counted as `d_steps`. With several processes the pool is that of the whole batch,
    so that nearest neighbours do not depend on the number of processes.

    Args:
        generator: latents [B, L] -> samples [B, ...].
        loss: (samples [B, ...], pool [M, ...]) -> scalar.
        pool_factor: m, generated samples per real one: M = m B. At least 1.

    Raises:
        ValueError: m is not a whole number from 1 on.

    Deviation: Algorithm 1 searches the nearest samples once, in a large batch, and makes several
        gradient steps with them; here each step has its own real samples and its own pool. The
        nearest are then exact, under the same batch norm as the step's gradient.
    """

    adversarial = False
    model_name: ClassVar[str] = "imle"
    loss_type: ClassVar[type] = FunctionType

    def __init__(
        self,
        generator: nn.Module,
        loss: Callable[[Tensor, Tensor], Tensor],
        pool_factor: int,
        training: TrainingConfig,
    ) -> None:
        check_objective_type(loss, self.loss_type, self.model_name)
        meaning = "generated samples per real one"
        require_whole_number("pool_factor", pool_factor, 1, meaning=meaning)
        super().__init__({"generator": generator}, training)
        self.loss, self.pool_factor = loss, pool_factor

    def training_round(self, ex: StepExecutor) -> None:
        """Make one generator step."""
        latent = ex.draw_latents(self.pool_factor)
        (loss,) = ex.optimizer_step(GENERATOR, self.generator_step_loss, ex.real.samples, latent)
        ex.log("d_loss", loss)
        ex.count_generator_step()

    def generator_step_loss(self, real: Tensor, latent: Tensor | Latent) -> tuple[Tensor]:
        """loss(x, G(z)), a scalar, from samples x [B, ...] and the pool's latents z [m B, L]."""
        return (self.loss(real, distributed.all_gather(self.generate(latent))),)
