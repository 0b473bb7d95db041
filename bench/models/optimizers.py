"""Optimizers whose numbers may be functions of the images seen."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from bench.core.schedules import at

MakeOptimizer = Callable[[Iterable[Tensor]], torch.optim.Optimizer]


def scheduled_numbers(make: MakeOptimizer) -> dict[str, Any]:
    """Return the arguments of an optimizer that are functions of images, or hold one, by name."""
    arguments = make.keywords if isinstance(make, partial) else {}
    return {name: value for name, value in arguments.items() if _is_scheduled(value)}


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
