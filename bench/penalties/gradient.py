"""Gradient penalties, composed of sampling points, a differentiated function and a norm."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from bench.core.contracts import ContractError, describe_part, require_call, require_shape
from bench.core.coupling import is_coupled
from bench.core.parts import RandomInput, RandomInputs, Rows, SampleCritic, identity


def gradient_norm(critic: SampleCritic, points: Tensor, *, eps: float) -> Tensor:
    """|grad f(x)|_2 of each sample, [N], at points [N, ...].

    Args:
        critic: f, samples [N, ...] -> scores [N]; must not update buffers.
        points: x, [N, ...].
        eps: added under the square root, at least 0.

    Deviation: the equation has eps = 0; compare_gan v1, which we reproduce, has 1e-4.
    """
    gradient = torch.func.grad(lambda x: critic(x).sum())(points)  # also works under vmap
    if eps == 0:  # the root's slope at 0 is infinite; a norm's subgradient there is 0
        return torch.linalg.vector_norm(gradient.flatten(1), dim=1)
    return (eps + gradient.square().flatten(1).sum(1)).sqrt()


@dataclass(frozen=True)
class GradientPenalty:
    """ask(|grad of(f)(x)|) at x = place(real, fake).

    Args:
        place: (real, fake, draws) -> points, from `bench.penalties.sampling_points`.
        ask: norms [N] -> scalar, from `bench.penalties.norms`.
        of: logits -> the differentiated values: `bench.losses.least_squares.logit`, or
            `torch.sigmoid`.
        eps: added under the root of the norm, at least 0.

    Raises:
        ValueError: eps is negative or NaN, or a part cannot be called as it has to be.
    """

    place: Callable[[Tensor, Tensor, RandomInputs], Tensor]
    ask: Callable[[Tensor], Tensor]
    of: Callable[[Tensor], Tensor]
    eps: float

    def __post_init__(self) -> None:
        if not self.eps >= 0:
            raise ValueError(f"eps is {self.eps}; it is added under a root: set it to 0 or more")
        require_call(self.place, "real", "fake", "draws")
        require_call(self.ask, "norms")
        require_call(self.of, "logits")
        if not hasattr(getattr(self.place, "func", self.place), "random_inputs"):
            found = f"{describe_part(self.place)} does not say which random numbers it needs"
            raise ContractError(f"{found} by @needs_random of bench.penalties.sampling_points")

    @property
    def random_inputs(self) -> Mapping[str, RandomInput]:
        """The random numbers that `place` needs, by name."""
        return self._place().random_inputs

    @property
    def side(self) -> str:
        """The side whose labels and draws the points have: "real", "fake", "both" or "between"."""
        return getattr(self._place(), "side", "real")

    @property
    def couples_samples(self) -> bool:
        """Whether `ask` is no mean over the points."""
        return is_coupled(self.ask)

    def _place(self) -> Any:
        return self.place.func if isinstance(self.place, partial) else self.place

    def __call__(
        self,
        critic: SampleCritic,
        real: Tensor,
        fake: Tensor,
        draws: RandomInputs,
        shard: Rows = identity,
    ) -> Tensor:
        """Return the unweighted penalty, a scalar, from samples [B, ...]: see `Penalty`."""
        points = shard(self.place(real, fake, draws))
        penalty = self.ask(gradient_norm(lambda x: self.of(critic(x)), points, eps=self.eps))
        require_shape(penalty, (), self.ask, "a penalty on norms [N]")
        return penalty
