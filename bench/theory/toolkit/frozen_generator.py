"""Discriminators against a frozen generator, after Arjovsky and Bottou 2017, figures 2 and 3.

arXiv:1701.04862: a DCGAN is trained for 1, 10 and 25 epochs and frozen; a discriminator starts
anew and learns against it while the generator's gradient is watched.
"""

import copy
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from bench.core.seeds import generator
from bench.networks import mlp
from bench.theory.toolkit import suite_access
from bench.theory.toolkit.discriminators import Batch, fitted

LATENT, WIDTH, BATCH, RATE = 8, 128, 128, 1e-3
WATCHED = 512  # latents of the watched gradient, the same throughout
SHIFT = 1.0  # of the control: N(0, I) is real, N((SHIFT, 0), I) fake


class Seen(NamedTuple):
    """A discriminator after `step` steps.

    Args:
        step: how many it has taken.
        accuracy: share of fresh real and fake samples on the right side of 1/2.
        gradient: d/dtheta of the generator's loss, one vector of all its parameters, float64.
    """

    step: int
    accuracy: float
    gradient: Tensor


class Affine(nn.Linear):
    """z + (SHIFT, 0) at first: a generator whose samples overlap with N(0, I)."""

    def __init__(self) -> None:
        super().__init__(2, 2)
        with torch.no_grad():
            self.weight.copy_(torch.eye(2))
            self.bias.copy_(torch.tensor([SHIFT, 0.0]))


def digits(seed: int, stage: int) -> tuple[nn.Module, Any]:
    """A generator of 8x8 digits after `stage` steps of non-saturating GAN, and draws of reals."""
    images = torch.from_numpy(suite_access.points("digits")["train"]).reshape(-1, 64).float() / 255
    g = mlp.generator([64], LATENT, width=WIDTH, depth=2)
    d = mlp.Discriminator([64], width=WIDTH, depth=2, batch_norm=False)
    g.reset(generator(seed, "init", 0))
    d.reset(generator(seed, "init", 1))
    data, latent = generator(seed, "data"), generator(seed, "latent")

    def real() -> Tensor:
        return images[torch.randint(len(images), (BATCH,), generator=data)]

    def batch() -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            return real(), g(torch.randn(BATCH, LATENT, generator=latent))

    objective = suite_access.objective("nonsaturating")
    players = [torch.optim.Adam(net.parameters(), lr=RATE, betas=(0.5, 0.999)) for net in (g, d)]
    for _ in fitted(d, objective, players[1], batch, stage, source=data):
        loss = objective.generator_loss(d, g(torch.randn(BATCH, LATENT, generator=latent)))
        players[0].zero_grad()
        loss.backward()
        players[0].step()
    return g, real


def gaussians(seed: int) -> tuple[nn.Module, Any]:
    """The control: an affine generator, and draws of N(0, I) in the plane."""
    data = generator(seed, "data")
    return Affine(), lambda: torch.randn(BATCH, 2, generator=data)


def watched(
    g: nn.Module, real: Any, loss: str, at: Sequence[int], *, seed: int, player: int = 0
) -> Iterator[Seen]:
    """A new discriminator learns by the minimax loss; the gradient of `loss` is seen on the way.

    Args:
        g: the frozen generator, latents -> points [B, D].
        real: draws the next real samples, [B, D].
        loss: whose generator loss is differentiated: "minimax" or "nonsaturating".
        at: the steps after which to look, rising.
        player: which of the discriminators of this seed: other weights and other latents.
    """
    size = 2 if isinstance(g, Affine) else LATENT
    d = mlp.Discriminator([len(real()[0])], width=WIDTH, depth=2, batch_norm=False)
    d.reset(generator(seed, "init", 2 + player))
    latent = generator(seed, "latent", 2 + player)
    fixed = torch.randn(WATCHED, size, generator=generator(seed, "score"), dtype=torch.float64)

    def batch() -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            return real(), g(torch.randn(BATCH, size, generator=latent))

    optimizer = torch.optim.Adam(d.parameters(), lr=RATE, betas=(0.5, 0.999))
    objective = suite_access.objective("minimax")
    for step in fitted(d, objective, optimizer, batch, at[-1], source=latent):
        if step in at:
            yield Seen(step, accuracy(d, batch), gradient(g, d, loss, fixed))


def gradient(g: nn.Module, d: nn.Module, loss: str, fixed: Tensor) -> Tensor:
    """d/dtheta of the generator's loss at latents [N, L] in float64, as one vector.

    In float64 and from logits: a discriminator that is sure by 1e-40 must not read as 0.
    """
    g, d = copy.deepcopy(g).double(), copy.deepcopy(d).double()
    value = suite_access.objective(loss).generator_loss(d, g(fixed))
    return torch.cat([part.flatten() for part in torch.autograd.grad(value, list(g.parameters()))])


def accuracy(d: nn.Module, batch: Batch) -> float:
    """Share of two fresh pairs of batches that the sign of the logit puts on the right side."""
    with torch.no_grad():
        right = [torch.cat((d(real) > 0, d(fake) < 0)) for real, fake in (batch(), batch())]
    return float(torch.cat(right).double().mean())


def exact_control_gradient(loss: str) -> float:
    """|gradient| of the control under the optimal discriminator, by one million latents.

    ln p/q = SHIFT (SHIFT / 2 - x_1), so that the minimax loss has d/dx_1 = SHIFT D(x).
    """
    z = torch.randn(10**6, 2, generator=generator(0, "score"), dtype=torch.float64)
    x = z[:, 0] + SHIFT
    logit = SHIFT * (SHIFT / 2 - x)
    slope = SHIFT * (logsigmoid(logit) if loss == "minimax" else logsigmoid(-logit)).exp()
    rows = torch.stack([(slope * z[:, 0]).mean(), (slope * z[:, 1]).mean(), slope.mean()])
    return float(torch.linalg.vector_norm(rows))
