"""Critics, and generators against them, of several seeds at once: one more axis, [R].

All updates are elementwise, so that a stack is trained as each of its networks would be alone.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from bench import seeds as streams
from bench.claims.counting import mean_over_seeds
from bench.claims.statement import Number
from bench.divergences import Measure, wasserstein
from bench.networks import mlp
from bench.objective import Objective
from bench.penalties.gradient import gradient_norm


class Players:
    """R networks of one shape as one: `parameters` are those of all, [R, ...] each."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        self.network = copy.deepcopy(networks[0])
        self.parameters: dict[str, Tensor] = stack_module_state(list(networks))[0]

    def mapped(self, function: Callable, *arguments: Tensor) -> Tensor:
        """function(network, *arguments) of each; arguments [R, ...]."""

        def one(parameters: dict[str, Tensor], *rest: Tensor) -> Tensor:
            return function(lambda x: functional_call(self.network, parameters, (x,)), *rest)

        return vmap(one)(self.parameters, *arguments)

    def __call__(self, inputs: Tensor) -> Tensor:
        """Outputs [R, N, ...] of inputs [R, N, ...]."""
        return self.mapped(lambda network, x: network(x), inputs)

    def alone(self, index: int) -> nn.Module:
        """A copy of one of them."""
        network = copy.deepcopy(self.network)
        network.load_state_dict({name: p[index].detach() for name, p in self.parameters.items()})
        return network

    def copied(self) -> "Players":
        """Others with the same weights."""
        other = copy.copy(self)
        other.parameters = {
            name: p.detach().clone().requires_grad_() for name, p in self.parameters.items()
        }
        return other


class Noise:
    """Random numbers of each seed from a stream of its own, stacked to [R, ...]."""

    def __init__(self, seeds: Sequence[int], stream: str, index: int = 0) -> None:
        self.generators = [streams.generator(seed, stream, index) for seed in seeds]

    def __call__(self, distribution: str, *shape: int) -> Tensor:
        """Of "uniform" in [0, 1) or "normal"."""
        draw = torch.rand if distribution == "uniform" else torch.randn
        return torch.stack([draw(shape, generator=g) for g in self.generators])

    def some(self, pool: Tensor, count: int) -> Tensor:
        """So many points, with replacement, of a pool [N, D], or of each seed's own [R, N, D]."""
        pools = pool if pool.ndim == 3 else pool.expand(len(self.generators), *pool.shape)
        return torch.stack(
            [
                own[torch.randint(len(own), (count,), generator=g)]
                for own, g in zip(pools, self.generators, strict=True)
            ]
        )


def critics(seeds: Sequence[int], *, width: int, depth: int) -> Players:
    """Critics of the plane, their weights drawn by each seed."""
    networks = [mlp.Discriminator([2], width=width, depth=depth, batch_norm=False) for _ in seeds]
    for network, seed in zip(networks, seeds, strict=True):
        network.reset(streams.generator(seed, "init"))
    return Players(networks)


def generators(seeds: Sequence[int], *, latent: int, width: int, depth: int) -> Players:
    """Generators of points in the plane, their weights drawn by each seed."""
    networks = [mlp.generator([2], latent, width=width, depth=depth) for _ in seeds]
    for network, seed in zip(networks, seeds, strict=True):
        network.reset(streams.generator(seed, "init", 1))
    return Players(networks)


def adam(players: Players, rate: float) -> torch.optim.Optimizer:
    """Adam as Gulrajani et al. 2017 have it for toy data."""
    return torch.optim.Adam(players.parameters.values(), lr=rate, betas=(0.5, 0.9))


def rmsprop(players: Players, rate: float) -> torch.optim.Optimizer:
    """RMSProp, as Arjovsky et al. 2017 have it."""
    return torch.optim.RMSprop(players.parameters.values(), lr=rate)


def step(
    players: Players,
    optimizer: torch.optim.Optimizer,
    objective: Objective,
    batches: tuple[Tensor, Tensor],
    noise: Noise,
) -> None:
    """One update of all critics on real and fake [R, B, D], clipping included."""
    real, fake = batches
    asked = objective.penalty.draws if objective.penalty else {}
    draws = [noise(draw.distribution, *draw.shape(real[0])) for draw in asked.values()]

    def loss(critic: Callable, real: Tensor, fake: Tensor, *numbers: Tensor) -> Tensor:
        named = dict(zip(asked, numbers, strict=True))
        return objective.discriminator_loss(critic, real, fake, named)

    optimizer.zero_grad()
    players.mapped(loss, real, fake, *draws).sum().backward()
    optimizer.step()
    if objective.constraint is not None:
        objective.constraint(players.parameters.values())


def fitted(
    players: Players,
    optimizer: torch.optim.Optimizer,
    objective: Objective,
    pools: tuple[Tensor, Tensor],
    *,
    seeds: Sequence[int],
    steps: int,
    batch: int,
) -> Iterator[int]:
    """Train critics between two pools of points, [N, D] or [R, N, D]; yields 1, 2, ... steps."""
    data, noise = Noise(seeds, "data"), Noise(seeds, "draws")
    for done in range(1, steps + 1):
        batches = data.some(pools[0], batch), data.some(pools[1], batch)
        step(players, optimizer, objective, batches, noise)
        yield done


def losses(players: Players, objective: Objective, real: Tensor, fake: Tensor) -> np.ndarray:
    """The critics' loss without penalty, [R], on all of two pools; minus the estimate of W1."""
    count = len(next(iter(players.parameters.values())))
    pools = [pool if pool.ndim == 3 else pool.expand(count, *pool.shape) for pool in (real, fake)]
    with torch.no_grad():
        return players.mapped(objective.adversarial_loss, *pools).numpy()


def slopes(players: Players, points: Tensor) -> np.ndarray:
    """|grad f| of each critic at points [N, D]: [R, N]."""
    count = len(next(iter(players.parameters.values())))
    at = points.expand(count, *points.shape)
    found = players.mapped(lambda critic, x: gradient_norm(critic, x, eps=0.0), at)
    return found.detach().numpy()


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
