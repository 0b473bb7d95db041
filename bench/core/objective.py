"""What two players minimise and whose turn it is, once for every trainer.

An Objective is built from pure functions, so a LightningModule, a packed run and a test call the
same thing. It holds no state and draws nothing.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

Critic = Callable[[Tensor], Tensor]  # samples [B, ...] -> logits [B]
RandomInputs = Mapping[str, Tensor]  # name -> random numbers that the caller drew
Shard = Callable[[Tensor], Tensor]  # points [N, ...] -> some of them


@dataclass(frozen=True)
class RandomInput:
    """Random numbers that a pure function asks its caller for.

    Args:
        distribution: "uniform" in [0, 1), or "normal" with mean 0 and variance 1.
        per: "sample" for [B], "element" for [B, ...].
        copies: multiplies B, for a function that looks at real and fake at once.
    """

    distribution: str
    per: str
    copies: int = 1

    def shape(self, real: Tensor) -> tuple[int, ...]:
        """The shape of the numbers for a batch like `real`, [B, ...]."""
        rest = tuple(real.shape[1:]) if self.per == "element" else ()
        return (self.copies * len(real), *rest)


def identity(points: Tensor) -> Tensor:
    """All of them."""
    return points


class Penalty(Protocol):
    """A term added to the discriminator's loss; `draws` says which numbers it needs."""

    @property
    def draws(self) -> Mapping[str, RandomInput]:
        """The numbers that a call needs, by name."""

    def __call__(
        self,
        critic: Critic,
        real: Tensor,
        fake: Tensor,
        draws: RandomInputs,
        share: Shard = identity,
    ) -> Tensor:
        """The unweighted term, a scalar, from samples [B, ...].

        Args:
            share: of the points where the critic is asked, [N, ...], those to be asked here:
                processes that train together divide them, and average the term.
        """


def upcast(logits: Tensor) -> Tensor:
    """bfloat16 logits as float32: a loss is never summed with 8 bits of mantissa."""
    return logits.float() if logits.dtype == torch.bfloat16 else logits


@dataclass(frozen=True)
class UpdateSchedule:
    """Whose turn it is, after compare_gan v1.

    Args:
        n_dis: discriminator steps per generator step, at least 1.

    Raises:
        ValueError: n_dis is not a whole number from 1 on.
    """

    n_dis: int

    def __post_init__(self) -> None:
        if isinstance(self.n_dis, bool) or not isinstance(self.n_dis, int) or self.n_dis < 1:
            raise ValueError(
                f"n_dis is {self.n_dis!r}; it counts discriminator steps per generator step: "
                "1 or more"
            )

    def generator_is_due(self, d_steps: int, g_steps: int) -> bool:
        """Whether the generator moves after discriminator step `d_steps`, counted from 0.

        On the first step, then where (d_steps - 1) mod n_dis is 0: n_dis = 5 moves it on steps
        0, 1, 6, 11, ...
        """
        return g_steps == 0 or (d_steps - 1) % self.n_dis == 0


@dataclass(frozen=True, kw_only=True)
class Objective(UpdateSchedule):
    """The losses of discriminator and generator, and the rules of the game between them.

    Args:
        discriminator: (real_logits [B], fake_logits [B]) -> scalar.
        generator: fake_logits [B] -> scalar.
        penalty: added to the discriminator's loss with `penalty_weight`, or None.
        penalty_weight: lambda of the papers, at least 0.
        constraint: called on the discriminator's parameters after each of its steps, or None.
        n_dis: see `UpdateSchedule`.
        fresh_latent: the generator's step draws new latents instead of the discriminator's.

    Raises:
        ValueError: a number is outside its range.
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
            raise ValueError(f"penalty_weight is {self.penalty_weight}; it must be 0 or more")

    def adversarial_loss(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """The discriminator's loss without penalty, from two passes over [B, ...].

        Two passes, not one over the concatenation: batch norm then sees real and fake apart, as
        in the study.
        """
        return self.discriminator(upcast(critic(real)), upcast(critic(fake)))

    def penalty_term(
        self,
        critic: Critic,
        real: Tensor,
        fake: Tensor,
        draws: RandomInputs,
        share: Shard = identity,
    ) -> Tensor:
        """penalty_weight times the penalty, a scalar; 0 where there is none. `share`: `Penalty`."""
        if self.penalty is None:
            return real.new_zeros(())
        return self.penalty_weight * self.penalty(critic, real, fake, draws, share)

    def discriminator_loss(
        self, critic: Critic, real: Tensor, fake: Tensor, draws: RandomInputs
    ) -> Tensor:
        """What the discriminator minimises, a scalar, from samples [B, ...]."""
        loss = self.adversarial_loss(critic, real, fake)
        return loss + self.penalty_term(critic, real, fake, draws)

    def generator_loss(self, critic: Critic, fake: Tensor) -> Tensor:
        """What the generator minimises, a scalar, from generated samples [B, ...]."""
        return self.generator(upcast(critic(fake)))
