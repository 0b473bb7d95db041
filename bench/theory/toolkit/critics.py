"""Critics of the plane between two pools of points, those of several seeds as one `Side`."""

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
from bench.theory.experiment import Number
from bench.theory.replicas import Replica, Side
from bench.theory.toolkit.intervals import mean_over_seeds

BETAS = {"adam": (0.5, 0.9), "rmsprop": (0.0, 0.99)}  # Gulrajani et al. 2017 on toys; torch's own


def replicas(seeds: Sequence[int], rate: float, optimizer: str = "adam") -> list[Replica]:
    """One for each seed, alike in all else."""
    return [Replica(seed=seed, learning_rate=rate, betas=BETAS[optimizer]) for seed in seeds]


def critics(
    seeds: Sequence[int],
    game: Objective,
    *,
    width: int,
    depth: int,
    rate: float,
    optimizer: str = "adam",
) -> Side:
    """Critics of the plane, their weights drawn by each seed."""
    shape = {"width": width, "depth": depth, "batch_norm": False}
    maker = partial(mlp.Discriminator, [2], **shape)
    return Side(maker, game, replicas(seeds, rate, optimizer), optimizer=optimizer)


def fitted(critic: Side, pools: tuple[Tensor, Tensor], *, steps: int, batch: int) -> Iterator[int]:
    """Train between two pools of points, [N, D] or [R, N, D]; yields 1, 2, ... steps."""
    opened = [streams.generator(replica.seed, "data") for replica in critic.replicas]
    each = [critic.of_each(pool) for pool in pools]
    for done in range(1, steps + 1):
        real, fake = (_some(pool, batch, opened) for pool in each)
        critic.step(real, fake)
        yield done


def _some(pools: Tensor, count: int, opened: Sequence[torch.Generator]) -> Tensor:
    """So many points of each seed's pool [R, N, D], with replacement."""
    drawn = [
        pool[torch.randint(len(pool), (count,), generator=own)]
        for pool, own in zip(pools, opened, strict=True)
    ]
    return torch.stack(drawn)


@torch.no_grad()
def losses(critic: Side, real: Tensor, fake: Tensor) -> np.ndarray:
    """The critics' loss without penalty, [R], on all of two pools; minus the estimate of W1.

    NaN of a critic that diverged, which stands still at weights that were finite.
    """

    def one(weights: Tensor, buffers: Any, real: Tensor, fake: Tensor) -> Tensor:
        return critic.objective.adversarial_loss(partial(critic.of, weights, buffers), real, fake)

    pools = critic.of_each(real), critic.of_each(fake)
    found = torch.vmap(one)(critic.weights, critic.buffers, *pools)
    return np.where(critic.diverged.numpy() < 0, found.numpy(), np.nan)


def exact(real: Tensor, fake: Tensor) -> float:
    """W1 between two sets of points [N, D], by assignment."""
    return wasserstein(Measure.of(real.numpy()), Measure.of(fake.numpy()), 1)


def mean_number(name: str, values: np.ndarray, known: str = "") -> Number:
    """`mean_over_seeds`, or NaN where a seed has no finite value: then no bound holds."""
    if not np.isfinite(values).all():
        return Number(name, np.nan, np.nan, np.nan, known)
    return mean_over_seeds(name, values, known)


def plain(axis: Any) -> None:
    """Decades of a logarithmic axis as plain numbers: figures parse no mathematics."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
