"""BEGAN: Berthelot et al. 2017 (arXiv:1703.10717), with the study's turns (compare_gan v1)."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from bench import together
from bench.losses import began
from bench.models.base import GenerativeModel, Training, frozen, require


class BEGAN(GenerativeModel):
    """Generator against an autoencoder, balanced by a controller.

    Args:
        generator: latents [B, L] -> samples [B, ...].
        autoencoder: samples [B, ...] -> reconstructions [B, ...].
        equilibrium: the controller and whose turn it is.
        reuse_samples: as in `bench.models.gan.GAN`.
        training: see `Training`.
    """

    def __init__(
        self,
        generator: nn.Module,
        autoencoder: nn.Module,
        equilibrium: began.Equilibrium,
        reuse_samples: bool,
        training: Training,
    ) -> None:
        require(equilibrium, began.Equilibrium, "began")
        super().__init__(generator, autoencoder, training)
        self.equilibrium, self.reuse_samples = equilibrium, reuse_samples
        self.register_buffer("k", torch.zeros(()))

    def error(self, samples: Tensor) -> Tensor:
        """The autoencoder's reconstruction error on [B, ...], a scalar."""
        with self.autocast():
            reconstruction = self.opponent(samples)
        return began.reconstruction_error(reconstruction.to(samples.dtype), samples)

    def opinion(self, samples: Tensor) -> Tensor:
        """Each sample's reconstruction error, [B], to be shown over the plane."""
        return (self.opponent(samples) - samples).abs().flatten(1).mean(1)

    def diagnose(self, samples: Mapping[str, Tensor]) -> dict[str, float]:
        """Mean reconstruction errors of train, test and fake samples."""
        return {f"mean_{name}": float(self.opinion(part).mean()) for name, part in samples.items()}

    def training_step(self, real: Tensor, batch_idx: int) -> None:
        """One autoencoder step, where due one generator step, then the controller's."""
        g_optimizer, d_optimizer = self.optimizers(use_pl_optimizer=False)
        due = self.equilibrium.generator_is_due(self.d_steps, self.g_steps)
        latent = self.draw_latent(len(real))
        with torch.set_grad_enabled(due and self.reuse_samples):
            fake = self.generate(latent)

        real_error, fake_error = self.error(real), self.error(fake.detach())
        d_loss = began.discriminator_loss(real_error, fake_error, self.k)
        self.losses["d_loss"] = self.step(d_optimizer, d_loss)

        if due:
            if not self.reuse_samples:
                fake = self.generate(latent)
            with frozen(self.opponent):
                g_loss = self.error(fake)
                self.losses["g_loss"] = self.step(g_optimizer, g_loss)
            self.generator_moved()
        self.control(real, latent, real_error.detach(), fake_error.detach())
        self.d_steps += 1

    @torch.no_grad()
    def control(self, real: Tensor, latent: Tensor, real_error: Tensor, fake_error: Tensor) -> None:
        """Move k, from errors taken anew after the weights moved where the equilibrium says so."""
        if self.equilibrium.fresh_errors:
            real_error, fake_error = self.error(real), self.error(self.generate(latent))
        together.average_([real_error, fake_error])
        self.k.copy_(self.equilibrium.next_k(self.k, real_error, fake_error))
        self.losses["k"] = self.k.clone()
        self.losses["convergence"] = began.convergence(
            real_error, fake_error, gamma=self.equilibrium.gamma
        )
