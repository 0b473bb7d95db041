"""Differentiable optimizer steps, each equal to torch's own.

A step returns new parameters instead of overwriting the old ones, so that a gradient may flow from
a function of the new parameters back to the tensors that the step's gradient depends on.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

State = dict[str, Any]
DifferentiableStep = Callable[[Tensor, Tensor, State, Mapping[str, Any]], tuple[Tensor, State]]


def safe_sqrt(squares: Tensor) -> Tensor:
    """sqrt(v), elementwise, with slope 0 where v is 0, so that dead units have gradient 0."""
    positive = squares > 0
    return torch.where(positive, squares, 1).sqrt() * positive


def sgd(
    parameter: Tensor, gradient: Tensor, state: State, settings: Mapping[str, Any]
) -> tuple[Tensor, State]:
    """p - lr g: Metz et al. 2016 (arXiv:1611.02163), section 2.2, downhill."""
    return parameter - settings["lr"] * gradient, state


def adam(
    parameter: Tensor, gradient: Tensor, state: State, settings: Mapping[str, Any]
) -> tuple[Tensor, State]:
    """p - lr m' / (sqrt(v') + eps): Kingma and Ba 2015 (arXiv:1412.6980), Algorithm 1.

    Args:
        parameter, gradient: tensors of the same shape.
        state: "step" t, and the moments "exp_avg" m and "exp_avg_sq" v; empty before step 1.
            m' and v' are m / (1 - beta1^t) and v / (1 - beta2^t).
        settings: "lr", "betas" and "eps".

    Returns:
        The new parameter and the new state, both with their graphs.
    """
    beta1, beta2 = settings["betas"]
    zero = torch.zeros_like(parameter)
    step = state.get("step", 0.0) + 1
    mean = beta1 * state.get("exp_avg", zero) + (1 - beta1) * gradient
    square = beta2 * state.get("exp_avg_sq", zero) + (1 - beta2) * gradient.square()
    denominator = safe_sqrt(square) / (1 - beta2**step) ** 0.5 + settings["eps"]
    moved = parameter - settings["lr"] / (1 - beta1**step) * mean / denominator
    return moved, {"step": step, "exp_avg": mean, "exp_avg_sq": square}


STEPS: Mapping[type[torch.optim.Optimizer], DifferentiableStep] = {
    torch.optim.SGD: sgd,
    torch.optim.Adam: adam,
}
SETTINGS = ("lr", "betas", "eps")
UNSUPPORTED = ("momentum", "weight_decay", "dampening", "nesterov", "amsgrad", "maximize")


def differentiable_step(optimizer: torch.optim.Optimizer) -> DifferentiableStep:
    """Return the step that equals the optimizer's; ValueError if its kind or a setting has none."""
    kind = type(optimizer)
    if kind not in STEPS:
        raise ValueError(
            f"steps of {kind.__name__} cannot be differentiated through here: choose an optimizer "
            f"of type {' or '.join(supported.__name__ for supported in STEPS)}"
        )
    unsupported = [n for group in optimizer.param_groups for n in UNSUPPORTED if group.get(n)]
    if unsupported:
        raise ValueError(
            f"steps of {kind.__name__} with {unsupported[0]} cannot be differentiated through "
            f"here: leave {unsupported[0]} out"
        )
    return STEPS[kind]


class ParamState(NamedTuple):
    """State and settings of an optimizer for one parameter, between two steps.

    Args:
        state: moments and step count, detached; empty before the first step.
        settings: those of `SETTINGS` that the optimizer has, "lr" always.
    """

    state: State
    settings: Mapping[str, Any]


def param_states(optimizer: torch.optim.Optimizer) -> list[ParamState]:
    """Return the state and settings of each parameter, in the optimizer's order."""
    states = [state for state in optimizer.state.values() if "step" in state]
    steps = torch.stack([state["step"] for state in states]).tolist() if states else []  # one read
    steps_by_state = {id(state): step for state, step in zip(states, steps, strict=True)}
    return [
        ParamState(
            {k: steps_by_state[id(state)] if k == "step" else v.detach() for k, v in state.items()},
            {name: group[name] for name in SETTINGS if name in group},
        )
        for group in optimizer.param_groups
        for state in [optimizer.state.get(parameter, {}) for parameter in group["params"]]
    ]
