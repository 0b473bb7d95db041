"""Gradients of a frozen generator while a discriminator learns against it.

After Arjovsky and Bottou 2017 (arXiv:1701.04862), figures 2 and 3: a DCGAN is trained for 1, 10
and 25 epochs and frozen; a discriminator starts anew and learns against it.
"""

import copy
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from bench.core.seeds import derived_seed, generator
from bench.networks import mlp
from bench.theory.toolkit.replica_stacks import adam, freeze_generator, gans, make_gan
from bench.theory.toolkit.suite_access import build_objective, load_samples
from bench.vectorized.stack import ReplicaStack
from bench.vectorized.trainer import train_step

LATENT, WIDTH, BATCH = 8, 128, 128
ADAM = adam(1e-3, (0.5, 0.999))
GRADIENT_LATENTS = 512  # fixed latents at which the gradient is taken
SHIFT = 1.0  # of the control: N(0, I) is real, N((SHIFT, 0), I) fake


class Snapshot(NamedTuple):
    """A discriminator after `step` steps, and the gradient that it gives the generator.

    Args:
        step: how many it has taken.
        accuracy: share of real and fake samples on the right side of 1/2.
        gradient: d/dtheta of the generator's loss, one vector of all its parameters, float64.
    """

    step: int
    accuracy: float
    gradient: Tensor


class AffineGenerator(nn.Linear):
    """z + (SHIFT, 0) at first: a generator whose samples overlap with N(0, I)."""

    def __init__(self) -> None:
        super().__init__(2, 2)
        with torch.no_grad():
            self.weight.copy_(torch.eye(2))
            self.bias.copy_(torch.tensor([SHIFT, 0.0]))

    def reset(self, generator: torch.Generator) -> None:
        """Draw nothing."""


def train_digit_generator(seed: int, stage: int) -> tuple[nn.Module, Tensor]:
    """Train a non-saturating GAN on 8x8 digits for `stage` steps; return G and digits [N, 64]."""
    images = torch.from_numpy(load_samples("digits")["train"]).reshape(-1, 64).float() / 255
    g = mlp.generator([64], LATENT, width=WIDTH, depth=2)
    d = mlp.Discriminator([64], width=WIDTH, depth=2, batch_norm=False)
    model = make_gan(seed, build_objective("nonsaturating"), g, d, ADAM, latent_dim=LATENT)
    stack = ReplicaStack([model], images, BATCH)
    for _ in range(stage):
        train_step(stack)
    return g, images


def make_gaussian_control(seed: int, steps: int) -> tuple[nn.Module, Tensor]:
    """Return an affine generator, and N(0, I) in the plane, with which it overlaps: [N, 2].

    A discriminator sees each of these points once in so many steps.
    """
    return AffineGenerator(), torch.randn(steps * BATCH, 2, generator=generator(seed, "data"))


def gradient_snapshots(
    g: nn.Module, real: Tensor, loss: str, stops: Sequence[int], *, seed: int, players: int = 1
) -> Iterator[list[Snapshot]]:
    """Train new discriminators by the minimax loss; yield each one's snapshot at each stop.

    Args:
        g: the frozen generator, latents -> points [B, D].
        real: samples [N, D].
        loss: whose generator loss is differentiated: "minimax" or "nonsaturating".
        stops: numbers of steps, rising.
        players: how many discriminators, each with other initial weights, batches and latents.
    """
    size = 2 if isinstance(g, AffineGenerator) else LATENT
    objective, score = freeze_generator(build_objective("minimax")), generator(seed, "score")
    models = []
    for player in range(players):
        d = mlp.Discriminator([real.shape[1]], width=WIDTH, depth=2, batch_norm=False)
        own = derived_seed(seed, "init", 2 + player)  # G and its own D have had 0 and 1
        models.append(make_gan(own, objective, copy.deepcopy(g), d, ADAM, latent_dim=size))
        models[-1].generator.load_state_dict(g.state_dict())
    stack = ReplicaStack(models, real, BATCH)
    fixed = torch.randn(GRADIENT_LATENTS, size, generator=score, dtype=torch.float64)
    shown = real[torch.randint(len(real), (2 * BATCH,), generator=score)]
    with torch.no_grad():
        fake = g(torch.randn(2 * BATCH, size, generator=score))
    for step in range(stops[-1] + 1):
        if step > 0:
            train_step(stack)
        if step in stops:
            yield [
                Snapshot(
                    step, measure_accuracy(d, shown, fake), generator_gradient(g, d, loss, fixed)
                )
                for d in (model.discriminator for model in gans(stack))
            ]


def generator_gradient(g: nn.Module, d: nn.Module, loss: str, fixed: Tensor) -> Tensor:
    """d/dtheta of the generator's loss at latents [N, L] in float64, as one vector.

    In float64 and from logits: a discriminator that is sure by 1e-40 must not read as 0.
    """
    g, d = copy.deepcopy(g).double(), copy.deepcopy(d).double()
    value = build_objective(loss).loss.generator(d(g(fixed)))
    return torch.cat([part.flatten() for part in torch.autograd.grad(value, list(g.parameters()))])


@torch.no_grad()
def measure_accuracy(d: nn.Module, real: Tensor, fake: Tensor) -> float:
    """Share of samples, [N, D] each, that the sign of the logit classifies correctly."""
    return float(torch.cat((d(real) > 0, d(fake) < 0)).double().mean())


def control_gradient_norm(loss: str) -> float:
    """|gradient| of the control under the optimal discriminator, by one million latents.

    ln p/q = SHIFT (SHIFT / 2 - x_1), so that the minimax loss has d/dx_1 = SHIFT D(x).
    """
    z = torch.randn(10**6, 2, generator=generator(0, "score"), dtype=torch.float64)
    x = z[:, 0] + SHIFT
    logit = SHIFT * (SHIFT / 2 - x)
    slope = SHIFT * (logsigmoid(logit) if loss == "minimax" else logsigmoid(-logit)).exp()
    rows = torch.stack([(slope * z[:, 0]).mean(), (slope * z[:, 1]).mean(), slope.mean()])
    return float(torch.linalg.vector_norm(rows))
