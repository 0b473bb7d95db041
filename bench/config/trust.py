"""Check what a config from a file names: code runs only if the suite or the user named it.

A run's folder and published rows may be a stranger's. Before anything that they name is imported,
each `_target_` is looked up here: those of the suite's own `conf/` are trusted, those that the user
names on this command's line, by `--config-dir DIR` (the targets that the yaml files in DIR name, no
others) or `--trust PACKAGE`, and those that the yaml files of an installed plugin name, whose code
Hydra imports in any case.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from bench.config.paths import config_dir, plugin_dirs
from bench.core.errors import UserError
from bench.core.files import MAX_DEPTH, read_text
from bench.runs.foreign_code import modules_along, targets_in

TARGET = re.compile(r"_target_[\"']?\s*:\s*[\"']?([\w.]+)")
MAX_CONFIG_BYTES = 2**20  # of one config.yaml; ours have some 10 KiB
FLAGS = "if you trust this code, add --config-dir DIR with a yaml that names it, or --trust PACKAGE"
# Keys that a published override may set: groups by the name of an entry, others by a plain value.
GROUPS = frozenset(
    ("variant", "dataset", "network", "loss", "model", "optimizer", "features", "score", "sweeps")
    + ("preset", "penalty", "normalisation", "augmentation", "update_order", "ema", "prior")
    + ("conditioning", "consistency")
)
PREFIXES = ("hyperparameters.", "network.", "model.", "optimizer.", "score.", "dataset.source.") + (
    "penalty.",
    "normalisation.",
    "augmentation.",
    "update_order.",
    "ema.",
    "prior.",
    "conditioning.",
    "consistency.",
)
KEYS = frozenset(
    ("seed", "threads", "precision", "d_steps", "batch_size", "train_images", "flips", "log_every")
    + ("packed",)
    + ("trainer.accelerator", "trainer.devices", "trainer.batch_norm", "trainer.data")
    + ("trainer.pictures", "trainer.workers")
)
PATH_WORDS = frozenset(("root", "path", "file", "folder", "url", "weights", "cache"))
LIMITS = {
    "d_steps": 10_000_000, "batch_size": 65_536, "threads": 256, "packed": 1024, "seed": 2**63 - 1,
    "score.n_fake": 1_000_000, "score.n_real": 1_000_000,
}  # fmt: skip
MAX_NUMBER = 100_000  # of every other number: widths, depths, steps between readings
GROUP_ENTRY = re.compile(r"[\w-]{1,100}")  # of no other folder
EXTRACTOR = "features.extractor"
PLACES = {  # part of a config -> groups whose targets it may have; other parts: all other groups
    "dataset": ("dataset",), "features": ("features",), "score": ("score", "metric"),
    "trainer": ("trainer",), "logger": ("logger",),
}  # fmt: skip


class _Trusted:
    """The code that the user of this process named."""

    def __init__(self) -> None:
        self.config_dirs: list[Path] = []
        self.targets: set[str] = set()
        self.packages: set[str] = set()


USER = _Trusted()


def trust_config_dir(folder: str | Path) -> None:
    """Compose with the yaml files of a folder too, and trust the targets that they name."""
    path = Path(folder)
    if not path.is_dir():
        raise UserError(f"--config-dir {folder}: no such folder", fix="correct the path")
    USER.config_dirs.append(path.resolve())
    USER.targets |= set(_targets_in_files(path))


def trust_package(name: str) -> None:
    """Trust what is defined in the modules of a package."""
    if not name.isidentifier() or name in sys.stdlib_module_names:
        raise UserError(f"--trust {name}: no package of yours", fix="name the package of the code")
    USER.packages.add(name)


def trust_config(plain: Mapping[str, Any]) -> None:
    """Trust what a config names that was composed from this command's line."""
    USER.targets |= set(targets_in(plain))


def check_trusted(node: Any, where: str) -> None:
    """Refuse a config that names code which neither the suite nor the user named.

    The suite's own targets are trusted where its own configs have them: no extractor, which may
    download weights, as a generator.

    Args:
        node: a whole config.
        where: the file that it came from.

    Raises:
        UserError: a `_target_` is not trusted, before it is imported.
    """
    parts = {str(key): part for key, part in node.items()}
    if isinstance(features := parts.get("features"), Mapping):
        parts["features"] = {k: v for k, v in features.items() if k != "extractor"}
        parts[EXTRACTOR] = features.get("extractor")
    for place, part in parts.items():
        for target in targets_in(part):
            trusted = target in _own_targets(place) or target in USER.targets
            trusted = trusted or _is_of_trusted_package(target)
            if not trusted and target not in _plugin_targets():
                message = f"{where} names {target!r}, which is no part of the suite"
                raise UserError(f"{message}'s {place}", fix=FLAGS)


def _is_of_trusted_package(target: str) -> bool:
    """Whether a target is defined in a package of `--trust`: PACKAGE.module.os.system is not."""
    top = target.partition(".")[0]
    if top not in USER.packages:
        return False
    *_, module = [None, *modules_along(target)]
    if module is None or module.path is None or module.path.suffix != ".py":
        return False
    name = target.removeprefix(f"{module.name}.")
    tree = ast.parse(module.path.read_bytes())
    defined = {n.name for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef)}
    return name.partition(".")[0] in defined and "__" not in name


