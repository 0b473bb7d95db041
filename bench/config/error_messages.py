"""Errors of Hydra, OmegaConf and our constructors as one sentence, with a fix that fits it."""

import difflib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from hydra.errors import HydraException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from bench.config.paths import config_dir
from bench.core.errors import UserError

BUILD_ERRORS = (ValueError, TypeError, RuntimeError, ArithmeticError, AttributeError, KeyError)
HELP = "see `python -m bench.train --help` for the groups, `--cfg job` for the keys"


@contextmanager
def as_user_error(part: str, *, fix: str = "") -> Iterator[None]:
    """Raise errors of Hydra, OmegaConf and our constructors as a `UserError` of one sentence.

    Args:
        part: the part of the config that is being built, for the message.
        fix: what to do about an error of a constructor, whose message does not say it.
    """
    try:
        yield
    except (HydraException, OmegaConfBaseException, *BUILD_ERRORS) as error:
        root: BaseException = error
        while isinstance(root.__cause__, Exception):
            root = root.__cause__
        if isinstance(root, UserError):
            raise root from error
        if isinstance(error, HydraException | OmegaConfBaseException):
            raise _config_error(part, error, root) from error
        raise UserError(f"{part}: {_one_sentence(root)}", fix=fix) from error


def _one_sentence(error: BaseException) -> str:
    """Return the text of an error in one line, without the paths that OmegaConf appends."""
    return " ".join(str(error).split("full_key")[0].split())


def _config_error(part: str, error: Exception, root: BaseException) -> UserError:
    """Return an error of Hydra's or OmegaConf's in a sentence, with a fix that fits it.

    Args:
        error: as raised.
        root: its first cause.
    """
    options = getattr(error, "options", None)
    missing = getattr(error, "missing_cfg_file", None)
    if missing and options is not None:
        group, _, name = str(missing).rpartition("/")
        return UserError(
            f"no {group or 'config'} {name!r} (present: {', '.join(sorted(options))})",
            fix=f"choose one of these{suggestion(name, options)}, or name the folder of your own "
            "with --config-dir",
        )
    if isinstance(root, ConfigAttributeError | ConfigKeyError) and root.full_key:
        return missing_key(root.full_key, root.parent_node)
    sentence = _one_sentence(root)
    if several := re.match(r"Error resolving interpolation '\$\{(\w+)\}', possible", sentence):
        return UserError(f"{several[1]} is a list", fix=f"write one name: {several[1]}=NAME")
    says_how = not isinstance(root, HydraException) or "remove + prefix" in sentence
    fix = "" if says_how else HELP
    if isinstance(root, OverrideParseException):
        fix = "put a value with = : , or spaces into quotes of its own: 'key=\"a=b\"'"
        if "=" not in root.override and not root.override.startswith("~"):
            return UserError(f"{root.override!r} sets no key", fix=f"write KEY=VALUE; {HELP}")
    return UserError(f"{part}: {sentence}", fix=fix)


def missing_key(key: str, parent: Any) -> UserError:
    """Return the error of a key that a config does not have, with the most similar one it has.

    Args:
        key: as typed, "trainer.pictres".
        parent: the node that lacks its last part.
    """
    group, _, name = key.rpartition(".")
    keys = [str(k) for k in parent] if isinstance(parent, DictConfig) else []
    siblings = sorted(k for k in keys if k != "hydra" and not k.startswith("_"))
    if group:
        has = f" (has: {', '.join(siblings)})" if siblings else ""
        likely = [f"{group}.{k}" for k in difflib.get_close_matches(name, siblings, n=1)]
    else:
        has, likely = "", difflib.get_close_matches(name, [*siblings, *_groups()], n=1)
        if not likely and isinstance(parent, DictConfig):
            everywhere = _keys_of(OmegaConf.to_container(parent, resolve=False))
            likely = sorted((k for k in everywhere if k.endswith(f".{name}")), key=len)
    fix = f"correct it; did you mean {likely[0]!r}?" if likely else f"correct it; {HELP}"
    return UserError(f"there is no key {key!r}{has}", fix=fix)


def _groups() -> list[str]:
    """Return the names of the config groups."""
    return sorted(path.name for path in config_dir().iterdir() if path.is_dir())


def _keys_of(node: Any, prefix: str = "") -> Iterator[str]:
    """Iterate over the dotted keys of a config, those of its `hydra` and of its parts left out."""
    for key, value in node.items() if isinstance(node, Mapping) else ():
        if key not in ("hydra", "names", "model", "loss"):
            yield f"{prefix}{key}"
            yield from _keys_of(value, f"{prefix}{key}.")


def suggestion(name: str, options: list[str]) -> str:
    """Return "; did you mean NAME?" for the most similar option, or nothing."""
    nearest = difflib.get_close_matches(name, options, n=1)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""
