"""Validate a config before anything is built from it; errors are one sentence each."""

import difflib
import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from hydra.errors import HydraException
from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from bench.core.errors import UserError
from bench.core.number_checks import is_whole_number
from bench.runs.identity import canonical_json

LEAST_VALUES = {"seed": 0, "threads": 1, "d_steps": 1, "batch_size": 2, "log_every": 1}
CONSTRUCTOR_ERRORS = (
    *(ValueError, TypeError, RuntimeError, ArithmeticError, AttributeError, KeyError),
)
HELP = "see `python -m bench.train --help` for the groups, `--cfg job` for the keys"


@contextmanager
def as_user_error(part: str) -> Iterator[None]:
    """Raise errors that a config caused as a `UserError` of one sentence.

    Args:
        part: the part of the config that is being built, for the message.

    Raises:
        UserError: instead of Hydra's, OmegaConf's and our own constructors' errors.
    """
    try:
        yield
    except (HydraException, OmegaConfBaseException, *CONSTRUCTOR_ERRORS) as error:
        root: BaseException = error
        while isinstance(root.__cause__, Exception):
            root = root.__cause__
        if isinstance(root, UserError):
            raise root from error
        options = getattr(error, "options", None)
        missing = getattr(error, "missing_cfg_file", None)
        if missing and options is not None:
            group, _, name = str(missing).rpartition("/")
            raise UserError(
                f"no {group or 'config'} {name!r} (present: {', '.join(sorted(options))})",
                fix=f"choose one of these{_suggestion(name, options)}",
            ) from error
        sentence = " ".join(str(root).split("full_key")[0].split())
        raise UserError(f"{part}: {sentence}", fix=HELP) from error


def _suggestion(name: str, options: list[str]) -> str:
    """Return "; did you mean NAME?" for the most similar option, or nothing."""
    nearest = difflib.get_close_matches(name, options, n=1)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""


def validate_config(cfg: DictConfig) -> dict[str, Any]:
    """Check a config, and return it as plain Python with every interpolation resolved.

    Raises:
        UserError: a number is out of range, a key unknown, or the network does not fit the model
            or the data.
    """
    for key, least in LEAST_VALUES.items():
        value = cfg.get(key)
        if not is_whole_number(value, least):
            raise UserError(f"{key} is {value!r}", fix=f"set it to a whole number from {least} on")
    packed = cfg.get("packed", False)
    if packed is not False and not is_whole_number(packed, 1):
        raise UserError(f"packed is {packed!r}", fix="set it to a number of slots, or to false")
    for key, value in cfg.hyperparameters.items():
        if isinstance(value, str):
            raise UserError(f"hyperparameters.{key} is {value!r}", fix="set it to a number")
    if cfg.network.family != cfg.dataset.family:
        raise UserError(
            f"network {cfg.names.network!r} is for {cfg.network.family}, dataset "
            f"{cfg.names.dataset!r} holds {cfg.dataset.family}",
            fix="leave out network=: the dataset chooses one that fits",
        )
    kind = cfg.names.model
    if kind not in cfg.network and f"network.{kind}" in str(OmegaConf.to_container(cfg.model)):
        raise UserError(
            f"network {cfg.names.network!r} has no pair for model {kind!r}",
            fix="choose another network=, or add the pair to its yaml",
        )
    plain = to_plain(cfg)
    with as_user_error("config"):
        for group in ("model", "dataset", "features", "score", "logger", "trainer"):
            check_targets(plain[group], group)
        canonical_json({"model": plain["model"], "hyperparameters": plain["hyperparameters"]})
    return plain


def to_plain(cfg: DictConfig) -> dict[str, Any]:
    """Return a config as plain Python with every interpolation resolved.

    Raises:
        UserError: an interpolation refers to no key.
    """
    with as_user_error("config"):
        plain = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
        assert isinstance(plain, dict)
        return cast(dict[str, Any], plain)


def check_targets(node: Any, where: str) -> None:
    """Check that every key beside a `_target_` is an argument of it, in all nodes.

    `instantiate` would not notice a misspelt key under `_partial_` before the call.

    Args:
        node: a config, or a part of one.
        where: its path in the config, for the message.

    Raises:
        UserError: a key is unknown, or the target does not exist.
    """
    if isinstance(node, list):
        for index, item in enumerate(node):
            check_targets(item, f"{where}.{index}")
    if not isinstance(node, Mapping):
        return
    if "_target_" in node:
        _check_arguments(node, where)
    for key, item in node.items():
        check_targets(item, f"{where}.{key}")


def _check_arguments(node: Mapping[str, Any], where: str) -> None:
    """Check the keys of one node that has a `_target_`."""
    target = node["_target_"]
    try:
        parameters = inspect.signature(get_object(target)).parameters
    except (HydraException, ImportError, AttributeError) as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ModuleNotFoundError):
            cause = cause.__cause__
        why = f" ({cause})" if cause is not None else ""
        raise UserError(
            f"{where}: there is no {target!r}{why}",
            fix="correct _target_, or install its package: `bench doctor` shows the extras",
        ) from error
    except ValueError:  # written in C, without a signature
        return
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    for key in node:
        if not key.startswith("_") and key not in parameters:
            raise UserError(
                f"{where}: {target} has no argument {key!r} (has: {', '.join(parameters)})",
                fix=f"remove or rename the key{_suggestion(key, list(parameters))}",
            )
