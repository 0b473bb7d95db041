"""Variational autoencoder: Kingma and Welling 2014 (arXiv:1312.6114), trained as in the study."""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from bench.core.pixels import from_unit
from bench.models.base import GenerativeModel, TrainingConfig, check_objective_type
from bench.models.executor import GENERATOR, StepExecutor


class VAE(GenerativeModel):
    """Train encoder and decoder by one loss and one optimizer; steps count as `d_steps`.

    Args:
        generator: the decoder, latents [B, L] -> means [B, ...].
        encoder: samples [B, ...] -> (mean, sigma) of q(z | x), each [B, L].
        loss: (samples, decoded, mean, sigma) -> scalar, with its settings bound.
    """

    adversarial = False

    encoder: nn.Module

    def __init__(
        self,
        generator: nn.Module,
        encoder: nn.Module,
        loss: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor],
        training: TrainingConfig,
    ) -> None:
        check_objective_type(loss, partial, "vae")
        super().__init__({"generator": generator, "encoder": encoder}, training)
        self.loss = loss

    def players(self) -> tuple[nn.Module, ...]:
        """Return both networks as one module, which has one optimizer."""
        return (nn.ModuleList([self.generator, self.encoder]),)

    def training_round(self, ex: StepExecutor) -> None:
        """Make one step of encoder and decoder together."""
        noise = ex.draw_noise(self.training_settings.latent_dim)
        (loss,) = ex.optimizer_step(GENERATOR, self.step_loss, ex.real.samples, noise)
        ex.log("d_loss", loss)
        ex.count_generator_step()

    def step_loss(self, real: Tensor, noise: Tensor) -> tuple[Tensor]:
        """loss(x, G(z), mean, sigma) with z = mean + sigma noise, from x [B, ...], noise [B, L]."""
        with self.autocast():
            mean, sigma = self.encoder(from_unit(real, self.ranges["encoder"]))
        mean, sigma = mean.to(real.dtype), sigma.to(real.dtype)
        return (self.loss(real, self.generate(mean + sigma * noise), mean, sigma),)
