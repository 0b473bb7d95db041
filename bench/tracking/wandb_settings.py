"""Combine the settings of W&B: the suite's own, the environment's, and the user's config."""

import os
from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast

from bench.core.number_checks import is_number
from bench.core.text import LABEL_LENGTH, printable, shorten

Mode = Literal["online", "offline", "disabled", "shared"]
# send nothing about the machine, the checkout or the terminal beyond the environment
QUIET = {
    "console": "off",
    "silent": True,
    "disable_git": True,
    "disable_code": True,
    "save_code": False,
    "host": "",
    "program": "bench.train",
    "x_disable_meta": True,
    "x_disable_machine_info": True,
    "x_disable_stats": True,
    "x_save_requirements": False,
    "x_transaction_log_flush_interval": 2.0,
    "finish_timeout_raises": True,
}
TAG_LENGTH = 64  # W&B's limit
NAMES = {"group": "RUN_GROUP"}  # arguments of `init` whose environment variable is named otherwise


def all_settings(
    init_seconds: float, finish_seconds: float, more: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the suite's settings unless the environment sets them, and `more` from the config.

    Raises:
        ValueError: a time to wait is not a number above 0.
    """
    timeouts = {"init": init_seconds, "finish": finish_seconds}
    for key, value in timeouts.items():
        if not (is_number(value) and value > 0):
            raise ValueError(f"logger.wandb.{key}_seconds is {value!r}; a number above 0")
    defaults = QUIET | {f"{key}_timeout": float(value) for key, value in timeouts.items()}
    return {**not_in_env(defaults), **more}


def import_wandb() -> Any:
    """Import W&B so that it reports no errors to a host of its own, which it did offline too."""
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    import wandb

    return wandb


def build_settings(settings: Mapping[str, Any]) -> Any:
    """Return a `wandb.Settings`.

    Raises:
        ImportError: wandb is not installed.
        ValueError: it has no such setting, or does not take the value.
    """
    wandb = import_wandb()
    try:
        return wandb.Settings(**settings)
    except ValueError as error:  # pydantic's, with a list of problems
        if not hasattr(error, "errors"):
            raise
        problem = error.errors()[0]
        key = ".".join(["logger.wandb.settings", *map(str, problem["loc"])])
        raise ValueError(f"{key}: {problem['msg']}") from None


def label(text: str, limit: int = LABEL_LENGTH) -> str:
    """Return a name as W&B takes it; the run's config has it whole."""
    return shorten(printable(text), limit)


def tags(texts: Iterable[str]) -> list[str]:
    """Return tags as W&B takes them: none empty, none twice, none too long."""
    return list(dict.fromkeys(label(text, TAG_LENGTH) for text in texts if text))


def choose_mode(offline: bool) -> Mode:
    """Return the mode as `wandb.init` names it; WANDB_MODE wins where it is set."""
    mode = os.environ.get("WANDB_MODE") or ("offline" if offline else "online")
    return cast(Mode, {"dryrun": "offline", "run": "online"}.get(mode, mode))


def not_in_env(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of which the environment has no WANDB_... variable."""
    return {
        name: value
        for name, value in arguments.items()
        if f"WANDB_{NAMES.get(name, name.upper())}" not in os.environ
    }
