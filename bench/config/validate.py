"""Validate a config before anything is built from it; errors are one sentence each."""

import math
import re
import warnings
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
)

from bench.config.error_messages import as_user_error, suggestion
from bench.config.targets import check_targets, get_target
from bench.config.trust import config_folders
from bench.core.errors import Caution, UserError
from bench.core.number_checks import is_number, is_whole_number
from bench.runs.identity import canonical_json

LEAST_VALUES = {"seed": 0, "threads": 1, "d_steps": 1, "batch_size": 2, "log_every": 1}
GREATEST_VALUES = {  # which no sensible run comes near
    **{"seed": 2**63 - 1, "d_steps": 10**9, "log_every": 10**9, "batch_size": 10**6},
    **dict.fromkeys(("threads", "packed", "trainer.devices", "trainer.workers"), 1024),
    "trainer.pictures": 10**4,
}
HYPERPARAMETER_RANGES = {"learning_rate": (0, math.inf), "beta1": (0, 1)}  # the end excluded
SHAPES = {  # family -> its samples, number of axes, an example
    "image": ("images [channels, height, width]", 3, "[3,64,64]"),
    "points": ("points [dimensions]", 1, "[2]"),
}
OPTIONAL_GROUPS = {  # group -> the node by which a model reads it
    "consistency": "penalty",  # first: its terms are named with it
    **{name: name for name in ("penalty", "normalisation", "conditioning", "augmentation")},
    **{name: name for name in ("update_order", "ema", "prior")},
}
ALWAYS_CHOSEN = ("update_order", "prior")  # so that to leave them unread is no mistake


def validate_config(cfg: DictConfig, unchecked: str = "") -> dict[str, Any]:
    """Check a config, and return it as plain Python with every interpolation resolved.

    Args:
        unchecked: see `bench.config.targets.check_targets`.

    Raises:
        UserError: a number is out of range, a key unknown, or the network does not fit the model
            or the data.
    """
    for key, least in LEAST_VALUES.items():
        value = cfg.get(key)
        if not is_whole_number(value, least):
            raise UserError(f"{key} is {value!r}", fix=f"set it to a whole number from {least} on")
    for key, greatest in GREATEST_VALUES.items():
        if is_number(value := OmegaConf.select(cfg, key)) and value > greatest:
            raise UserError(f"{key} is {value}", fix=f"set it to {greatest:,} at most")
    if (count := cfg.get("train_images")) is not None and not is_whole_number(count, 2):
        fix = "set it to a whole number from 2 on, or to null for all samples"
        raise UserError(f"train_images is {count!r}", fix=fix)
    if not isinstance(cfg.get("flips", False), bool):
        raise UserError(f"flips is {_shown(cfg.flips)}", fix="set it to true or false")
    if cfg.get("flips", False) and cfg.dataset.family != "image":
        held = f"this data set holds {cfg.dataset.family}"
        raise UserError(f"flips=true mirrors images, and {held}", fix="leave out flips=")
    if cfg.packed is not False and not is_whole_number(cfg.packed, 1):
        raise UserError(f"packed is {cfg.packed!r}", fix="set it to a number of slots, or to false")
    if not isinstance(cfg.hyperparameters, DictConfig):
        one = "set one of them, for example hyperparameters.learning_rate=1e-3"
        raise UserError(f"hyperparameters is {_shown(cfg.hyperparameters)}", fix=one)
    for name, value in cfg.hyperparameters.items():
        _check_hyperparameter(str(name), value)
    _check_shape(cfg.dataset.shape, cfg.dataset.family)
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
    for group in unread_groups(cfg):
        _check_nothing_is_chosen(cfg, group)
    _check_conditional_pair(cfg)
    _check_normalisation_is_read(cfg)
    plain = to_plain(cfg)
    with as_user_error("config"):
        for part in (plain.get("augmentation", {}), plain["model"].get("objective", {})):
            _check_images_only(part, plain["dataset"]["family"])
        for group in ("model", "dataset", "features", "score", "logger", "trainer"):
            check_targets(plain[group], group, unchecked)
        canonical_json({"model": plain["model"], "hyperparameters": plain["hyperparameters"]})
    return plain


def _check_hyperparameter(name: str, value: Any) -> None:
    """Refuse, with a UserError, what is no number or true or false, or outside its range."""
    found = f"hyperparameters.{name} is {_shown(value)}"
    if not isinstance(value, bool | int | float):
        raise UserError(found, fix="set it to a number")
    if name in HYPERPARAMETER_RANGES:
        low, high = HYPERPARAMETER_RANGES[name]
        if not (is_number(value) and low <= value < high):
            end = "on" if high == math.inf else f"to below {high}"
            raise UserError(found, fix=f"set it to a finite number from {low} {end}")


