"""Let torch use deterministic algorithms alone, without filling the memory that it hands out."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def deterministic_algorithms() -> Iterator[None]:
    """Use deterministic algorithms in the block; restore what was before.

    Torch would also fill new tensors with NaN, in case that something reads them before it writes:
    some 200 further operations in a step of a small network. Nothing here does.
    """
    settings: Any = torch.utils.deterministic
    before = torch.are_deterministic_algorithms_enabled()
    fill = settings.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True)
    settings.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        settings.fill_uninitialized_memory = fill
