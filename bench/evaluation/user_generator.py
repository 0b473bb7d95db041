"""Draw samples from a function of the user's: `bench score --generator MODULE:FUNCTION`."""

import importlib
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from bench.core.errors import UserError
from bench.core.seeds import global_stream

CONTRACT = (
    "return images [count, C, H, W] with C of 1 or 3, uint8 or numbers from 0 to 1, or points "
    "[count, D]"
)


def load_generator(name: str) -> Callable[[int, int], Any]:
    """Import MODULE:FUNCTION, which the user names and so trusts; UserError where it is none."""
    module, _, function = name.partition(":")
    fix = "write MODULE:FUNCTION, and name the folder of the module: export PYTHONPATH=DIR"
    if not module or not function:
        raise UserError(f"--generator {name}: no function's name", fix=fix)
    try:
        found: Any = importlib.import_module(module)
        for part in function.split("."):
            found = getattr(found, part)
    except (ModuleNotFoundError, AttributeError) as error:
        raise UserError(f"--generator {name}: {error}", fix=fix) from error
    except Exception as error:  # of any type: it is the user's module
        raise _failure(name, error) from error
    if not callable(found):
        raise UserError(f"--generator {name} is no function", fix=fix)
    return found


def draw_samples(
    generate: Callable[[int, int], Any], name: str, count: int, seed: int
) -> np.ndarray:
    """Call `generate(count, seed)` and check what it returns.

    The process's own generators are seeded, for a function that draws from them.

    Returns:
        Images [N, C, H, W], uint8 or float32 in [0, 1], or points float32 [N, D].

    Raises:
        UserError: it fails, or returns something else.
    """
    try:
        with global_stream(seed), torch.no_grad():
            drawn = generate(count, seed)
        if isinstance(drawn, torch.Tensor):
            drawn = drawn.detach().cpu()
            drawn = drawn if drawn.dtype == torch.uint8 else drawn.float()
        samples = np.asarray(drawn)
    except Exception as error:  # of any type: it is the user's function
        raise _failure(name, error) from error
    problem = _find_problem(samples, count)
    if problem:
        raise UserError(f"{name}({count}, {seed}) returned {problem}", fix=CONTRACT)
    return samples if samples.dtype == np.uint8 else samples.astype(np.float32)


def _find_problem(samples: np.ndarray, count: int) -> str:
    """Say in what samples differ from CONTRACT; empty where they do not."""
    shape, is_image = list(samples.shape), samples.ndim == 4
    fits = samples.ndim == 2 or (is_image and shape[1] in (1, 3))
    if not fits or shape[0] != count or not samples.size:
        return f"an array of shape {shape}"
    is_float = np.issubdtype(samples.dtype, np.floating)
    if not is_float and not (is_image and samples.dtype == np.uint8):
        return f"numbers of type {samples.dtype}"
    if not is_float:
        return ""
    low, high = float(samples.min()), float(samples.max())  # a NaN anywhere is both
    if not np.isfinite([low, high]).all():
        return "NaN or infinity"
    return f"numbers from {low:g} to {high:g}" if is_image and (low < 0 or high > 1) else ""


def _failure(name: str, error: Exception) -> UserError:
    """Return the error for a module or a function that raised one, with the line that did."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    said = " ".join(str(error).split()) or "no message"
    message = f"--generator {name} failed: {type(error).__name__}: {said}"
    return UserError(message, fix=f"see {last.filename}, line {last.lineno}")
