"""A discriminator trained against two fixed distributions, with fresh samples in each step."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from scipy.special import log_expit
from torch import Tensor

from bench.core.seeds import generator, numpy_generator
from bench.divergences.mixtures import Mixture
from bench.networks.mlp import Discriminator
from bench.theory.experiment import Settings
from bench.theory.toolkit import discriminators
from bench.theory.toolkit.suite_access import objective

LN2 = float(np.log(2))
Pair = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]


def fits(
    pair: Pair, inputs: int, settings: Settings, seed: int, stops: Sequence[int] = ()
) -> Iterator[tuple[int, Discriminator]]:
    """Train by the non-saturating game's discriminator loss; yields (steps, network) at stops.

    Adam, its rate falling linearly to 0: with fresh samples the loss is noisy, and a constant rate
    would leave D moving about its optimum.

    Args:
        pair: (rng, n) -> n samples of each distribution, [n, inputs].
        settings: "width", "depth", "steps", "batch", "rate".
        stops: steps at which to look, besides the last.
    """
    rng, shape = numpy_generator(seed, "data"), {key: settings[key] for key in ("width", "depth")}
    network = Discriminator([inputs], batch_norm=False, **shape)
    network.reset(generator(seed, "init"))
    steps = settings["steps"]

    def batch() -> tuple[Tensor, Tensor]:
        real, fake = pair(rng, settings["batch"])
        return _tensor(real), _tensor(fake)

    for step in discriminators.fitted(
        network,
        objective("nonsaturating"),
        torch.optim.Adam(network.parameters(), lr=settings["rate"]),
        batch,
        steps,
        source=generator(seed, "draws"),
        settle=True,
    ):
        if step in stops or step == steps:
            yield step, network


def fitted(pair: Pair, inputs: int, settings: Settings, seed: int) -> Discriminator:
    """The network after all steps of `fits`."""
    return [network for _, network in fits(pair, inputs, settings, seed)][-1]


def logits(network: Discriminator, points: np.ndarray) -> np.ndarray:
    """Logits [N] in float64 at points [N, D] or [N] on the line."""
    exact = Discriminator(
        [network[0].in_features],
        width=network[0].out_features,
        depth=sum(isinstance(layer, torch.nn.ReLU) for layer in network),
        batch_norm=False,
    ).double()
    exact.load_state_dict(network.state_dict())
    points = np.asarray(points, dtype=np.float64)
    with torch.no_grad():
        return exact(torch.from_numpy(points.reshape(len(points), -1))).numpy()


def js_bound(real_logits: np.ndarray, fake_logits: np.ndarray) -> float:
    """(V + 2 ln 2) / 2 of held-out samples: at most JS, up to sampling; below 0 for a bad D."""
    value = log_expit(real_logits).mean() + log_expit(-fake_logits).mean()
    return float(value / 2 + LN2)


def accuracy(real_logits: np.ndarray, fake_logits: np.ndarray) -> float:
    """Share of held-out samples on the right side of 1/2, both halves counting alike."""
    return float(((real_logits > 0).mean() + (fake_logits < 0).mean()) / 2)


def of_mixtures(real: Mixture, fake: Mixture) -> Pair:
    """Samples [n, 1] of two mixtures on the line."""
    return lambda rng, count: (_sampled(real, rng, count), _sampled(fake, rng, count))


def normal(mean: float, deviation: float = 1.0) -> Mixture:
    """N(mean, deviation^2) as a mixture of one."""
    return Mixture(np.ones(1), np.array([mean]), np.array([deviation]))


def _sampled(mixture: Mixture, rng: np.random.Generator, count: int) -> np.ndarray:
    which = rng.choice(len(mixture.weights), size=count, p=mixture.weights)
    points = mixture.centres[which] + mixture.deviations[which] * rng.standard_normal(count)
    return points[:, None]


def _tensor(points: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(points, dtype=np.float32))
