"""Variational autoencoder: Kingma and Welling 2014 (arXiv:1312.6114), as the study trains it."""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from bench.models.base import GenerativeModel, TrainingConfig, check_objective_type
from bench.models.executor import StepExecutor


class VAE(GenerativeModel):
    """Encoder and decoder with one loss and one optimizer; its steps are counted as `d_steps`.

    Args:
        generator: the decoder, latents [B, L] -> means [B, ...].
        encoder: samples [B, ...] -> (mean, sigma) of q(z | x), each [B, L].
        loss: (samples, decoded, mean, sigma) -> scalar, with its settings bound.
        training: see `TrainingConfig`.
    """

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
        """Both networks under one optimizer."""
        return (nn.ModuleList([self.generator, self.encoder]),)

    def training_round(self, ex: StepExecutor) -> None:
        """One step of encoder and decoder together."""
        noise = ex.noise(self.training_settings.latent_dim)
        (loss,) = ex.optimizer_step(0, self.joint_step, ex.real, noise)
        ex.log("d_loss", loss)
        ex.generator_moved()

    def joint_step(self, real: Tensor, noise: Tensor) -> tuple[Tensor]:
        """What both descend, from samples [B, ...] and noise [B, L]."""
        with self.autocast():
            mean, sigma = self.encoder(real)
        mean, sigma = mean.to(real.dtype), sigma.to(real.dtype)
        return (self.loss(real, self.generate(mean + sigma * noise), mean, sigma),)
