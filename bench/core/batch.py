"""Samples with what rides beside them: what the pure parts pass on and never open."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import Tensor


class Batch(NamedTuple):
    """Samples of one side, real or generated.

    Args:
        samples: images or points, [B, ...].
        labels: {} without labels, or {"labels": [B]}: keyword arguments of a network.
        draws: random numbers of the transforms, by name, [B, ...].
    """

    samples: Tensor
    labels: Mapping[str, Tensor] = {}
    draws: Mapping[str, Tensor] = {}


Outputs = Tensor | Mapping[str, Tensor]  # logits [B], or outputs by name, "logits" among them
Critic = Callable[[Batch], Outputs]


def as_batch(samples: Tensor | Batch) -> Batch:
    """Return samples [B, ...] without labels as a batch; a batch unchanged."""
    return samples if isinstance(samples, Batch) else Batch(samples)
