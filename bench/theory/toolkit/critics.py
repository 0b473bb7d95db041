"""Train critics of the plane between two pools of points, all seeds side by side."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.core import seeds as streams
from bench.core.objective import Objective
from bench.divergences import Measure, wasserstein
from bench.networks import mlp
from bench.theory.replicas import Replica, Side

BETAS = {"adam": (0.5, 0.9), "rmsprop": (0.0, 0.99)}  # Gulrajani et al. 2017 on toys; torch's own


def make_replicas(seeds: Sequence[int], rate: float, optimizer: str = "adam") -> list[Replica]:
    """Return the settings of one replica for each seed, equal in all else."""
    return [Replica(seed=seed, learning_rate=rate, betas=BETAS[optimizer]) for seed in seeds]


def make_critics(
    seeds: Sequence[int],
    objective: Objective,
    *,
    width: int,
    depth: int,
    rate: float,
    optimizer: str = "adam",
) -> Side:
    """Build a perceptron on the plane for each seed, which draws its initial weights."""
    factory = partial(mlp.Discriminator, [2], width=width, depth=depth, batch_norm=False)
    return Side(factory, objective, make_replicas(seeds, rate, optimizer), optimizer=optimizer)


def train_critics(
    critics: Side, pools: tuple[Tensor, Tensor], *, steps: int, batch: int
) -> Iterator[int]:
    """Train between real and fake points, [N, D] or [R, N, D] each; yields 1, 2, ... steps."""
    generators = [streams.generator(replica.seed, "data") for replica in critics.replicas]
    pools_by_replica = [critics.of_each(pool) for pool in pools]
    for step in range(1, steps + 1):
        real, fake = (_draw_batches(pool, batch, generators) for pool in pools_by_replica)
        critics.step(real, fake)
        yield step


def _draw_batches(pools: Tensor, count: int, generators: Sequence[torch.Generator]) -> Tensor:
    """Draw `count` points of each replica's pool [R, N, D] with replacement."""
    batches = [
        pool[torch.randint(len(pool), (count,), generator=generator)]
        for pool, generator in zip(pools, generators, strict=True)
    ]
    return torch.stack(batches)


@torch.no_grad()
def critic_losses(critics: Side, real: Tensor, fake: Tensor) -> np.ndarray:
    """Critics' losses without penalty, [R], on all of two pools: minus their estimates of W1.

    NaN of a critic that diverged, whose weights stay at their last finite values.
    """

    def loss_of_one(weights: Tensor, buffers: Any, real: Tensor, fake: Tensor) -> Tensor:
        critic = partial(critics.of, weights, buffers)
        return critics.objective.adversarial_loss(critic, real, fake)

    pools = critics.of_each(real), critics.of_each(fake)
    losses = torch.vmap(loss_of_one)(critics.weights, critics.buffers, *pools)
    return np.where(critics.diverged.numpy() < 0, losses.numpy(), np.nan)


def exact_w1(real: Tensor, fake: Tensor) -> float:
    """W1 between two sets of points [N, D], by assignment."""
    return wasserstein(Measure.of(real.numpy()), Measure.of(fake.numpy()), 1)
