"""BEGAN: Berthelot et al. 2017 (arXiv:1703.10717)."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.core import distributed
from bench.core.batch import Batch, Latent
from bench.core.pixels import from_unit, to_unit
from bench.core.update_order import UpdateOrder
from bench.losses import began
from bench.models.base import GenerativeModel, TrainingConfig, check_objective_type
from bench.models.executor import DISCRIMINATOR, GENERATOR, LossFn, StepExecutor


class BEGAN(GenerativeModel):
    """Generator against an autoencoder, balanced by a controller.

    Args:
        generator: latents [B, L] -> samples [B, ...].
        autoencoder: the discriminator, samples [B, ...] -> reconstructions [B, ...].
        equilibrium: the controller.
        update_order: when the generator moves; its other settings are not used.
        reuse_samples: as in `bench.models.gan.GAN`.
    """

    adversarial = True
    replica_hyperparameters: ClassVar[tuple[str, ...]] = ("equilibrium.gamma", "equilibrium.k_rate")

    autoencoder: nn.Module
    k: Tensor

    def __init__(
        self,
        generator: nn.Module,
        autoencoder: nn.Module,
        equilibrium: began.Equilibrium,
        update_order: UpdateOrder,
        reuse_samples: bool,
        training: TrainingConfig,
    ) -> None:
        check_objective_type(equilibrium, began.Equilibrium, "began")
        super().__init__({"generator": generator, "autoencoder": autoencoder}, training)
        if (first := update_order.players[0]) != "discriminator":
            raise ValueError(f"update_order has the {first} move first, and BEGAN's k follows D's")
        self.equilibrium, self.reuse_samples = equilibrium, reuse_samples
        self.update_order = update_order
        self.register_buffer("k", torch.zeros(()))

    def error(self, samples: Tensor) -> Tensor:
        """R(v) = E|A(v) - v|, the reconstruction error of samples [B, ...], a scalar."""
        with self.autocast():
            reconstruction = self.reconstruct(samples)
        return began.reconstruction_error(reconstruction.to(samples.dtype), samples)

    def reconstruct(self, samples: Tensor) -> Tensor:
        """A(v): reconstructions of samples [B, ...], in the suite's range of pixels."""
        pixels = self.ranges["autoencoder"]
        return to_unit(self.autoencoder(from_unit(samples, pixels)), pixels)

    def discriminator_scores(self, batch: Batch) -> Tensor:
        """Return each sample's reconstruction error, [B], to be drawn over the plane."""
        samples = batch.samples
        return (self.reconstruct(samples) - samples).abs().flatten(1).mean(1)

    def discriminator_diagnostics(self, samples: Mapping[str, Batch]) -> dict[str, float]:
        """Return mean reconstruction errors of train, test and fake samples."""
        return {
            f"mean_{name}": float(self.discriminator_scores(part).mean())
            for name, part in samples.items()
        }

    def training_round(self, ex: StepExecutor) -> None:
        """Make one autoencoder step, where due one generator step, then update the controller."""
        due = ex.due(self.update_order.generator_is_due)
        real, latent = ex.real.samples, ex.draw_latents()
        fake = ex.forward(self.generate, latent, with_grad=bool(due) and self.reuse_samples)

        d_loss, *errors = ex.optimizer_step(
            DISCRIMINATOR, self.autoencoder_step_loss, real, fake.detach()
        )
        ex.log("d_loss", d_loss)

        if due:
            loss_fn: LossFn = self.generator_step_loss
            if self.reuse_samples:
                loss_fn = self.generator_step_loss_on_fake
            source = fake if self.reuse_samples else latent
            (g_loss,) = ex.optimizer_step(GENERATOR, loss_fn, source, mask=due)
            ex.log("g_loss", g_loss, due)
            ex.count_generator_step(due)
        k, measure = ex.forward(self.update_k, real, latent, *errors)
        ex.log("k", k)
        ex.log("convergence", measure)

    def autoencoder_step_loss(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the loss of an autoencoder step, R(real) and R(fake), from samples [B, ...]."""
        real_error, fake_error = self.error(real), self.error(fake)
        return began.discriminator_loss(real_error, fake_error, self.k), real_error, fake_error

    def generator_step_loss(self, latent: Tensor | Latent) -> tuple[Tensor]:
        """Return the loss of a generator step, a scalar, from latents [B, L]."""
        return self.generator_step_loss_on_fake(self.generate(latent))

    def generator_step_loss_on_fake(self, fake: Tensor) -> tuple[Tensor]:
        """Return the loss of a generator step, a scalar, from samples [B, ...] with their graph."""
        return (self.error(fake),)

    def update_k(
        self, real: Tensor, latent: Tensor | Latent, real_error: Tensor, fake_error: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Update the controller; return k and the measure of convergence, scalars.

        With `equilibrium.fresh_errors`, errors are computed again with the updated weights.
        """
        if self.equilibrium.fresh_errors:
            real_error, fake_error = self.error(real), self.error(self.generate(latent))
        distributed.all_reduce_mean_([real_error, fake_error])
        self.k.copy_(self.equilibrium.next_k(self.k, real_error, fake_error))
        gamma = self.equilibrium.gamma
        return self.k.clone(), began.convergence(real_error, fake_error, gamma=gamma)
