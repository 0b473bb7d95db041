"""Define what generator and discriminator minimise, and the schedule of their updates.

An Objective is built from pure functions, so that a LightningModule, a stack of replicas and a
test compute the same loss. It holds no state and draws no random numbers.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from bench.core.contracts import ContractError, describe_part, require_call, require_shape
from bench.core.number_checks import require_whole_number

Critic = Callable[[Tensor], Tensor]  # samples [B, ...] -> logits [B]
RandomInputs = Mapping[str, Tensor]  # name -> random numbers that the caller drew
Rows = Callable[[Tensor], Tensor]  # rows [N, ...] -> fewer or more of them


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


class Penalty(Protocol):
    """A term that is added to the discriminator's loss."""

    @property
    def random_inputs(self) -> Mapping[str, RandomInput]:
        """The random numbers that a call needs, by name."""

    def __call__(
        self,
        critic: Critic,
        real: Tensor,
        fake: Tensor,
        draws: RandomInputs,
        shard: Rows = identity,
    ) -> Tensor:
        """Return the unweighted term, a scalar, from samples [B, ...].

        Args:
            draws: the random numbers that `random_inputs` names.
            shard: the points at which the critic is evaluated, [N, ...] -> this process's part
                of them; processes that train one run average the term.
        """


def upcast(logits: Tensor) -> Tensor:
    """Return bfloat16 logits as float32: a loss is never summed with 8 bits of mantissa."""
    return logits.float() if logits.dtype == torch.bfloat16 else logits


@dataclass(frozen=True)
class UpdateSchedule:
    """When the generator is updated, after compare_gan v1.

    Args:
        n_dis: discriminator steps per generator step, at least 1.

    Raises:
        ValueError: n_dis is not a whole number from 1 on.
    """

    n_dis: int

    def __post_init__(self) -> None:
        meaning = "discriminator steps per generator step"
        require_whole_number("n_dis", self.n_dis, 1, meaning=meaning)

    def generator_is_due(self, d_steps: int, g_steps: int) -> bool:
        """Return whether a generator step follows discriminator step `d_steps`, counted from 0.

        On the first step, then where (d_steps - 1) mod n_dis is 0: for n_dis = 5 on steps 0, 1,
        6, 11, ...
        """
        return g_steps == 0 or (d_steps - 1) % self.n_dis == 0


@dataclass(frozen=True, kw_only=True)
class Objective(UpdateSchedule):
    """The losses of discriminator and generator, and the schedule of their updates.

    Args:
        discriminator: (real_logits [B], fake_logits [B]) -> scalar.
        generator: fake_logits [B] -> scalar.
        penalty: added to the discriminator's loss with `penalty_weight`, or None.
        penalty_weight: lambda of the papers, at least 0.
        constraint: called on the discriminator's parameters after each of its steps, or None.
        fresh_latent: the generator's step draws new latents instead of the discriminator's.

    Raises:
        ValueError: a number is outside its range, or a part cannot be called as it has to be.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]
    penalty: Penalty | None
    penalty_weight: float
    constraint: Callable[[Iterable[Tensor]], None] | None
    fresh_latent: bool

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (math.isfinite(self.penalty_weight) and self.penalty_weight >= 0):
            raise ValueError(f"penalty_weight is {self.penalty_weight}; set it to 0 or more")
        require_call(self.discriminator, "real_logits", "fake_logits")
        require_call(self.generator, "fake_logits")
        if self.constraint is not None:
            require_call(self.constraint, "parameters")
        if self.penalty is not None:
            require_call(self.penalty, "critic", "real", "fake", "draws", "shard")
            if not isinstance(getattr(self.penalty, "random_inputs", None), Mapping):
                what = "random_inputs, the random numbers that it needs by name, {} for none"
                raise ContractError(f"{describe_part(self.penalty)} has no {what}")

    @property
    def random_inputs(self) -> Mapping[str, RandomInput]:
        """The random numbers that the discriminator's loss needs, by name."""
        return {} if self.penalty is None else self.penalty.random_inputs

    def adversarial_loss(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """discriminator(critic(real), critic(fake)), a scalar, without penalty, from [B, ...].

        Two passes, not one over the concatenation: batch norm then normalises real and fake
        samples separately, as in the study.
        """
        loss = self.discriminator(upcast(critic(real)), upcast(critic(fake)))
        require_shape(loss, (), self.discriminator, "the discriminator's loss")
        return loss

    def discriminator_loss(
        self,
        critic: Critic,
        real: Tensor,
        fake: Tensor,
        draws: RandomInputs,
        *,
        autocast: Callable[[], AbstractContextManager] = nullcontext,
        gather: Rows = identity,
        shard: Rows = identity,
    ) -> Tensor:
        """adversarial_loss + penalty_weight penalty: what the discriminator minimises, a scalar.

        Args:
            critic: samples [B, ...] -> logits [B].
            real, fake: samples of this process, [B, ...].
            draws: what `random_inputs` names, for the batch of all processes.
            autocast: context of the adversarial loss; the penalty is never taken in bfloat16.
            gather: samples of this process -> those of all processes, from which the penalty's
                points are made.
            shard: the penalty's points -> this process's part of them.
        """
        with autocast():
            loss = self.adversarial_loss(critic, real, fake)
        if self.penalty is None:
            return loss
        penalty = self.penalty(critic, gather(real), gather(fake), draws, shard)
        require_shape(penalty, (), self.penalty, "a penalty")
        return loss + self.penalty_weight * penalty

    def generator_loss(self, critic: Critic, fake: Tensor) -> Tensor:
        """generator(critic(fake)), a scalar, from generated samples [B, ...]."""
        loss = self.generator(upcast(critic(fake)))
        require_shape(loss, (), self.generator, "the generator's loss")
        return loss
