"""Historical averaging: Salimans et al. 2016 (arXiv:1606.03498), section 3.3, for any Objective."""

import copy
import math

import torch
from torch import Tensor, nn

from bench.core.objective import Objective
from bench.models.base import TrainingConfig
from bench.models.gan import GAN
from bench.penalties import historical


class HistoricalGAN(GAN):
    """Each player's loss has history_weight |theta - mean of its theta so far|^2 added.

    The mean is over the weights before each of the player's steps, the present ones among them;
    it is part of the checkpoint. Losses are read with the term.

    Args:
        history_weight: at least 0; the rest as in `bench.models.gan.GAN`.

    Raises:
        ValueError: the weight is outside its range.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        objective: Objective,
        reuse_samples: bool,
        batch_norm_under_penalty: bool,
        training: TrainingConfig,
        history_weight: float,
    ) -> None:
        if not (math.isfinite(history_weight) and history_weight >= 0):
            raise ValueError(f"history_weight is {history_weight}; it must be 0 or more")
        super().__init__(
            generator, discriminator, objective, reuse_samples, batch_norm_under_penalty, training
        )
        self.history_weight = history_weight
        self.past = nn.ModuleList(copy.deepcopy(player) for player in self.players())
        self.past.requires_grad_(False)

    def step(self, optimizer: torch.optim.Optimizer, loss: Tensor) -> Tensor:
        """As anywhere, on the loss with the player's term."""
        g_optimizer, _ = self.optimizers(use_pl_optimizer=False)
        index, steps = (0, self.g_steps) if optimizer is g_optimizer else (1, self.d_steps)
        averages = list(self.past[index].parameters())
        parameters = list(self.players()[index].parameters())
        historical.take_in(averages, parameters, steps + 1)
        term = historical.distance_to_average(parameters, averages)
        return super().step(optimizer, loss + self.history_weight * term)
