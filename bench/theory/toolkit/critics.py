"""Train critics of the plane between two pools of points, all seeds side by side."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from bench.core import seeds as streams
from bench.core.objective import Objective
from bench.divergences import Measure, wasserstein
from bench.theory.experiment import PartSettings
from bench.theory.toolkit.replica_stacks import (
    adam,
    find_diverged,
    gans,
    rmsprop,
    stack_discriminators,
    train_between,
)
from bench.vectorized.stack import ReplicaStack

BETAS = (0.5, 0.9)  # Gulrajani et al. 2017 on toys
OPTIMIZERS = {"adam": lambda rate: adam(rate, BETAS), "rmsprop": rmsprop}


def stack_critics(settings: PartSettings, objective: Objective) -> ReplicaStack:
    """Stack a perceptron on the plane for each seed, which draws its initial weights.

    Args:
        settings: "seeds", "width", "depth", "batch", "rate", and "optimizer" where not "adam".
    """
    optimizer = OPTIMIZERS[settings.get("optimizer", "adam")](settings["rate"])
    return stack_discriminators(settings, objective, optimizer, inputs=2)


def train_critics(
    critics: ReplicaStack, pools: tuple[Tensor, Tensor], *, steps: int
) -> Iterator[int]:
    """Train between real and fake points, [N, D] or [R, N, D] each; yields 0, ..., `steps`."""
    seeds = [model.training_settings.seed for model in gans(critics)]
    generators = [streams.generator(seed, "data") for seed in seeds]
    real, fake = (pool.expand(len(seeds), *pool.shape[-2:]) for pool in pools)

    def next_batch() -> tuple[Tensor, Tensor]:
        count = critics.batch_size
        return _draw_points(real, count, generators), _draw_points(fake, count, generators)

    return train_between(critics, next_batch, steps)


def _draw_points(pools: Tensor, count: int, generators: Sequence[torch.Generator]) -> Tensor:
    """Draw `count` points of each replica's pool [R, N, D] with replacement."""
    batches = [
        pool[torch.randint(len(pool), (count,), generator=generator)]
        for pool, generator in zip(pools, generators, strict=True)
    ]
    return torch.stack(batches)


@torch.no_grad()
def critic_losses(critics: ReplicaStack, real: Tensor, fake: Tensor) -> np.ndarray:
    """Critics' losses without penalty, [R], on all of two pools: minus their estimates of W1.

    NaN of a critic that diverged.
    """
    models = gans(critics)
    real, fake = (pool.expand(len(models), *pool.shape[-2:]) for pool in (real, fake))
    losses = [
        float(model.objective.loss.discriminator(*map(model.discriminator, pools)))
        for model, *pools in zip(models, real, fake, strict=True)
    ]
    return np.where(find_diverged(critics), np.nan, losses)


def exact_w1(real: Tensor, fake: Tensor) -> float:
    """W1 between two sets of points [N, D], by assignment."""
    return wasserstein(Measure.of(real.numpy()), Measure.of(fake.numpy()), 1)
