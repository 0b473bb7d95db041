"""Augmentation with a probability that follows D's signs on real samples.

The controller of adaptive discriminator augmentation, Karras et al. 2020 (arXiv:2006.06676),
section 3, over any transforms; ADA itself is this with the paper's own pipe of transforms.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from bench.core.batch import Batch, Critic, Outputs
from bench.core.number_checks import require_whole_number
from bench.core.parts import RandomInput, Transform
from bench.transforms.transform import merge_random_inputs


def gate(transform: Transform, critic: Critic, uniform: str, probability: Tensor) -> Critic:
    """Return the critic of samples of which each is transformed where its u < p, else unchanged.

    Args:
        transform: changes samples, each by itself.
        uniform: name of u, in [0, 1), [B], in the batch's draws.
        probability: p, in [0, 1], [].
    """

    def gated_critic(batch: Batch) -> Outputs:
        def choose(changed: Batch) -> Outputs:
            chosen = batch.draws[uniform] < probability
            chosen = chosen.reshape(-1, *(1,) * (batch.samples.ndim - 1))
            return critic(
                changed._replace(samples=torch.where(chosen, changed.samples, batch.samples))
            )

        return transform(choose)(batch)

    return gated_critic


@dataclass(frozen=True)
class Adaptive:
    """Apply each transform to each sample with probability p, moved by the sign of r_t - target.

    r_t = E[sign D(x)] over the real samples of `interval` updates; then
    p <- clip(p + sign(r_t - target) n / images_to_full, 0, 1), where n counts these samples.

    Args:
        steps: transforms of each sample by itself; the first sees the samples, the last is next
            to the critic. Each has a gate of its own.
        target: of r_t, in (-1, 1); 0.6 in the paper.
        images_to_full: real samples after which p could come from 0 to 1, above 0; 500,000.
        interval: updates between two movements of p, at least 1; 4.

    Raises:
        ValueError: a number is outside its range, or two steps draw numbers of one name.

    Deviation: p is at most 1; the paper's code has no upper bound.
    """

    steps: Sequence[Transform]
    target: float
    images_to_full: float
    interval: int

    initial_state: ClassVar[Mapping[str, float]] = MappingProxyType(
        {"p": 0.0, "signs": 0.0, "count": 0.0}
    )
    couples_samples: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not -1 < self.target < 1:
            raise ValueError(f"target is {self.target}; it is a mean of signs: in (-1, 1)")
        if not (math.isfinite(self.images_to_full) and self.images_to_full > 0):
            raise ValueError(f"images_to_full is {self.images_to_full}; set it above 0")
        require_whole_number("interval", self.interval, 1, meaning="updates")
        object.__setattr__(self, "steps", tuple(self.steps))  # a list of Hydra's is slow to read
        merge_random_inputs(self.steps)

    @property
    def random_inputs(self) -> Mapping[str, RandomInput]:
        """The random numbers of all steps and of their gates, by name."""
        gates = {name: RandomInput("uniform", "sample") for name in self._gate_names()}
        return {**merge_random_inputs(self.steps), **gates}

    def __call__(self, critic: Critic, state: Mapping[str, Tensor]) -> Critic:
        """Return the critic of samples that were augmented with the state's probability "p"."""
        for name, step in reversed(list(zip(self._gate_names(), self.steps, strict=True))):
            critic = gate(step, critic, name, state["p"])
        return critic

    def next_state(self, state: Mapping[str, Tensor], real_logits: Tensor) -> dict[str, Tensor]:
        """Return the state after an update: "p", and sum and count of the signs since it moved.

        Args:
            state: tensors [] by the names of `initial_state`.
            real_logits: scores of augmented real samples of all processes, [B], always equally
                many.
        """
        signs = state["signs"] + real_logits.detach().sign().sum()
        count = state["count"] + len(real_logits)
        step = torch.sign(signs / count - self.target) * count / self.images_to_full
        is_due = count >= self.interval * len(real_logits)
        return {
            "p": torch.where(is_due, (state["p"] + step).clamp(0, 1), state["p"]),
            "signs": torch.where(is_due, torch.zeros_like(signs), signs),
            "count": torch.where(is_due, torch.zeros_like(count), count),
        }

    def _gate_names(self) -> list[str]:
        return [f"gate_{index}" for index in range(len(self.steps))]
