"""Optimizers whose numbers may be functions of the images seen."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from bench.core.schedules import at, lazy_correction

MakeOptimizer = Callable[[Iterable[Tensor]], torch.optim.Optimizer]


def lazy_adam(
    parameters: Iterable[Tensor],
    *,
    lr: float,
    betas: Sequence[float],
    interval: int,
    eps: float,
    fused: bool,
) -> torch.optim.Optimizer:
    """Return Adam with the rate and betas of `lazy_correction`, beside a penalty of that interval.

    Args:
        lr, betas: as without the penalty; constants, since a schedule would set them uncorrected.
        interval: steps of the loss per step of the penalty.
        eps, fused: of torch's Adam.
    """
    rate, decays = lazy_correction(lr, betas, interval)
    return torch.optim.Adam(parameters, lr=rate, betas=decays, eps=eps, fused=fused)  # type: ignore[arg-type]


def scheduled_numbers(make: MakeOptimizer) -> dict[str, Any]:
    """Return the arguments of an optimizer that are functions of images, or hold one, by name."""
    arguments = make.keywords if isinstance(make, partial) else {}
    found = {name: value for name, value in arguments.items() if _is_scheduled(value)}
    if found and isinstance(make, partial) and make.func is lazy_adam:
        what = "is corrected for a lazy penalty, which a schedule would undo"
        raise ValueError(f"{min(found)} {what}: set it to a number, or choose penalty=r1_lazy")
    return found


def build_optimizer(
    make: MakeOptimizer, parameters: Iterable[Tensor], images: float
) -> torch.optim.Optimizer:
    """Return an optimizer with its numbers as they are after so many images."""
    scheduled = scheduled_numbers(make)
    return (
        partial(make, **numbers_at(scheduled, images))(parameters)
        if scheduled
        else make(parameters)
    )


def numbers_at(scheduled: Mapping[str, Any], images: float) -> dict[str, Any]:
    """Return `scheduled_numbers` after so many images."""
    return {name: _at(value, images) for name, value in scheduled.items()}


def set_numbers(
    optimizer: torch.optim.Optimizer, scheduled: Mapping[str, Any], images: float
) -> None:
    """Set an optimizer's `scheduled_numbers` to what they are after so many images."""
    numbers = numbers_at(scheduled, images)
    for group in optimizer.param_groups:
        group.update(numbers)


def _is_scheduled(value: Any) -> bool:
    return callable(value) or (isinstance(value, list | tuple) and any(map(callable, value)))


def _at(value: Any, images: float) -> Any:
    return (
        tuple(at(v, images) for v in value)
        if isinstance(value, list | tuple)
        else at(value, images)
    )
