"""R replicas of one module as a matrix of weights, and who of them still trains."""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from bench.networks.layers import BatchNorm
from bench.packed.rules import Rates, Rule
from bench.seeds import generator as stream

Factory = Callable[[], Any]  # () -> module with `reset`


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
        finite = (losses + torch.linalg.vector_norm(weights, math.inf, dim=1)).isfinite()
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


class Player:
    """R replicas of one module: their weights, optimizer and buffers.

    Args:
        factory: makes the module; called once for each replica.
        replicas: R of them.
        index: in the stream "init": 0 the generator's, 1 the opponent's.
        rule: of `bench.packed.rules`.
        standing: shared by the players of one pack.

    Attributes:
        weights: [R, P], all parameters of a replica in one row; a leaf of autograd.
        steps: that the optimizer has taken.

    Raises:
        ValueError: no replica, modules of different shapes, or one with running averages.
    """

    def __init__(
        self,
        factory: Factory,
        replicas: Sequence[Replica],
        index: int,
        rule: Rule,
        standing: Standing,
        dtype: torch.dtype,
        device: torch.device | str,
    ) -> None:
        if not replicas:
            raise ValueError("a pack of no replicas: give one or more")
        self.rule, self.standing, self.steps = rule, standing, 0
        rows, buffers, layouts = [], [], []
        for replica in replicas:
            module = factory()
            refuse_running_averages(module)
            module.reset(stream(replica.seed, "init", index))
            module.to(device, dtype)
            rows.append(nn.utils.parameters_to_vector(module.parameters()).detach())
            buffers.append({name: b.detach().clone() for name, b in module.named_buffers()})
            layouts.append((type(module), {n: t.shape for n, t in module.state_dict().items()}))
        if any(layout != layouts[0] for layout in layouts):
            raise ValueError("the replicas of a pack have one architecture, and these differ")
        self.template = module
        self.names = [name for name, _ in module.named_parameters()]
        self.shapes = [p.shape for p in module.parameters()]
        self.sizes = [p.numel() for p in module.parameters()]
        self.weights = torch.stack(rows).requires_grad_()
        self.buffers = {n: torch.stack([held[n] for held in buffers]) for n in buffers[0]}
        self.moments = {name: torch.zeros_like(self.weights.detach()) for name in rule.moments}
        self.rates = rates_of(replicas, device)
        self._mapped = torch.vmap(self.one)

    def one(self, weights: Tensor, buffers: dict[str, Tensor], inputs: Tensor) -> Tensor:
        """What one replica makes of its inputs; weights [P]."""
        parts = weights.split(self.sizes)
        held = {n: p.view(s) for n, p, s in zip(self.names, parts, self.shapes, strict=True)}
        return functional_call(self.template, {**held, **buffers}, (inputs,))

    def __call__(self, inputs: Tensor) -> Tensor:
        """Outputs [R, ...] of all replicas from inputs [R, ...]."""
        return self._mapped(self.weights, self.buffers, inputs)

    def descend(self, losses: Tensor, d_steps: int) -> Tensor:
        """One step of each replica down its own loss; losses [R] without graph are returned.

        The gradient of the losses' sum, row for row, is each loss's own: row r of the weights
        is in loss r alone.
        """
        (gradient,) = torch.autograd.grad(losses, self.weights, torch.ones_like(losses))
        losses, before = losses.detach(), self.weights.detach()
        self.steps += 1
        after = self.constrained(self.rule(before, gradient, self.moments, self.steps, self.rates))
        if self.steps % self.standing.every == 0:
            self.standing.judge(d_steps, losses, after)
        self.weights = self.standing.kept(before, after).requires_grad_()
        return losses

    def constrained(self, weights: Tensor) -> Tensor:
        """The weights [R, P] brought where they may be; here, anywhere."""
        return weights

    def module(self, r: int) -> nn.Module:
        """An ordinary module with the weights of replica r."""
        module = copy.deepcopy(self.template)
        nn.utils.vector_to_parameters(self.weights[r].detach().clone(), module.parameters())
        for name, buffer in module.named_buffers():
            buffer.copy_(self.buffers[name][r])
        return module

    def state(self) -> dict[str, Any]:
        """Weights, moments, buffers and steps."""
        return {
            "weights": self.weights.detach().clone(),
            "moments": {name: m.clone() for name, m in self.moments.items()},
            "buffers": {name: b.clone() for name, b in self.buffers.items()},
            "steps": self.steps,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take a state back.

        Raises:
            ValueError: it is one of other networks, or of another number of them.
        """
        if state["weights"].shape != self.weights.shape:
            raise ValueError(
                f"the state has weights {list(state['weights'].shape)}, this pack "
                f"{list(self.weights.shape)}"
            )
        self.weights = state["weights"].to(self.weights).clone().requires_grad_()
        self.moments = {n: m.to(self.weights).clone() for n, m in state["moments"].items()}
        self.buffers = {n: b.to(self.weights.device).clone() for n, b in state["buffers"].items()}
        self.steps = state["steps"]


def rates_of(replicas: Sequence[Replica], device: torch.device | str) -> Rates:
    """Their rates, [R, 1] each."""
    columns = [(r.learning_rate, *r.betas) for r in replicas]
    table = torch.tensor(columns, dtype=torch.float64, device=device)
    return Rates(table[:, :1], table[:, 1:2], table[:, 2:])


def refuse_running_averages(module: nn.Module) -> None:
    """Refuse layers that write what they hold as they compute.

    Raises:
        ValueError: the module has batch norm with running averages.
    """
    for layer in module.modules():
        ours = isinstance(layer, BatchNorm) and layer.momentum is not None
        if ours or getattr(layer, "track_running_stats", False):
            raise ValueError(
                "batch norm with running averages cannot be packed: take one that normalises by "
                "the batch alone (momentum=None)"
            )
