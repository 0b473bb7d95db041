"""Time R packed replicas against the same R runs one after another in a bare eager loop.

Both use the same networks, losses, optimizer, batches and streams on one thread. The bare loop is
plain torch: modules, `backward`, a fused Adam per player, no framework. Blocks of both alternate,
each round gives one ratio, and medians are printed. Times are CPU times, on which other load on the
machine has little effect; read the ratios.
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
from bench.data.batches import iter_batch_indices
from bench.losses import minimax, nonsaturating, wasserstein
from bench.losses.least_squares import logit
from bench.models import priors
from bench.models.base import DISTRIBUTIONS
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


def player_factories(width: int, depth: int) -> tuple[Callable, Callable]:
    """Return factories of generator and discriminator."""
    discriminator = partial(mlp.Discriminator, [2], width=width, depth=depth, batch_norm=False)
    return partial(mlp.generator, [2], LATENT, width=width, depth=depth), discriminator


class BareRun:
    """One run in plain torch; `step` makes a discriminator step and, if due, a generator step."""

    def __init__(self, width: int, depth: int, objective: Objective, batch: int, replica: Replica):
        self.g, self.d = (make() for make in player_factories(width, depth))
        for index, player in enumerate((self.g, self.d)):
            player.reset(stream(replica.seed, "init", index))
        adam = partial(torch.optim.Adam, lr=replica.learning_rate, betas=replica.betas, fused=True)
        self.g_optimizer, self.d_optimizer = adam(self.g.parameters()), adam(self.d.parameters())
        self.objective, self.batch = objective, batch
        self.latent, self.draws = stream(replica.seed, "latent"), stream(replica.seed, "draws")
        self.order: Iterator[Tensor] = iter_batch_indices(
            len(SAMPLES), batch, replica.seed, 0, 10**9
        )
        self.d_steps = self.g_steps = 0

    def step(self) -> None:
        """Train like `bench.models.gan.GAN` with `reuse_samples=true`."""
        objective, real = self.objective, SAMPLES[next(self.order)]
        due = objective.generator_is_due(self.d_steps, self.g_steps)
        with torch.set_grad_enabled(due and not objective.fresh_latent):
            fake = self.g(priors.uniform(self.batch, LATENT, self.latent))
        draws = {
            name: DISTRIBUTIONS[spec.distribution](spec.shape(real), generator=self.draws)
            for name, spec in (objective.penalty.random_inputs if objective.penalty else {}).items()
        }
        loss = objective.discriminator_loss(self.d, real, fake.detach(), draws)
        optimizer_step(self.d_optimizer, loss)
        if due:
            if objective.fresh_latent:
                fake = self.g(priors.uniform(self.batch, LATENT, self.latent))
            with frozen(self.d):
                optimizer_step(self.g_optimizer, objective.generator_loss(self.d, fake))
            self.g_steps += 1
        self.d_steps += 1


def optimizer_step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Compute the gradient of the loss and make one step."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def cpu_seconds(step: Callable[[], None], steps: int) -> float:
    """Return the CPU seconds that `steps` calls of `step` take."""
    started = time.process_time()
    for _ in range(steps):
        step()
    return time.process_time() - started


def measure(
    width: int, depth: int, name: str, batch: int, count: int, rounds: int
) -> tuple[float, float, float]:
    """Return medians: milliseconds per step of all replicas, packed and bare, and their ratio."""
    rate = {"learning_rate": 1e-4, "betas": (0.5, 0.9)}
    replicas = [Replica(seed=seed, **rate) for seed in range(count)]
    objective = OBJECTIVES[name]
    fixed = dict(optimizer="adam", prior=priors.uniform, latent_dim=LATENT, batch_size=batch)
    pack = Pack(*player_factories(width, depth), objective, replicas, samples=SAMPLES, **fixed)
    bare = [BareRun(width, depth, objective, batch, replica) for replica in replicas]
    times = []
    for _ in range(rounds + 1):
        packed = cpu_seconds(pack.step, STEPS)
        times.append((packed, sum(cpu_seconds(run.step, STEPS) for run in bare)))
    packed, single = ([1000 * t / STEPS for t in column] for column in zip(*times[1:], strict=True))
    ratios = [b / a for a, b in times[1:]]  # the first round warms up
    return statistics.median(packed), statistics.median(single), statistics.median(ratios)


def main() -> None:
    """Print one line per case."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5, help="alternating blocks of each")
    options.add_argument("--replicas", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    options.add_argument("--losses", nargs="+", default=list(OBJECTIVES))
    options.add_argument("--widths", type=int, nargs="+", default=[32, 128])
    options.add_argument("--batches", type=int, nargs="+", default=[64, 256])
    arguments = options.parse_args()
    torch.set_num_threads(1)
    print(f"{'loss':<8} {'width':>5} {'batch':>5} {'R':>3} {'packed':>9} {'bare':>9} {'ratio':>6}")
    for name in arguments.losses:
        for width in arguments.widths:
            for batch in arguments.batches:
                for count in arguments.replicas:
                    packed, single, ratio = measure(width, 3, name, batch, count, arguments.rounds)
                    case = f"{name:<8} {width:>5} {batch:>5} {count:>3}"
                    print(f"{case} {packed:>9.2f} {single:>9.2f} {ratio:>6.2f}", flush=True)
    print(
        f"median CPU ms per step of all replicas, depth 3, "
        f"{arguments.rounds} rounds of {STEPS} steps"
    )


if __name__ == "__main__":
    main()
