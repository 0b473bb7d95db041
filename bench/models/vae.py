"""Variational autoencoder: Kingma and Welling 2014 (arXiv:1312.6114), as the study trains it."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from bench import together
from bench.models.base import GenerativeModel, Training, require


class VAE(GenerativeModel):
    """Encoder and decoder with one loss and one optimizer; its steps are counted as `d_steps`.

    Args:
        generator: the decoder, latents [B, L] -> means [B, ...].
        encoder: samples [B, ...] -> (mean, sigma) of q(z | x), each [B, L].
        loss: (samples, decoded, mean, sigma) -> scalar, with its settings bound.
        training: see `Training`.
    """

    def __init__(
        self,
        generator: nn.Module,
        encoder: nn.Module,
        loss: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor],
        training: Training,
    ) -> None:
        require(loss, partial, "vae")
        super().__init__(generator, encoder, training)
        self.loss = loss

    def players(self) -> tuple[nn.Module, ...]:
        """Both networks under one optimizer."""
        return (nn.ModuleList([self.generator, self.opponent]),)

    def training_step(self, real: Tensor, batch_idx: int) -> None:
        """One step of encoder and decoder together; real is [B, ...]."""
        optimizer = self.optimizers(use_pl_optimizer=False)
        with self.autocast():
            mean, sigma = self.opponent(real)
        mean, sigma = mean.to(real.dtype), sigma.to(real.dtype)
        draws, shape = self.streams["draws"], (len(mean) * together.size(), *mean.shape[1:])
        noise = torch.randn(shape, generator=draws, device=draws.device, dtype=mean.dtype)
        noise = together.share(noise)
        loss = self.loss(real, self.generate(mean + sigma * noise), mean, sigma)
        self.losses["d_loss"] = self.step(optimizer, loss)
        self.generator_moved()
        self.d_steps += 1
