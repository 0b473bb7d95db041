"""Contracts of a user's own parts, which `docs/extending.md` states: losses, networks, metrics."""

import inspect
import os
from functools import partial
from typing import Any

from torch import Tensor

PAGE = "docs/extending.md"


class ContractError(ValueError):
    """Say which part breaks its contract, what was found and what is wanted."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence if PAGE in sentence else f"{sentence}: see {PAGE}")


def describe_part(part: Any) -> str:
    """Return the name and place of a function or a class: "own.loss (mine/own.py, line 3)"."""
    while isinstance(part, partial):
        part = part.func
    if not (inspect.isroutine(part) or inspect.isclass(part)):
        part = type(part)
    name = f"{part.__module__}.{part.__qualname__}"
    try:
        file, (_, line) = inspect.getsourcefile(part), inspect.getsourcelines(part)
    except (TypeError, OSError):  # written in C, or typed into a shell
        return name
    return f"{name} ({os.path.relpath(str(file))}, line {line})"


def argument_names(part: Any) -> tuple[str, ...]:
    """Return the names of the arguments that a function needs: those without a default.

    Raises:
        ContractError: it is no function, or has no signature that can be read.
    """
    if not callable(part):
        raise ContractError(f"{part!r} is no function")
    try:
        parameters = inspect.signature(part).parameters.values()
    except (TypeError, ValueError):  # written in C
        raise ContractError(f"{describe_part(part)} has no signature to read names from") from None
    return tuple(
        p.name
        for p in parameters
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    )


def require_call(part: Any, *names: str) -> None:
    """Refuse, with a ContractError, what cannot be called with arguments of these names in order.

    The names are those that the caller has; the part may call them as it likes.
    """
    wanted = f"it is called with ({', '.join(names)})"
    if not callable(part):
        raise ContractError(f"{part!r} is no function, and {wanted}")
    try:
        signature = inspect.signature(part)
    except (TypeError, ValueError):  # written in C, without a signature
        return
    try:
        signature.bind(*names)
    except TypeError:
        raise ContractError(f"{describe_part(part)} takes {signature}, but {wanted}") from None


def require_shape(value: Any, shape: tuple[int, ...], part: Any, what: str) -> None:
    """Refuse, with a ContractError, a value that is no tensor of a shape.

    Args:
        part: what returned it.
        what: the value in words, for the message.
    """
    if isinstance(value, Tensor) and value.shape == shape:
        return
    found = f"shape {list(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
    wanted = f"a tensor of shape {list(shape)}" if shape else "a scalar, a tensor of shape []"
    raise ContractError(f"{describe_part(part)} returned {found}; {what} is {wanted}")


def require_method(part: Any, name: str, arguments: str, meaning: str) -> None:
    """Refuse, with a ContractError, an object without a method."""
    if not callable(getattr(part, name, None)):
        found = f"{describe_part(part)} has no method {name}({arguments})"
        raise ContractError(f"{found}, which {meaning}")
