"""Train small GANs, or discriminators between given samples, side by side: a replica a seed.

Models, objective, draws and optimizers are the suite's; `bench.vectorized` trains them. A
discriminator alone belongs to a GAN whose generator is frozen: it returns the fake samples of the
step, or is a checkpoint, and is never due.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from bench.core.objective import Objective
from bench.core.parts import PLAYERS
from bench.core.update_order import StudyOrder
from bench.models import priors
from bench.models.base import TrainingConfig
from bench.models.executor import DISCRIMINATOR, GENERATOR
from bench.models.gan import GAN
from bench.models.unrolled import UnrolledGAN
from bench.networks import mlp
from bench.theory.experiment import PartSettings
from bench.vectorized.stack import ReplicaStack
from bench.vectorized.trainer import train_on_batch

MakeOptimizer = Callable[[Iterable[Tensor]], torch.optim.Optimizer]
NextBatch = Callable[[], tuple[Tensor, Tensor]]  # the next real and fake samples, [R, B, D] each


class FrozenGenerator(StudyOrder):
    """An order in which the generator never moves."""

    def generator_is_due(self, d_steps: int, g_steps: int) -> bool:
        """Return False."""
        return False


class GivenSamples(nn.Module):
    """Return samples [B, D], which are the weights of this generator, whatever the latents."""

    def __init__(self, batch: int, dimension: int) -> None:
        super().__init__()
        self.samples = nn.Parameter(torch.zeros(batch, dimension))

    def reset(self, generator: torch.Generator) -> None:
        """Draw nothing."""

    def forward(self, latent: Tensor) -> Tensor:
        """Return the samples."""
        return self.samples


def adam(rate: float, betas: tuple[float, float] = (0.9, 0.999)) -> MakeOptimizer:
    """Return torch's Adam with a learning rate; betas are torch's own where none are given."""
    return partial(torch.optim.Adam, lr=rate, betas=betas, fused=True)


def rmsprop(rate: float) -> MakeOptimizer:
    """Return torch's RMSProp with a learning rate, eps as in conf/optimizer/rmsprop.yaml."""
    return partial(torch.optim.RMSprop, lr=rate, alpha=0.99, eps=1e-10)


def make_gan(
    seed: int,
    objective: Objective,
    generator: nn.Module,
    discriminator: nn.Module,
    optimizer: MakeOptimizer,
    *,
    latent_dim: int,
    unroll_steps: int = 0,
) -> GAN:
    """Make an untrained GAN with normal latents; its initial weights are drawn from the seed."""
    optimizers = dict.fromkeys(PLAYERS, optimizer)
    training = TrainingConfig(priors.normal, latent_dim, optimizers, 1, seed, "32", None)
    arguments = generator, discriminator, objective, False, False, training
    return UnrolledGAN(*arguments, unroll_steps) if unroll_steps else GAN(*arguments)


def freeze_generator(objective: Objective) -> Objective:
    """Return an objective with the generator never due."""
    return replace(objective, update_order=FrozenGenerator(**vars(objective.update_order)))


def stack_discriminators(
    settings: PartSettings, objective: Objective, optimizer: MakeOptimizer, *, inputs: int
) -> ReplicaStack:
    """Stack a perceptron for each seed, to be trained between batches [B, inputs] of samples.

    Args:
        settings: "seeds", "width", "depth", "batch".
    """
    batch, shape = settings["batch"], {key: settings[key] for key in ("width", "depth")}
    models = [
        make_gan(
            seed,
            freeze_generator(objective),
            GivenSamples(batch, inputs),
            mlp.Discriminator([inputs], batch_norm=False, **shape),
            optimizer,
            latent_dim=1,
        )
        for seed in settings["seeds"]
    ]
    return ReplicaStack(models, torch.zeros(batch, inputs), batch)  # batches are given


def train_between(
    stack: ReplicaStack, next_batch: NextBatch, steps: int, *, decay_rate: bool = False
) -> Iterator[int]:
    """Train discriminators on given batches; yields the steps taken, from 0 to `steps`.

    Args:
        stack: of `stack_discriminators`.
        decay_rate: lower the learning rate linearly to 0, so that the end is no random walk.
    """
    optimizers = [slot[DISCRIMINATOR] for slot in stack.optimizers]
    for step in range(steps):
        yield step
        if decay_rate:
            for optimizer in optimizers:
                optimizer.param_groups[0]["lr"] = optimizer.defaults["lr"] * (1 - step / steps)
        real, fake = next_batch()
        stack.rows[GENERATOR].copy_(fake.flatten(1))
        train_on_batch(stack, real)
    yield steps


def gans(stack: ReplicaStack) -> list[GAN]:
    """Return the models of a full stack; their weights are views of its rows."""
    return [cast(GAN, model) for model in stack.models]


@torch.no_grad()
def generate(stack: ReplicaStack, latents: Tensor) -> Tensor:
    """Return each replica's samples [R, B, ...] of latents [R, B, L], or of [B, L] for all."""
    latents = latents.expand(len(stack.models), *latents.shape[-2:])
    pairs = zip(stack.occupied, latents, strict=True)
    return torch.stack([stack.model(slot).generate(latent) for slot, latent in pairs])


def find_diverged(stack: ReplicaStack) -> np.ndarray:
    """Return which replicas hold a weight or a loss that is not finite, bool [R].

    No sum runs over the replicas, so that one that diverged changes no bit of another.
    """
    numbers = [*stack.rows, *(losses[:, None] for losses in stack.losses.values())]
    return ~torch.cat(numbers, 1).isfinite().all(1).numpy()
