"""What each replica of a pack has of its own, and who of them still trains."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.theory.replicas.rules import Rates


@dataclass(frozen=True, kw_only=True)
class Replica:
    """What a replica has of its own.

    Args:
        seed: of its streams: initial weights, data, latents, draws.
        learning_rate, betas: of both players' optimizers.
        penalty_weight: None takes the objective's.
        weight_clip: bound of the discriminator's weights after each of its steps; None takes
            that of the objective's `WeightClip`, or no bound where it has none.

    Raises:
        ValueError: a number is outside its range.
    """

    seed: int
    learning_rate: float
    betas: tuple[float, float]
    penalty_weight: float | None = None
    weight_clip: float | None = None

    def __post_init__(self) -> None:
        # no upper bound: a learning rate of 1e30 is how a replica is made to diverge
        if not (math.isfinite(self.learning_rate) and self.learning_rate >= 0):
            raise ValueError(f"learning_rate is {self.learning_rate}; it must be 0 or more")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas are {self.betas}; two numbers from 0 to less than 1")
        weight, bound = self.penalty_weight, self.weight_clip
        if weight is not None and not (math.isfinite(weight) and weight >= 0):
            raise ValueError(f"penalty_weight is {weight}; it must be 0 or more")
        if bound is not None and not (math.isfinite(bound) and bound > 0):
            raise ValueError(f"weight_clip is {bound}; it must be more than 0")


class Standing:
    """Which replicas still train.

    Attributes:
        diverged: int64 [R], the number of discriminator steps when a loss or weight was found not
            finite, -1 for none.
    """

    def __init__(self, count: int, every: int, device: torch.device | str) -> None:
        if every < 1:
            raise ValueError(f"check_every is {every}; it must be 1 or more")
        self.every, self.some = every, False
        self.diverged = torch.full((count,), -1, device=device)

    def judge(self, d_steps: int, losses: Tensor, weights: Tensor) -> None:
        """Note who diverged, from losses [R] and weights [R, P]; waits for the device."""
        least, most = weights.amin(1), weights.amax(1)  # both NaN where an entry is
        finite = torch.stack([losses, least, most]).isfinite().all(0)
        if not finite.all():
            late = ~finite & (self.diverged < 0)
            self.diverged = torch.where(late, d_steps, self.diverged)
            self.some = True

    def kept(self, before: Tensor, after: Tensor) -> Tensor:
        """Rows of `after`, but of `before` where the replica has diverged; both [R, ...]."""
        if not self.some:
            return after
        training = (self.diverged < 0).reshape(-1, *(1,) * (after.ndim - 1))
        return torch.where(training, after, before)


def rates_of(replicas: Sequence[Replica], device: torch.device | str) -> Rates:
    """Their rates, [R, 1] each."""
    columns = [(r.learning_rate, *r.betas) for r in replicas]
    table = torch.tensor(columns, dtype=torch.float64, device=device)
    return Rates(table[:, :1], table[:, 1:2], table[:, 2:])
