"""Import what a `_target_` of a config names, and check the arguments beside it."""

import inspect
import logging
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from hydra.errors import HydraException
from hydra.utils import get_object

from bench.config.error_messages import suggestion
from bench.core.errors import UserError
from bench.core.shims import ensure_torchvision

LIGHT = ("bench", "torch")  # packages that import no torchvision, or take care of it themselves
MODELS = "bench.models."  # whose import takes Lightning's seconds
logging.getLogger(get_object.__module__).setLevel(logging.CRITICAL)  # the sentence says it all


def get_target(target: str) -> Any:
    """Import what a `_target_` names, as Hydra does; code of others may import torchvision."""
    if str(target).partition(".")[0] not in LIGHT:
        ensure_torchvision()
    return get_object(target)


def check_targets(node: Any, where: str, unchecked: str = "") -> None:
    """Check that every key beside a `_target_` is an argument of it, in all nodes.

    `instantiate` would not notice a misspelt key under `_partial_` before the call.

    Args:
        node: a config, or a part of one.
        where: its path in the config, for the message.
        unchecked: beginning of targets that are left out, because importing them takes long.

    Raises:
        UserError: a key is unknown, or the target does not exist.
    """
    if isinstance(node, list):
        for index, item in enumerate(node):
            check_targets(item, f"{where}.{index}", unchecked)
    if not isinstance(node, Mapping):
        return
    if "_target_" in node and not (unchecked and node["_target_"].startswith(unchecked)):
        _check_arguments(node, where)
    for key, item in node.items():
        check_targets(item, f"{where}.{key}", unchecked)


def _check_arguments(node: Mapping[str, Any], where: str) -> None:
    """Check the keys of one node that has a `_target_`."""
    target = node["_target_"]
    try:
        parameters = inspect.signature(get_target(target)).parameters
    except (HydraException, ImportError, AttributeError) as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ModuleNotFoundError):
            cause = cause.__cause__
        fix = "correct _target_"
        module = (cause.name or "").partition(".")[0] if cause is not None else ""
        if module and find_spec(module) is None:
            own = f"if it is your own, name the folder of {module}.py in PYTHONPATH, as in"
            fix += f"; {own} `PYTHONPATH=mine bench train --config-dir mine/conf ...`; or install "
            fix += "its package: `bench doctor` shows the extras"
        why = f" ({cause})" if cause is not None else ""
        raise UserError(f"{where}: there is no {target!r}{why}", fix=fix) from error
    except ValueError:  # written in C, without a signature
        return
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    for key in node:
        if not key.startswith("_") and key not in parameters:
            raise UserError(
                f"{where}: {target} has no argument {key!r} (has: {', '.join(parameters)})",
                fix=f"remove or rename the key{suggestion(key, list(parameters))}",
            )
