"""The guard before a build: what is wrong with a config, in one sentence, before it starts."""

import difflib
import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from hydra.errors import HydraException
from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from bench.core.errors import UserError
from bench.runs.identity import canonical_json

WHOLE = {"seed": 0, "threads": 1, "d_steps": 1, "batch_size": 2, "log_every": 1}  # least values
CONSTRUCTION = (ValueError, TypeError, RuntimeError, ArithmeticError, AttributeError, KeyError)
SEE = "see `python -m bench.train --help` for the groups, `--cfg job` for the keys"


@contextmanager
def as_user_error(what: str) -> Iterator[None]:
    """Turn what a config can do wrong into one sentence.

    Args:
        what: the part that is being built, for the message.

    Raises:
        UserError: instead of Hydra's, OmegaConf's and our own constructors' errors.
    """
    try:
        yield
    except (HydraException, OmegaConfBaseException, *CONSTRUCTION) as error:
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
                fix=f"choose one of these{_nearest(name, options)}",
            ) from error
        sentence = " ".join(str(root).split("full_key")[0].split())
        raise UserError(f"{what}: {sentence}", fix=SEE) from error


def _nearest(name: str, options: list[str]) -> str:
    near = difflib.get_close_matches(name, options, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def validate_config(cfg: DictConfig) -> dict[str, Any]:
    """The resolved config as plain Python, once nothing in it is known to be wrong.

    Raises:
        UserError: an impossible number, an unknown key, a pair of network and model or data that
            does not exist.
    """
    for key, least in WHOLE.items():
        value = cfg.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise UserError(f"{key} is {value!r}", fix=f"set it to a whole number from {least} on")
    packed = cfg.get("packed", False)
    whole = isinstance(packed, int) and not isinstance(packed, bool) and packed >= 1
    if packed is not False and not whole:
        raise UserError(f"packed is {packed!r}", fix="set it to a number of slots, or to false")
    for key, value in cfg.hyperparameters.items():
        if isinstance(value, str):
            raise UserError(f"hyperparameters.{key} is {value!r}", fix="set it to a number")
    if cfg.network.family != cfg.dataset.family:
        raise UserError(
            f"network {cfg.names.network!r} is for {cfg.network.family}, dataset "
            f"{cfg.names.dataset!r} holds {cfg.dataset.family}",
            fix="leave network= out: the dataset chooses one that fits",
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
    """A config as plain Python, every interpolation resolved.

    Raises:
        UserError: one of them leads nowhere.
    """
    with as_user_error("config"):
        plain = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
        assert isinstance(plain, dict)
        return plain  # type: ignore[return-value]


def check_targets(node: Any, where: str) -> None:
    """Every key beside a `_target_` must be an argument of it.

    `instantiate` lets a misspelt key under `_partial_` pass until the call.

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
    except ValueError:  # written in C: its arguments cannot be asked for
        return
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    for key in node:
        if not key.startswith("_") and key not in parameters:
            raise UserError(
                f"{where}: {target} has no argument {key!r} (has: {', '.join(parameters)})",
                fix=f"remove or rename the key{_nearest(key, list(parameters))}",
            )
