"""Implicit maximum likelihood estimation: Li and Malik 2018 (arXiv:1809.09087), Algorithm 1."""

from collections.abc import Callable
from types import FunctionType

from torch import Tensor, nn

from bench.core import distributed
from bench.models.base import GenerativeModel, TrainingConfig, check_objective_type
from bench.models.executor import StepExecutor


class IMLE(GenerativeModel):
    """A generator alone, pulled towards each real sample where it is nearest.

    Its steps are counted as `d_steps`. With several processes the pool is the whole batch's, so
    that a sample's nearest is the same however many processes share the work.

    Args:
        generator: latents [B, L] -> samples [B, ...].
        loss: (samples [B, ...], pool [M, ...]) -> scalar.
        pool_factor: m, generated samples per real one: M = m B. At least 1.
        training: see `TrainingConfig`.

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
        training: TrainingConfig,
    ) -> None:
        check_objective_type(loss, self.kind, self.name)
        if isinstance(pool_factor, bool) or not isinstance(pool_factor, int) or pool_factor < 1:
            raise ValueError(
                f"pool_factor is {pool_factor!r}; it counts generated samples per real one: "
                "1 or more"
            )
        super().__init__({"generator": generator}, training)
        self.loss, self.pool_factor = loss, pool_factor

    def training_round(self, ex: StepExecutor) -> None:
        """One step of the generator."""
        latent = ex.latents(self.pool_factor)
        (loss,) = ex.optimizer_step(0, self.generator_step, ex.real, latent)
        ex.log("d_loss", loss)
        ex.generator_moved()

    def generator_step(self, real: Tensor, latent: Tensor) -> tuple[Tensor]:
        """What the generator descends, from samples [B, ...] and the pool's latents [m B, L]."""
        return (self.loss(real, distributed.all_gather(self.generate(latent))),)
