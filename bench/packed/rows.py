"""What a model holds, as rows and bytes: shared layouts, stacked numbers, copies, digests."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from bench.models.base import GenerativeModel


def stacked(values: Sequence[Any], device: torch.device) -> Any:
    """Numbers or tensors of each replica as one tensor [R, ...]; of tuples, a tuple of them."""
    if isinstance(values[0], tuple | list):
        return tuple(stacked(one, device) for one in zip(*values, strict=True))
    if isinstance(values[0], Tensor) and values[0].ndim:
        return torch.stack(list(values))
    return torch.tensor([float(v) for v in values], dtype=torch.float64, device=device)


def number_at(model: GenerativeModel, path: str) -> float:
    """What stands at "attribute.name"."""
    attribute, name = path.split(".")
    return getattr(getattr(model, attribute), name)


def layout_of(model: GenerativeModel) -> tuple:
    """What replicas have in common: their type, and the shapes of all that they hold."""
    return type(model), {name: t.shape for name, t in model.state_dict().items()}


def cloned(content: Any) -> Any:
    """The same with tensors of its own, none of them a view of more."""
    if isinstance(content, Tensor):
        return content.detach().clone()
    if isinstance(content, dict):
        return {name: cloned(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return type(content)(cloned(value) for value in content)
    return content


def content_of(model: GenerativeModel) -> bytes:
    """All that a model holds: weights, averages, other buffers, losses."""
    held = {**model.state_dict(), **{f"loss {n}": v for n, v in model.losses.items()}}
    return b"".join(held[name].cpu().numpy().tobytes() for name in sorted(held))
