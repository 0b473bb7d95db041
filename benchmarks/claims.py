"""Seconds of R replicas packed, and of the same R runs one after another in a bare eager loop.

Same networks, losses, optimizer, batches and streams; one thread. The bare loop is torch alone:
modules, `backward`, a fused Adam for each player, no framework. Blocks of both alternate and the
ratio of each round is taken; medians are printed. Time is the processor's (what others do on the
machine counts little); read the ratios.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from bench.core.objective import Objective
from bench.core.seeds import generator as stream
from bench.data.batches import shuffled
from bench.losses import minimax, nonsaturating, wasserstein
from bench.losses.least_squares import logit
from bench.models import priors
from bench.models.base import DRAW
from bench.models.executor import frozen
from bench.networks import mlp
from bench.penalties import norms, sampling_points
from bench.penalties.gradient import GradientPenalty
from bench.theory.replicas import Pack, Replica

NS_GAN = Objective(
    discriminator=minimax.discriminator_loss,
    generator=nonsaturating.generator_loss,
    penalty=None,
    penalty_weight=0.0,
    constraint=None,
    n_dis=1,
    fresh_latent=False,
)
WGAN_GP = Objective(
    discriminator=wasserstein.discriminator_loss,
    generator=wasserstein.generator_loss,
    penalty=GradientPenalty(sampling_points.interpolated, norms.two_sided, logit, 1e-4),
    penalty_weight=0.1,
    constraint=None,
    n_dis=5,
    fresh_latent=True,
)
OBJECTIVES = {"ns_gan": NS_GAN, "wgan_gp": WGAN_GP}
LATENT = 2
SAMPLES = torch.randn(10_000, 2, generator=torch.Generator().manual_seed(0))
STEPS = 20


def players(width: int, depth: int) -> tuple[Callable, Callable]:
    discriminator = partial(mlp.Discriminator, [2], width=width, depth=depth, batch_norm=False)
    return partial(mlp.generator, [2], LATENT, width=width, depth=depth), discriminator


class Bare:
    """One run; `step` is one discriminator step and the generator's where due."""

    def __init__(self, width: int, depth: int, objective: Objective, batch: int, one: Replica):
        self.g, self.d = (make() for make in players(width, depth))
        for index, player in enumerate((self.g, self.d)):
            player.reset(stream(one.seed, "init", index))
        adam = partial(torch.optim.Adam, lr=one.learning_rate, betas=one.betas, fused=True)
        self.g_optimizer, self.d_optimizer = adam(self.g.parameters()), adam(self.d.parameters())
        self.objective, self.batch = objective, batch
        self.latent, self.draws = stream(one.seed, "latent"), stream(one.seed, "draws")
        self.order: Iterator[Tensor] = shuffled(len(SAMPLES), batch, one.seed, 0, 10**9)
        self.d_steps = self.g_steps = 0

    def step(self) -> None:
        """As `bench.models.gan.GAN`, with the discriminator's samples used again."""
        objective, real = self.objective, SAMPLES[next(self.order)]
        due = objective.generator_is_due(self.d_steps, self.g_steps)
        with torch.set_grad_enabled(due and not objective.fresh_latent):
            fake = self.g(priors.uniform(self.batch, LATENT, self.latent))
        draws = {
            name: DRAW[ask.distribution](ask.shape(real), generator=self.draws)
            for name, ask in (objective.penalty.draws if objective.penalty else {}).items()
        }
        loss = objective.discriminator_loss(self.d, real, fake.detach(), draws)
        move(self.d_optimizer, loss)
        if due:
            if objective.fresh_latent:
                fake = self.g(priors.uniform(self.batch, LATENT, self.latent))
            with frozen(self.d):
                move(self.g_optimizer, objective.generator_loss(self.d, fake))
            self.g_steps += 1
        self.d_steps += 1


def move(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def seconds(step: Callable[[], None], steps: int) -> float:
    started = time.process_time()
    for _ in range(steps):
        step()
    return time.process_time() - started


def measure(
    width: int, depth: int, name: str, batch: int, count: int, rounds: int
) -> tuple[float, float, float]:
    """Medians of packed and bare milliseconds a step of all replicas, and of their ratio."""
    rate = {"learning_rate": 1e-4, "betas": (0.5, 0.9)}
    replicas = [Replica(seed=seed, **rate) for seed in range(count)]
    objective = OBJECTIVES[name]
    fixed = dict(optimizer="adam", prior=priors.uniform, latent_dim=LATENT, batch_size=batch)
    pack = Pack(*players(width, depth), objective, replicas, samples=SAMPLES, **fixed)
    bare = [Bare(width, depth, objective, batch, one) for one in replicas]
    found = []
    for _ in range(rounds + 1):
        packed = seconds(pack.step, STEPS)
        found.append((packed, sum(seconds(one.step, STEPS) for one in bare)))
    packed, single = ([1000 * t / STEPS for t in column] for column in zip(*found[1:], strict=True))
    ratios = [b / a for a, b in found[1:]]
    return statistics.median(packed), statistics.median(single), statistics.median(ratios)


def main() -> None:
    """Print one line a case."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5, help="blocks of each, alternating")
    options.add_argument("--replicas", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    options.add_argument("--losses", nargs="+", default=list(OBJECTIVES))
    options.add_argument("--widths", type=int, nargs="+", default=[32, 128])
    options.add_argument("--batches", type=int, nargs="+", default=[64, 256])
    chosen = options.parse_args()
    torch.set_num_threads(1)
    print(f"{'loss':<8} {'width':>5} {'batch':>5} {'R':>3} {'packed':>9} {'alone':>9} {'ratio':>6}")
    for name in chosen.losses:
        for width in chosen.widths:
            for batch in chosen.batches:
                for count in chosen.replicas:
                    packed, single, ratio = measure(width, 3, name, batch, count, chosen.rounds)
                    case = f"{name:<8} {width:>5} {batch:>5} {count:>3}"
                    print(f"{case} {packed:>9.2f} {single:>9.2f} {ratio:>6.2f}", flush=True)
    print(f"median CPU ms a step of all replicas, depth 3, {chosen.rounds} rounds of {STEPS} steps")


if __name__ == "__main__":
    main()
