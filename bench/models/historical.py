"""Historical averaging: Salimans et al. 2016 (arXiv:1606.03498), section 3.3, for any Objective."""

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn

from bench.core.objective import Objective
from bench.models.base import TrainingConfig
from bench.models.executor import DISCRIMINATOR, GENERATOR
from bench.models.gan import GAN
from bench.penalties import historical


class HistoricalGAN(GAN):
    """Add history_weight |theta - mean of its theta so far|^2 to each player's loss.

    The mean is over the weights before each of the player's steps, including the present ones; it
    is part of the checkpoint. Logged losses include the term.

    Args:
        history_weight: at least 0; for the others see `bench.models.gan.GAN`.

    Raises:
        ValueError: the weight is outside its range, or the objective has a lazy term.
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
            raise ValueError(f"history_weight is {history_weight}; set it to 0 or more")
        for name, term in objective.terms.items():
            if term.interval > 1:  # a step of its own, which would count as one of the player's
                raise ValueError(
                    f"the term {name!r} has interval {term.interval}, and historical averaging "
                    "adds its own term to each of a player's steps: set its interval to 1"
                )
        super().__init__(
            generator, discriminator, objective, reuse_samples, batch_norm_under_penalty, training
        )
        self.history_weight = history_weight
        self.past = nn.ModuleList(copy.deepcopy(player) for player in self.players())
        self.past.requires_grad_(False)

    def step(self, optimizer: torch.optim.Optimizer, loss: Tensor) -> Tensor:
        """Make one step on the loss with the player's term added."""
        optimizers: Any = self.optimizers(use_pl_optimizer=False)
        is_generator = optimizer is optimizers[GENERATOR]
        player, steps = (GENERATOR, self.g_steps) if is_generator else (DISCRIMINATOR, self.d_steps)
        averages = list(self.past[player].parameters())
        parameters = list(self.players()[player].parameters())
        historical.update_averages(averages, parameters, steps + 1)
        term = historical.distance_to_average(parameters, averages)
        return super().step(optimizer, loss + self.history_weight * term)
