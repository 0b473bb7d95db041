"""Contracts of the parts of a training round: random numbers, state, penalties, transforms.

The parts themselves are pure; their caller draws the numbers and keeps the state.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from torch import Tensor

from bench.core.batch import Critic

RandomInputs = Mapping[str, Tensor]  # name -> random numbers that the caller drew
Rows = Callable[[Tensor], Tensor]  # rows [N, ...] -> fewer or more of them
SampleCritic = Callable[[Tensor], Tensor]  # samples [B, ...] -> logits [B]
Draws = Mapping[str, RandomInputs]  # by term
State = Mapping[str, Mapping[str, Tensor]]  # part -> its tensors by name; {} without state
PLAYERS = ("generator", "discriminator")
SIDES = ("real", "fake")


@dataclass(frozen=True)
class RandomInput:
    """Random numbers that a pure function needs from its caller.

    Args:
        distribution: "uniform" in [0, 1), or "normal" with mean 0 and variance 1.
        per: "sample" for [B], "element" for [B, ...].
        copies: multiplies B, for a function that perturbs real and fake samples at once.
    """

    distribution: str
    per: str
    copies: int = 1

    def shape(self, real: Tensor) -> tuple[int, ...]:
        """Return the shape of the numbers for a batch of the shape of `real`, [B, ...]."""
        rest = tuple(real.shape[1:]) if self.per == "element" else ()
        return (self.copies * len(real), *rest)


def identity(rows: Tensor) -> Tensor:
    """Return the rows unchanged: gather and shard of a run in one process."""
    return rows


def initial_state(part: Any) -> Mapping[str, float]:
    """Return the numbers with which a part's state begins, by name; {} for a part without state."""
    while isinstance(part, partial):
        part = part.func
    return getattr(part, "initial_state", {})


@dataclass(frozen=True)
class Setting:
    """How a loss is taken in this process, at this point of the training.

    Args:
        images: real images seen, for weights that are a function of them.
        context: entered around the passes of a loss itself; a slope is never taken in bfloat16.
        gather: rows of this process -> those of all processes.
        shard: rows of the whole batch -> those of this process.
    """

    images: float
    context: Callable[[], AbstractContextManager]
    gather: Rows
    shard: Rows


ALONE = Setting(0, nullcontext, identity, identity)


class Transform(Protocol):
    """Change the samples that a critic sees, or its logits: an augmentation, for example.

    A transform with state has `initial_state`, is called with (critic, state), and moves its state
    by `next_state(state, real_logits)` after the passes of a discriminator step.
    """

    @property
    def random_inputs(self) -> Mapping[str, RandomInput]:
        """The random numbers in `Batch.draws` that it reads, by name: one set for each side."""

    def __call__(self, critic: Critic) -> Critic:
        """Return the critic with the transform before it, or around it."""


class Penalty(Protocol):
    """A term of the discriminator on its slope at points between or beside samples."""

    @property
    def random_inputs(self) -> Mapping[str, RandomInput]:
        """The random numbers that a call needs, by name."""

    def __call__(
        self,
        critic: SampleCritic,
        real: Tensor,
        fake: Tensor,
        draws: RandomInputs,
        shard: Rows = identity,
    ) -> Tensor:
        """Return the unweighted term, a scalar, from samples [B, ...].

        Args:
            critic: samples [N, ...] -> logits [N]; labels and draws of the term's side are bound.
            draws: the random numbers that `random_inputs` names.
            shard: the points at which the critic is evaluated, [N, ...] -> this process's part
                of them; processes that train one run average the term.
        """
