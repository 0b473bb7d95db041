"""BEGAN: Berthelot et al. 2017 (arXiv:1703.10717), with the study's turns (compare_gan v1)."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.core import distributed
from bench.losses import began
from bench.models.base import GenerativeModel, TrainingConfig, check_objective_type
from bench.models.executor import StepExecutor


class BEGAN(GenerativeModel):
    """Generator against an autoencoder, balanced by a controller.

    Args:
        generator: latents [B, L] -> samples [B, ...].
        autoencoder: samples [B, ...] -> reconstructions [B, ...].
        equilibrium: the controller and whose turn it is.
        reuse_samples: as in `bench.models.gan.GAN`.
        training: see `TrainingConfig`.
    """

    replica_hyperparameters: ClassVar[tuple[str, ...]] = ("equilibrium.gamma", "equilibrium.k_rate")

    def __init__(
        self,
        generator: nn.Module,
        autoencoder: nn.Module,
        equilibrium: began.Equilibrium,
        reuse_samples: bool,
        training: TrainingConfig,
    ) -> None:
        check_objective_type(equilibrium, began.Equilibrium, "began")
        super().__init__({"generator": generator, "autoencoder": autoencoder}, training)
        self.equilibrium, self.reuse_samples = equilibrium, reuse_samples
        self.register_buffer("k", torch.zeros(()))

    def error(self, samples: Tensor) -> Tensor:
        """The autoencoder's reconstruction error on [B, ...], a scalar."""
        with self.autocast():
            reconstruction = self.autoencoder(samples)
        return began.reconstruction_error(reconstruction.to(samples.dtype), samples)

    def discriminator_scores(self, samples: Tensor) -> Tensor:
        """Each sample's reconstruction error, [B], to be shown over the plane."""
        return (self.autoencoder(samples) - samples).abs().flatten(1).mean(1)

    def discriminator_diagnostics(self, samples: Mapping[str, Tensor]) -> dict[str, float]:
        """Mean reconstruction errors of train, test and fake samples."""
        return {
            f"mean_{name}": float(self.discriminator_scores(part).mean())
            for name, part in samples.items()
        }

    def training_round(self, ex: StepExecutor) -> None:
        """One autoencoder step, where due one generator step, then the controller's."""
        due = ex.due(self.equilibrium)
        latent = ex.latents()
        fake = ex.forward(self.generate, latent, with_grad=bool(due) and self.reuse_samples)

        d_loss, *errors = ex.optimizer_step(1, self.autoencoder_step, ex.real, fake.detach())
        ex.log("d_loss", d_loss)

        if due:
            if self.reuse_samples:
                (g_loss,) = ex.optimizer_step(0, self.generator_step_on, fake, mask=due)
            else:
                (g_loss,) = ex.optimizer_step(0, self.generator_step, latent, mask=due)
            ex.log("g_loss", g_loss, due)
            ex.generator_moved(due)
        k, measure = ex.forward(self.control, ex.real, latent, *errors)
        ex.log("k", k)
        ex.log("convergence", measure)

    def autoencoder_step(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What the autoencoder descends, and the two errors."""
        real_error, fake_error = self.error(real), self.error(fake)
        return began.discriminator_loss(real_error, fake_error, self.k), real_error, fake_error

    def generator_step(self, latent: Tensor) -> tuple[Tensor]:
        """What the generator descends, from latents [B, L]."""
        return self.generator_step_on(self.generate(latent))

    def generator_step_on(self, fake: Tensor) -> tuple[Tensor]:
        """The same from samples [B, ...] that have their graph."""
        return (self.error(fake),)

    def control(
        self, real: Tensor, latent: Tensor, real_error: Tensor, fake_error: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Move k; returns it and the measure of convergence.

        The errors are taken anew, after the weights moved, where the equilibrium says so.
        """
        if self.equilibrium.fresh_errors:
            real_error, fake_error = self.error(real), self.error(self.generate(latent))
        distributed.all_reduce_mean_([real_error, fake_error])
        self.k.copy_(self.equilibrium.next_k(self.k, real_error, fake_error))
        gamma = self.equilibrium.gamma
        return self.k.clone(), began.convergence(real_error, fake_error, gamma=gamma)
