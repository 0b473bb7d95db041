"""Samples with what rides beside them: what the pure parts pass on and never open."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import Tensor

Labels = Mapping[str, Tensor]  # {} without labels, or {"labels": [B]}: keywords of a network


class Batch(NamedTuple):
    """Samples of one side, real or generated.

    Args:
        samples: images or points, [B, ...].
        labels: {} without labels, or {"labels": [B]}, the classes, int64.
        draws: random numbers of the transforms, by name, [B, ...].
    """

    samples: Tensor
    labels: Labels = {}
    draws: Mapping[str, Tensor] = {}


class Latent(NamedTuple):
    """Hold what a generator makes samples of.

    Args:
        z: numbers from the prior, [B, L].
        labels: {} without labels, or {"labels": [B]}, the classes that are asked for, int64.
    """

    z: Tensor
    labels: Labels = {}


Outputs = Tensor | Mapping[str, Tensor]  # logits [B], or outputs by name, "logits" among them
Critic = Callable[[Batch], Outputs]


def as_batch(samples: Tensor | Batch) -> Batch:
    """Return samples [B, ...] without labels as a batch; a batch unchanged."""
    return samples if isinstance(samples, Batch) else Batch(samples)


def as_latent(latent: Tensor | Latent) -> Latent:
    """Return latents [B, L] without labels as a `Latent`; one unchanged."""
    return latent if isinstance(latent, Latent) else Latent(latent)
