"""R replicas of one module as a matrix of weights, with their optimizer."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from bench.core.seeds import generator as stream
from bench.networks.layers import BatchNorm
from bench.theory.replicas.replica import Replica, Standing, rates_of
from bench.theory.replicas.rules import Rule

Factory = Callable[[], Any]  # () -> module with `reset`


class Player:
    """R replicas of one module: their weights, optimizer and buffers.

    Args:
        factory: makes the module; called once for each replica.
        replicas: R of them.
        index: in the stream "init": 0 the generator's, 1 the opponent's.
        rule: of `bench.theory.replicas.rules`.
        standing: shared by the players of one pack.

    Attributes:
        weights: [R, P], all parameters of a replica in one row.
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
        self.weights = torch.stack(rows)
        self.buffers = {n: torch.stack([held[n] for held in buffers]) for n in buffers[0]}
        self.moments = {name: torch.zeros_like(self.weights) for name in rule.moments}
        self.rates = rates_of(replicas, device)

    def held(self, weights: Tensor) -> dict[str, Tensor]:
        """Parameters by name, views [..., *shape] of weights [..., P]."""
        parts, before = weights.split(self.sizes, -1), weights.shape[:-1]
        each = zip(self.names, parts, self.shapes, strict=True)
        return {name: part.view(*before, *shape) for name, part, shape in each}

    def of(self, weights: Tensor, buffers: dict[str, Tensor], inputs: Tensor) -> Tensor:
        """What one replica with weights [P] makes of its inputs."""
        return functional_call(self.template, self.held(weights) | buffers, (inputs,))

    @torch.no_grad()
    def __call__(self, inputs: Tensor) -> Tensor:
        """Outputs [R, ...] of all replicas from inputs [R, ...]."""
        return torch.vmap(self.of)(self.weights, self.buffers, inputs)

    def descend(self, last: Tensor, gradient: Tensor, losses: Tensor, d_steps: int) -> Tensor:
        """One step of each replica down its own loss; returns its losses.

        Args:
            last: the losses [R] of the step before, to be returned for diverged replicas.
            gradient: of each loss, [R, P].
            losses: [R].
            d_steps: how many steps the discriminators have taken, to be noted of who diverges.
        """
        before, standing = self.weights, self.standing
        self.steps += 1
        after = self.rule(before, gradient, self.moments, self.steps, self.rates)
        after, losses = self.constrained(after), standing.kept(last, losses)
        if self.steps % standing.every == 0:
            standing.judge(d_steps, losses, after)
        self.weights = standing.kept(before, after)
        return losses

    def constrained(self, weights: Tensor) -> Tensor:
        """The weights [R, P] brought where they may be; here, anywhere."""
        return weights

    def module(self, r: int) -> nn.Module:
        """An ordinary module with the weights of replica r."""
        module = copy.deepcopy(self.template)
        nn.utils.vector_to_parameters(self.weights[r].clone(), module.parameters())
        for name, buffer in module.named_buffers():
            buffer.copy_(self.buffers[name][r])
        return module

    def state(self) -> dict[str, Any]:
        """Weights, moments, buffers and steps."""
        return {
            "weights": self.weights.clone(),
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
        self.weights = state["weights"].to(self.weights).clone()
        self.moments = {n: m.to(self.weights).clone() for n, m in state["moments"].items()}
        self.buffers = {n: b.to(self.weights.device).clone() for n, b in state["buffers"].items()}
        self.steps = state["steps"]


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