def _check_images_only(node: Any, family: str) -> None:
    """Refuse, with a UserError, a part for images on points; below any node of a config."""
    if isinstance(node, Mapping) and "_target_" in node and family != "image":
        part = get_target(node["_target_"])
        if getattr(part, "images_only", False):
            found = f"{part.__name__} changes images"
            held = f"this data set holds {family}"
            fix = "choose augmentation=none and consistency=none"
            raise UserError(f"{found}, and {held}", fix=fix)
    children = node.values() if isinstance(node, Mapping) else node
    for child in children if isinstance(node, Mapping | list) else ():
        _check_images_only(child, family)


def _check_shape(shape: Any, family: str) -> None:
    """Refuse, with a UserError, a shape that is not one of positive sizes, [C, H, W] or [D]."""
    sizes = list(shape) if isinstance(shape, ListConfig) else []
    samples, n_axes, example = SHAPES.get(family, (family, len(sizes), "[2]"))
    if not sizes or len(sizes) != n_axes or not all(is_whole_number(n, 1) for n in sizes):
        raise UserError(
            f"dataset.shape is {_shown(shape)}, and this data set holds {samples}",
            fix=f"set it to whole numbers from 1 on, for example 'dataset.shape={example}'",
        )


def _shown(value: Any) -> str:
    """Return a value as yaml shows it."""
    return "null" if value is None else repr(value) if isinstance(value, str) else str(value)


def unread_groups(cfg: DictConfig) -> list[str]:
    """Return the groups that the chosen model does not read, of those that some models read.

    A config that was resolved before has none: `to_plain` left them out.
    """
    uses = str(OmegaConf.to_container(cfg.model, resolve=False))
    if "${" not in uses:
        return []
    nodes = {group: node for group, node in OPTIONAL_GROUPS.items() if node in cfg}
    return [group for group, node in nodes.items() if not re.search(rf"\$\{{{node}[.}}]", uses)]


def _check_nothing_is_chosen(cfg: DictConfig, group: str) -> None:
    """Refuse, with a UserError, an entry of a group that the chosen model does not read.

    ALWAYS_CHOSEN groups are left out: see `warn_of_unread_keys`.
    """
    content: Any = OmegaConf.to_container(cfg, resolve=False)
    is_named = cfg.names.get(group, "none") != "none"
    is_built = "_target_" in str(content.get(group, {}))
    if (is_built or is_named) and group not in ALWAYS_CHOSEN:
        loss = " or loss=" if group == "penalty" else ""  # which may choose a penalty
        raise UserError(
            f"{group} changes nothing: model {cfg.names.model!r} does not read it",
            fix=f"leave out {group}=, or choose another variant={loss}",
        )


def _check_conditional_pair(cfg: DictConfig) -> None:
    """Refuse, with a UserError, a way of conditioning for which the network has no pair."""
    content: Any = OmegaConf.to_container(cfg, resolve=False)
    for pair in re.findall(r"\$\{network\.(\w+)\.", str(content.get("conditioning", {}))):
        if pair not in cfg.network and "conditioning" not in unread_groups(cfg):
            raise UserError(
                f"network {cfg.names.network!r} has no pair for conditioning="
                f"{cfg.names.conditioning}",
                fix=f"choose another network=, or add the pair {pair!r} to its yaml",
            )


def _check_normalisation_is_read(cfg: DictConfig) -> None:
    """Refuse, with a UserError, a normalised discriminator where the model has another."""
    uses = str(OmegaConf.to_container(cfg.model, resolve=False))
    if "${normalisation." not in uses or "${normalisation.discriminator}" in uses:
        return
    chosen: Any = OmegaConf.to_container(cfg.normalisation, resolve=False)
    if "_target_" in chosen["discriminator"]:
        raise UserError(
            f"normalisation changes nothing: model {cfg.names.model!r} has its own discriminator",
            fix="leave out normalisation=, or choose another variant=",
        )


def to_plain(cfg: DictConfig) -> dict[str, Any]:
    """Return a config as plain Python with all interpolations resolved, or raise a UserError.

    Groups that the model does not read are left out: their numbers may not exist.
    """
    with as_user_error("config"):
        unread = unread_groups(cfg)
        if "normalisation" not in unread and "conditioning" in unread:
            unread.remove("conditioning")  # whose discriminator it names
        if unread:
            cfg = OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key not in unread])
        plain = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
        assert isinstance(plain, dict)
        return cast(dict[str, Any], plain)


# Settings that nothing reads while another one has this value.
UNREAD_WHILE = {
    "trainer.workers": ("trainer.data", "device"),
    "trainer.batch_norm": ("trainer.devices", 1),
    "score.keep_last": ("score.every", None),
    "score.select_split": ("score.every", None),
    "score.select_on_reported": ("score.every", None),
}


def warn_of_unread_keys(cfg: DictConfig, overrides: Iterable[str]) -> None:
    """Say once which typed settings change nothing beside the others.

    Args:
        overrides: as typed.
    """
    unread = set(unread_groups(cfg))
    for key in (text.lstrip("+").partition("=")[0] for text in overrides):
        if (group := key.partition(".")[0]) in unread:
            message = f"{key} changes nothing: model {cfg.names.model!r} does not read {group}"
            warnings.warn(message, Caution, stacklevel=2)
        other, value = UNREAD_WHILE.get(key, ("", None))
        if other and OmegaConf.select(cfg, other) == value:
            shown = "null" if value is None else value
            message = f"{key} changes nothing while {other} is {shown}"
            warnings.warn(message, Caution, stacklevel=2)


