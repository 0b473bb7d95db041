"""Settings of W&B: ours, what the environment says, what a user adds."""

import os
from collections.abc import Mapping
from typing import Any

QUIET = {  # nothing of the machine, the checkout or the terminal beyond environment.json
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
NAMES = {"group": "RUN_GROUP"}  # what W&B calls in its environment otherwise than in `init`


def all_settings(
    init_seconds: float, finish_seconds: float, more: Mapping[str, Any]
) -> dict[str, Any]:
    """Ours where the environment is silent, and those of the config.

    Raises:
        ValueError: a time to wait is no number above 0.
    """
    waiting = {"init": init_seconds, "finish": finish_seconds}
    for key, value in waiting.items():
        if isinstance(value, bool) or not (isinstance(value, int | float) and value > 0):
            raise ValueError(f"logger.wandb.{key}_seconds is {value!r}; a number above 0")
    ours = QUIET | {f"{key}_timeout": float(value) for key, value in waiting.items()}
    return {**unless_set(ours), **more}


def checked(given: Mapping[str, Any]) -> Any:
    """wandb.Settings.

    Raises:
        ImportError: wandb is not installed.
        ValueError: it has no such setting, or does not take the value.
    """
    import wandb

    try:
        return wandb.Settings(**given)
    except ValueError as error:  # pydantic's, with a list of what it found
        if not hasattr(error, "errors"):
            raise
        found = error.errors()[0]
        key = ".".join(["logger.wandb.settings", *map(str, found["loc"])])
        raise ValueError(f"{key}: {found['msg']}") from None


def mode_of(offline: bool) -> str:
    """As `wandb.init` names it; WANDB_MODE counts where it is set."""
    given = os.environ.get("WANDB_MODE") or ("offline" if offline else "online")
    return {"dryrun": "offline", "run": "online"}.get(given, given)


def unless_set(given: Mapping[str, Any]) -> dict[str, Any]:
    """Without what the environment says already."""
    return {
        name: value
        for name, value in given.items()
        if f"WANDB_{NAMES.get(name, name.upper())}" not in os.environ
    }
