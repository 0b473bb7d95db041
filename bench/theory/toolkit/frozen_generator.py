"""Gradients of a frozen generator while a discriminator learns against it.

After Arjovsky and Bottou 2017 (arXiv:1701.04862), figures 2 and 3: a DCGAN is trained for 1, 10
and 25 epochs and frozen; a discriminator starts anew and learns against it.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from bench.core.seeds import generator
from bench.networks import mlp
from bench.theory.toolkit.discriminators import NextBatch, train_discriminator
from bench.theory.toolkit.suite_access import build_objective, load_samples

LATENT, WIDTH, BATCH, RATE = 8, 128, 128, 1e-3
GRADIENT_LATENTS = 512  # fixed latents at which the gradient is taken
SHIFT = 1.0  # of the control: N(0, I) is real, N((SHIFT, 0), I) fake

NextReal = Callable[[], Tensor]  # the next real samples, [B, D]


class Snapshot(NamedTuple):
    """A discriminator after `step` steps, and the gradient that it gives the generator.

    Args:
        step: how many it has taken.
        accuracy: share of fresh real and fake samples on the right side of 1/2.
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


def train_digit_generator(seed: int, stage: int) -> tuple[nn.Module, NextReal]:
    """Train a non-saturating GAN on 8x8 digits for `stage` steps; return G and draws of reals."""
    images = torch.from_numpy(load_samples("digits")["train"]).reshape(-1, 64).float() / 255
    g = mlp.generator([64], LATENT, width=WIDTH, depth=2)
    d = mlp.Discriminator([64], width=WIDTH, depth=2, batch_norm=False)
    g.reset(generator(seed, "init", 0))
    d.reset(generator(seed, "init", 1))
    data, latent = generator(seed, "data"), generator(seed, "latent")

    def next_real() -> Tensor:
        return images[torch.randint(len(images), (BATCH,), generator=data)]

    def next_batch() -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            return next_real(), g(torch.randn(BATCH, LATENT, generator=latent))

    objective = build_objective("nonsaturating")
    g_optimizer, d_optimizer = (
        torch.optim.Adam(net.parameters(), lr=RATE, betas=(0.5, 0.999)) for net in (g, d)
    )
    for _ in train_discriminator(d, objective, d_optimizer, next_batch, stage, source=data):
        loss = objective.generator_loss(d, g(torch.randn(BATCH, LATENT, generator=latent)))
        g_optimizer.zero_grad()
        loss.backward()
        g_optimizer.step()
    return g, next_real


def make_gaussian_control(seed: int) -> tuple[nn.Module, NextReal]:
    """Return an affine generator, and draws of N(0, I) in the plane, with which it overlaps."""
    data = generator(seed, "data")
    return AffineGenerator(), lambda: torch.randn(BATCH, 2, generator=data)


def gradient_snapshots(
    g: nn.Module,
    next_real: NextReal,
    loss: str,
    stops: Sequence[int],
    *,
    seed: int,
    player: int = 0,
) -> Iterator[Snapshot]:
    """Train a new discriminator by the minimax loss; yield the gradient of `loss` at each stop.

    Args:
        g: the frozen generator, latents -> points [B, D].
        next_real: draws the next real samples, [B, D].
        loss: whose generator loss is differentiated: "minimax" or "nonsaturating".
        stops: numbers of steps, rising.
        player: index among the discriminators of this seed, each with other initial weights and
            latents.
    """
    size = 2 if isinstance(g, AffineGenerator) else LATENT
    d = mlp.Discriminator([len(next_real()[0])], width=WIDTH, depth=2, batch_norm=False)
    d.reset(generator(seed, "init", 2 + player))
    latent, score = generator(seed, "latent", 2 + player), generator(seed, "score")
    fixed = torch.randn(GRADIENT_LATENTS, size, generator=score, dtype=torch.float64)

    def next_batch() -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            return next_real(), g(torch.randn(BATCH, size, generator=latent))

    optimizer = torch.optim.Adam(d.parameters(), lr=RATE, betas=(0.5, 0.999))
    objective = build_objective("minimax")
    for step in train_discriminator(d, objective, optimizer, next_batch, stops[-1], source=latent):
        if step in stops:
            accuracy = measure_accuracy(d, next_batch)
            yield Snapshot(step, accuracy, generator_gradient(g, d, loss, fixed))


def generator_gradient(g: nn.Module, d: nn.Module, loss: str, fixed: Tensor) -> Tensor:
    """d/dtheta of the generator's loss at latents [N, L] in float64, as one vector.

    In float64 and from logits: a discriminator that is sure by 1e-40 must not read as 0.
    """
    g, d = copy.deepcopy(g).double(), copy.deepcopy(d).double()
    value = build_objective(loss).generator_loss(d, g(fixed))
    return torch.cat([part.flatten() for part in torch.autograd.grad(value, list(g.parameters()))])


def measure_accuracy(d: nn.Module, next_batch: NextBatch) -> float:
    """Share of two fresh pairs of batches that the sign of the logit classifies correctly."""
    with torch.no_grad():
        pairs = (next_batch(), next_batch())
        correct = [torch.cat((d(real) > 0, d(fake) < 0)) for real, fake in pairs]
    return float(torch.cat(correct).double().mean())


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