class _PlainLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The safe loader, libyaml's where PyYAML has it, that refuses a key that stands twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        content = super().construct_mapping(node, deep=deep)
        if len(content) < len(node.value):
            raise ValueError(f"a mapping has a key twice, before line {node.end_mark.line + 1}")
        return content


def read_plain_yaml(path: Path) -> DictConfig:
    """Read a yaml file of plain values: no aliases, which can multiply, and nothing to resolve.

    Raises:
        ValueError: it is larger than MAX_CONFIG_BYTES, deeper than MAX_DEPTH, or is no mapping of
            plain values, each with a key of its own.
    """
    if path.stat().st_size > MAX_CONFIG_BYTES:
        raise ValueError(f"it is larger than {MAX_CONFIG_BYTES} bytes")
    text = read_text(path)
    depth = 0
    for event in yaml.parse(text, _PlainLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("it has an alias")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ValueError("it is nested too deep")
    cfg = OmegaConf.create(yaml.load(text, _PlainLoader))
    if not isinstance(cfg, DictConfig):
        raise ValueError("it holds no mapping")
    for value in _values_of(OmegaConf.to_container(cfg, resolve=False)):
        if isinstance(value, str) and "${" in value:
            raise ValueError(f"it holds {value!r}, which would be read from this machine")
    return cfg


def check_published_overrides(overrides: Sequence[str], where: str) -> None:
    """Refuse overrides of published rows that set more than how a run trains and is scored.

    Args:
        where: the run and its file.

    Raises:
        UserError: an override is refused.
    """
    for text in overrides:
        if why := _why_refused(text):
            raise UserError(
                f"{where}: its override {text!r} {why}",
                fix="train it yourself with `bench train` if you trust it",
            )


def _why_refused(text: str) -> str:
    try:
        override = OverridesParser.create().parse_override(text)
        value = override.value()
    except HydraException:
        return "cannot be read"
    key = override.key_or_group
    if override.is_delete() or override.package is not None or override.is_sweep_override():
        return "is not one value for one key"
    if key in GROUPS:
        return "" if is_entry(key, value) else "is not the name of an entry"
    parts = key.replace("/", ".").split(".")
    known = key in KEYS or key.startswith(PREFIXES)
    if not known or "/" in key or any(p.startswith("_") or p in PATH_WORDS for p in parts):
        return "sets a key that published rows may not set"
    return _why_value_refused(key, value)


def _why_value_refused(key: str, value: Any) -> str:
    for item in _values_of(value):
        if isinstance(item, str) and ("${" in item or len(item) > 100):
            return "holds an interpolation, or more than 100 letters"
        limit = LIMITS.get(key, MAX_NUMBER)
        if isinstance(item, int | float) and abs(item) > limit:
            return f"is beyond {limit:,}"
    return "names code" if any(str(k).startswith("_") for k in _keys_of(value)) else ""


def _keys_of(node: Any) -> Iterator[Any]:
    if isinstance(node, Mapping):
        for key, item in node.items():
            yield key
            yield from _keys_of(item)
    elif isinstance(node, list | tuple):
        for item in node:
            yield from _keys_of(item)


def _values_of(node: Any) -> Iterator[Any]:
    """Yield all values of a tree that are neither mappings nor lists."""
    if isinstance(node, Mapping):
        for item in node.values():
            yield from _values_of(item)
    elif isinstance(node, list | tuple):
        for item in node:
            yield from _values_of(item)
    else:
        yield node


@cache
def _own_targets(place: str) -> frozenset[str]:
    """Return the targets that the suite's own configs have in a part of a config."""
    if place == EXTRACTOR:
        paths = sorted((config_dir() / "features").glob("*.yaml"))
        nodes = (yaml.safe_load(path.read_text(encoding="utf-8"))["extractor"] for path in paths)
        return frozenset(target for node in nodes for target in targets_in(node))
    apart = {"hydra", *(group for groups in PLACES.values() for group in groups)}
    others = (path.name for path in config_dir().iterdir() if path.name not in apart)
    groups = PLACES.get(place, others)
    return frozenset(t for group in groups for t in _targets_in_files(config_dir() / group))


@cache
def _plugin_targets() -> frozenset[str]:
    """Return the targets that the yaml files of installed plugins name."""
    return frozenset(target for folder in plugin_dirs() for target in _targets_in_files(folder))


def config_folders() -> list[Path]:
    """Return all folders of configs: the suite's, the user's, and those of installed plugins."""
    named = list(USER.config_dirs)
    if HydraConfig.initialized():  # `bench train --config-dir`, which Hydra reads itself
        sources = HydraConfig.get().runtime.config_sources
        named += [Path(source.path) for source in sources if source.provider == "command-line"]
    return [config_dir(), *named, *plugin_dirs()]


def is_entry(group: str, name: object) -> bool:
    """Whether a group has an entry of this name in one of the folders of configs."""
    if not isinstance(name, str) or GROUP_ENTRY.fullmatch(name) is None:
        return False
    return any((folder / group / f"{name}.yaml").is_file() for folder in config_folders())


def _targets_in_files(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.yaml")):
        yield from TARGET.findall(read_text(path, "correct it, or move it away"))
