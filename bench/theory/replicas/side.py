"""R discriminators, or critics, trained on given samples: one side of the game."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from bench.core.objective import Critic, Objective, RandomInput, RandomInputs
from bench.core.seeds import generator as stream
from bench.models.base import DISTRIBUTIONS
from bench.penalties.clipping import WeightClip
from bench.theory.replicas.player import Factory, Player
from bench.theory.replicas.replica import Replica, Standing
from bench.theory.replicas.rules import Moments, Rates, rule_of
from bench.vectorized.fx_trace import TracedFunction

Buffers = dict[str, Tensor]


class Side(Player):
    """Discriminators that learn to tell real samples from fake ones, by any Objective.

    Args:
        factory: makes the discriminator, samples [B, ...] -> logits [B].
        objective: losses and penalty; the replicas may set its weight and clipping bound.
        replicas: R of them.
        optimizer: "adam", "rmsprop" (whose alpha is beta2) or "sgd".
        check_every: steps between two looks for divergence; each waits for the device.

    Attributes:
        replicas: as given.
        losses: d_loss [R] of the last step; a diverged replica's stays.

    Raises:
        ValueError: see `Player`; or the objective has a constraint that is not clipping.
    """

    def __init__(
        self,
        factory: Factory,
        objective: Objective,
        replicas: Sequence[Replica],
        *,
        optimizer: str,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        check_every: int = 1,
    ) -> None:
        standing = Standing(len(replicas), check_every, device)
        super().__init__(factory, replicas, 1, rule_of(optimizer), standing, dtype, device)
        self.objective, self.replicas = objective, tuple(replicas)
        self.losses = torch.full((len(replicas),), math.nan, dtype=dtype, device=device)
        given = [
            objective.penalty_weight if r.penalty_weight is None else r.penalty_weight
            for r in replicas
        ]
        self.penalty_weights = torch.tensor(given, dtype=dtype, device=device)
        self.bound = bounds(objective, replicas, dtype, device)
        self.slope = TracedFunction(torch.vmap(torch.func.grad_and_value(self.loss)))
        self.draws = [stream(r.seed, "draws", device=device) for r in replicas]

    @property
    def diverged(self) -> Tensor:
        """Steps at which a replica's loss or weight was found not finite, int64 [R]; -1: none."""
        return self.standing.diverged

    def step(self, real: Tensor, fake: Tensor) -> None:
        """One step of all on samples [R, B, ...], or on the same points [B, D] for all."""
        real, fake = self.of_each(real), self.of_each(fake)
        known = self.weights, self.buffers, self.penalty_weights
        gradient, losses = self.slope(*known, real, fake, self.draw(real))
        self.losses = self.descend(self.losses, gradient, losses, self.steps + 1)

    def loss(
        self,
        weights: Tensor,
        buffers: Buffers,
        penalty_weight: Tensor,
        real: Tensor,
        fake: Tensor,
        draws: RandomInputs,
    ) -> Tensor:
        """What one replica minimises: the objective's loss with a penalty weight of its own."""
        critic = partial(self.of, weights, buffers)
        loss = self.objective.adversarial_loss(critic, real, fake)
        if self.objective.penalty is None:
            return loss
        return loss + penalty_weight * self.objective.penalty(critic, real, fake, draws)

    def ahead(
        self,
        real: Tensor,
        fake: Tensor,
        draws: Sequence[RandomInputs],
        weights: Tensor,
        buffers: Buffers,
        penalty_weight: Tensor,
        moments: Moments,
        rates: Rates,
        step: Tensor,
    ) -> Critic:
        """One replica's D_k: Metz et al. 2016 (arXiv:1611.02163), section 2.2; k = len(draws).

        Its steps are those of `bench.models.unrolled`, with the optimizer's moments and rates.
        """
        rate, *betas = (column.squeeze() for column in rates)
        settings = {"lr": rate, "betas": betas, "eps": self.rule.eps}
        state = {"step": step, **moments}
        for drawn in draws:
            known = buffers, penalty_weight, real, fake, drawn
            gradient = torch.func.grad(self.loss)(weights, *known)
            assert self.rule.ahead is not None
            weights, state = self.rule.ahead(weights, gradient, state, settings)
        return partial(self.of, weights, buffers)

    def given(self) -> tuple:
        """The last arguments of `ahead`, for all replicas."""
        step = torch.full_like(self.rates.beta1[:, 0], self.steps)
        known = self.weights, self.buffers, self.penalty_weights
        return (*known, self.moments, self.rates, step)

    def draw(self, real: Tensor) -> dict[str, Tensor]:
        """The streams' next numbers that the penalty asks for, [R, ...] each."""
        wanted: Mapping[str, RandomInput] = (
            self.objective.penalty.random_inputs if self.objective.penalty else {}
        )
        drawn: dict[str, list[Tensor]] = {name: [] for name in wanted}
        for rows, draws in zip(real, self.draws, strict=True):
            for name, ask in wanted.items():
                numbers = DISTRIBUTIONS[ask.distribution](
                    ask.shape(rows), generator=draws, device=draws.device, dtype=real.dtype
                )
                drawn[name].append(numbers)
        return {name: torch.stack(numbers) for name, numbers in drawn.items()}

    def constrained(self, weights: Tensor) -> Tensor:
        """Each replica's weights within its bound."""
        return weights if self.bound is None else weights.clamp(-self.bound, self.bound)

    def opinion(self, points: Tensor) -> Tensor:
        """Logits [R, B] of points [B, D], the same for all, or of samples [R, B, ...]."""
        return self(self.of_each(points))

    @torch.no_grad()
    def gradient(self, points: Tensor) -> Tensor:
        """d logit / d point, [R, B, ...], at points [B, D] or samples [R, B, ...]."""

        def summed(points: Tensor, weights: Tensor, buffers: Buffers) -> Tensor:
            return self.of(weights, buffers, points).sum()

        known = self.weights, self.buffers
        return torch.vmap(torch.func.grad(summed))(self.of_each(points), *known)

    def of_each(self, samples: Tensor) -> Tensor:
        """Points [B, D] as [R, B, D]; what has a replica's axis stays.

        Raises:
            ValueError: the first of more axes is not R.
        """
        count = len(self.weights)
        samples = samples.to(self.weights.dtype)
        if samples.ndim == 2:
            return samples.expand(count, *samples.shape)
        if len(samples) != count:
            raise ValueError(f"samples {list(samples.shape)} for {count} replicas: [R, B, ...]")
        return samples

    def replica(self, r: int) -> nn.Module:
        """An ordinary module with the weights of replica r."""
        return self.module(r)

    def state(self) -> dict[str, Any]:
        """Tensors and ints, with which `load` goes on to the same bits."""
        streams = torch.stack([draws.get_state() for draws in self.draws])
        more = {"losses": self.losses.clone(), "diverged": self.diverged.clone(), "draws": streams}
        return super().state() | more

    def load(self, state: dict[str, Any]) -> None:
        """Take a state back."""
        super().load(state)
        self.losses = state["losses"].to(self.losses).clone()
        self.standing.diverged = state["diverged"].to(self.losses.device).clone()
        self.standing.some = bool((state["diverged"] >= 0).any())
        for draws, one in zip(self.draws, state["draws"], strict=True):
            draws.set_state(one.cpu().clone())  # torch reads a row's storage from its start


def bounds(
    objective: Objective, replicas: Sequence[Replica], dtype: torch.dtype, device: Any
) -> Tensor | None:
    """The replicas' clipping bounds [R, 1], None where nobody clips.

    Raises:
        ValueError: the objective's constraint is another one.
    """
    constraint = objective.constraint
    if not isinstance(constraint, WeightClip | None):
        raise ValueError(
            f"a pack clips weights and knows no other constraint: {type(constraint).__name__}"
        )
    own = constraint.bound if constraint is not None else math.inf
    given = [own if r.weight_clip is None else r.weight_clip for r in replicas]
    if all(math.isinf(bound) for bound in given):
        return None
    return torch.tensor(given, dtype=dtype, device=device)[:, None]
