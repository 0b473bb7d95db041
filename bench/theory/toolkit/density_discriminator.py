"""Train discriminators between two fixed distributions, with fresh samples in each step."""

import copy
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from scipy.special import log_expit
from torch import Tensor

from bench.core.seeds import numpy_generator
from bench.divergences.mixtures import Mixture
from bench.networks.mlp import Discriminator
from bench.theory.experiment import PartSettings
from bench.theory.toolkit.replica_stacks import adam, gans, stack_discriminators, train_between
from bench.theory.toolkit.suite_access import build_objective

LN2 = float(np.log(2))
PairSampler = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]


def train_with_stops(
    samplers: Sequence[PairSampler],
    inputs: int,
    settings: PartSettings,
    stops: Sequence[int] = (),
) -> Iterator[tuple[int, list[Discriminator]]]:
    """Train by the non-saturating game's discriminator loss; yields (steps, networks) at stops.

    Adam, its rate falling linearly to 0: with fresh samples the loss is noisy, and a constant rate
    would leave D moving about its optimum.

    Args:
        samplers: for each seed (rng, n) -> n samples of each distribution, [n, inputs].
        settings: "seeds", "width", "depth", "steps", "batch", "rate".
        stops: steps at which to yield, besides the last.
    """
    rngs = [numpy_generator(seed, "data") for seed in settings["seeds"]]
    objective, optimizer = build_objective("nonsaturating"), adam(settings["rate"])
    stack = stack_discriminators(settings, objective, optimizer, inputs=inputs)

    def next_batch() -> tuple[Tensor, Tensor]:
        draws = (sample(rng, settings["batch"]) for sample, rng in zip(samplers, rngs, strict=True))
        real, fake = (torch.from_numpy(np.stack(one)).float() for one in zip(*draws, strict=True))
        return real, fake

    steps = settings["steps"]
    for step in train_between(stack, next_batch, steps, decay_rate=True):
        if step in stops or step == steps:
            yield step, [model.discriminator for model in gans(stack)]


def train_to_end(
    samplers: Sequence[PairSampler], inputs: int, settings: PartSettings
) -> list[Discriminator]:
    """Train as `train_with_stops` does, and return each seed's network after all steps."""
    return [networks for _, networks in train_with_stops(samplers, inputs, settings)][-1]


def logits_at(network: Discriminator, points: np.ndarray) -> np.ndarray:
    """Logits [N] in float64 at points [N, D] or [N] on the line."""
    points = np.asarray(points, dtype=np.float64)
    with torch.no_grad():
        inputs = torch.from_numpy(points.reshape(len(points), -1))
        return copy.deepcopy(network).double()(inputs).numpy()


def js_lower_bound(real_logits: np.ndarray, fake_logits: np.ndarray) -> float:
    """(V + 2 ln 2) / 2 of held-out samples: at most JS, up to sampling; below 0 for a bad D."""
    value = log_expit(real_logits).mean() + log_expit(-fake_logits).mean()
    return float(value / 2 + LN2)


def balanced_accuracy(real_logits: np.ndarray, fake_logits: np.ndarray) -> float:
    """Share of held-out samples on the right side of 1/2, both halves counting alike."""
    return float(((real_logits > 0).mean() + (fake_logits < 0).mean()) / 2)


def mixture_sampler(real: Mixture, fake: Mixture) -> PairSampler:
    """Return a sampler of two mixtures on the line, [n, 1] each."""
    return lambda rng, count: (_sample(real, rng, count), _sample(fake, rng, count))


def gaussian(mean: float, deviation: float = 1.0) -> Mixture:
    """N(mean, deviation^2) as a mixture of one."""
    return Mixture(np.ones(1), np.array([mean]), np.array([deviation]))


def _sample(mixture: Mixture, rng: np.random.Generator, count: int) -> np.ndarray:
    modes = rng.choice(len(mixture.weights), size=count, p=mixture.weights)
    points = mixture.centres[modes] + mixture.deviations[modes] * rng.standard_normal(count)
    return points[:, None]