def check_chosen_optimizer(cfg: DictConfig, overrides: Iterable[str]) -> None:
    """Refuse, with a UserError, a chosen optimizer in whose place the preset has put another.

    Args:
        overrides: as typed.
    """
    chosen = [text for text in overrides if text.startswith("optimizer=")]
    for name in (text.removeprefix("optimizer=") for text in chosen):
        files = [folder / "optimizer" / f"{name}.yaml" for folder in config_folders()]
        found = [OmegaConf.load(file) for file in files if file.is_file()]
        targets = [t for each in found if (t := OmegaConf.select(each, "generator._target_"))]
        if targets and cfg.optimizer.generator._target_ not in targets:
            why = f"preset {cfg.names.preset} sets the optimizer of {cfg.names.variant}"
            raise UserError(f"optimizer={name} changes nothing: {why}", fix="add preset=study")


def warn_of_missing_numbers(cfg: DictConfig) -> None:
    """Say that a preset has no numbers for the run, so that the variant's own are used."""
    preset, dataset, variant = (cfg.names[key] for key in ("preset", "dataset", "variant"))
    files = (f"preset/data/{preset}/{dataset}.yaml", f"preset/any_data/{preset}/{variant}.yaml")
    found = any((folder / file).is_file() for folder in config_folders() for file in files)
    if preset != "study" and not found:
        has_none = f"preset {preset} has no numbers for variant {variant!r} on {dataset}"
        own = "it runs on its own, which are for longer runs"
        warnings.warn(f"{has_none}: {own}", Caution, stacklevel=2)


def check_added_keys(cfg: DictConfig, overrides: Iterable[str]) -> None:
    """Refuse a key that an override adds by `+` and that nothing reads; Hydra accepts any.

    A hyperparameter of another variant, with a plus or without, is only warned of: a sweep may
    draw it for all. In a config that was resolved before, as in a pack, nothing shows what is read.

    Args:
        overrides: as typed.

    Raises:
        UserError: nothing reads the key.
    """
    checked = [text for text in overrides if text.startswith(("+", "hyperparameters."))]
    added = {text.lstrip("+").partition("=")[0]: text.startswith("+") for text in checked}
    unread = unread_groups(cfg) if added else []
    content = OmegaConf.to_container(cfg, resolve=False) if added else {}
    assert isinstance(content, dict)
    uses = str({key: node for key, node in content.items() if key not in unread})
    if "${" not in uses:
        return
    for key in added:
        group, _, name = key.rpartition(".")
        parents = accumulate(group.split("."), "{}.{}".format) if group else ()
        nodes = [OmegaConf.select(cfg, parent, default=None) for parent in parents]
        is_argument = any(isinstance(node, DictConfig) and "_target_" in node for node in nodes)
        is_used = re.search(rf"\$\{{[^{{}}]*(?<![\w.]){re.escape(key)}(?![\w.])", uses)
        if OmegaConf.select(cfg, key, default=None) is None or is_argument or is_used:
            continue
        if group == "hyperparameters" and (name in _all_hyperparameters() or not added[key]):
            message = f"{key} changes nothing: variant {cfg.names.variant!r} does not use it"
            warnings.warn(message, Caution, stacklevel=2)
            continue
        siblings = nodes[-1] if nodes and isinstance(nodes[-1], DictConfig) else cfg
        options = [str(k) for k in siblings if k != name]
        options += () if group and group != "hyperparameters" else _all_hyperparameters()
        fix = f"leave it out, or correct it{suggestion(name, options)}"
        raise UserError(f"nothing reads {key}, which is added by a plus", fix=fix)


def unused_hyperparameter(error: BaseException) -> str:
    """Return the hyperparameter of another variant that an override sets, "hyperparameters.n_dis".

    Args:
        error: of a composition; empty is returned where it has another cause.
    """
    while isinstance(error.__cause__, Exception):
        error = error.__cause__
    key = str(getattr(error, "full_key", ""))
    group, _, name = key.rpartition(".")
    known = isinstance(error, ConfigAttributeError | ConfigKeyError) and group == "hyperparameters"
    return key if known and name in _all_hyperparameters() else ""


def _all_hyperparameters() -> frozenset[str]:
    """Return the names of the hyperparameters that some entry of any folder of configs uses."""
    return frozenset().union(*map(_hyperparameters_in, config_folders()))


@cache
def _hyperparameters_in(folder: Path) -> frozenset[str]:
    texts = (path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.yaml")))
    return frozenset(name for text in texts for name in re.findall(r"hyperparameters\.(\w+)", text))


def is_forced(cfg: DictConfig) -> bool:
    """Return the config's `force`.

    Raises:
        UserError: it is neither true nor false.
    """
    if not isinstance(cfg.force, bool):
        raise UserError(f"force is {cfg.force!r}", fix="set it to true or false")
    return cfg.force
