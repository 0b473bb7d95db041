"""Mark functions whose value is no mean over samples, so that processes cannot average it.

A run of several processes gathers the logits of all of them, differentiably, for such a function.
Classes say it by a class attribute: `couples_samples = True`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def couples_samples(function: Function) -> Function:
    """Set the function's attribute `couples_samples` to True; return the function."""
    vars(function)["couples_samples"] = True
    return function


def is_coupled(part: Any) -> bool:
    """Return whether a function, a partial of one, or an object says that it couples samples."""
    while isinstance(part, partial):
        part = part.func
    return getattr(part, "couples_samples", False)
