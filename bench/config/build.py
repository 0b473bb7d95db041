"""From a config to objects."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.utils import get_object
from omegaconf import DictConfig, ListConfig, OmegaConf
from safetensors.torch import load_file

from bench.config.paths import config_dir
from bench.config.validate import as_user_error
from bench.core.errors import UserError
from bench.data.split import Split
from bench.models.base import GenerativeModel
from bench.networks.sampler import Sampler
from bench.runs.folder import RunFolder
from bench.runs.identity import run_id, with_published_names


def compose_config(overrides: list[str], *, keep_hydra: bool = False) -> DictConfig:
    """A config as the command line would compose it, for commands and tests.

    Args:
        keep_hydra: with the node `hydra`, where a sweep's stages stand.

    Raises:
        UserError: an override or a group's entry does not exist.
    """
    GlobalHydra.instance().clear()
    with (
        as_user_error("config"),
        initialize_config_dir(str(config_dir().resolve()), version_base="1.3"),
    ):
        cfg = compose("config", overrides=overrides, return_hydra_config=True)
        HydraConfig.instance().set_config(cfg)
        plain = OmegaConf.to_container(cfg, resolve=False)
        assert isinstance(plain, dict)
        if not keep_hydra:
            del plain["hydra"]
        return OmegaConf.create(plain)


def parse_overrides(overrides: Sequence[str]) -> dict[str, Any]:
    """KEY=VALUE of the command line by key, values as Hydra reads them.

    Raises:
        UserError: one of them has another form.
    """
    with as_user_error("config"):
        parsed = OverridesParser.create().parse_overrides(list(overrides))
        found = {o.key_or_group: o.value() for o in parsed}
    return found


def instantiate(node: Any) -> Any:
    """The object that a config node describes, `_target_` and `_partial_` as in Hydra.

    Hydra's own `instantiate` gives deferred callables that check their target anew on each call,
    which took a fifth of a small network's step; a loss here is the function itself.
    """
    if isinstance(node, DictConfig | ListConfig):
        node = OmegaConf.to_container(node, resolve=True)
    if isinstance(node, list):
        return [instantiate(item) for item in node]
    if not isinstance(node, dict):
        return node
    arguments = {k: instantiate(v) for k, v in node.items() if k not in ("_target_", "_partial_")}
    if "_target_" not in node:
        return arguments
    target = get_object(node["_target_"])
    if not node.get("_partial_"):
        return target(**arguments)
    return partial(target, **arguments) if arguments else target


def build_source(cfg: DictConfig) -> Any:
    """The data set's source, unread."""
    with as_user_error(f"dataset {cfg.names.dataset!r}"):
        return instantiate(cfg.dataset.source)


def build_splits(cfg: DictConfig) -> tuple[Any, dict[str, Split]]:
    """The data set's source and its splits."""
    source = build_source(cfg)
    with as_user_error(f"dataset {cfg.names.dataset!r}"):
        return source, source.splits()


def build_model(cfg: DictConfig) -> GenerativeModel:
    """The LightningModule with its networks, initial weights drawn from the run's stream."""
    with as_user_error(f"variant {cfg.names.variant!r}"), torch.random.fork_rng(devices=[]):
        return instantiate(cfg.model)


def build_extractor(cfg: DictConfig) -> torch.nn.Module:
    """The feature extractor of `cfg.features`."""
    with as_user_error(f"features {cfg.features.get('name', '')!r}"):
        return instantiate(cfg.features.extractor)


def build_measures(cfg: DictConfig) -> dict[str, Any]:
    """The measures of `cfg.score.metrics` by name."""
    with as_user_error("score"):
        return instantiate(cfg.score.metrics)


def build_loggers(cfg: DictConfig, save_dir: Path) -> list[Any]:
    """Lightning loggers that write below `save_dir`.

    Raises:
        UserError: a logger's package is not installed, or it refuses its settings.
    """
    try:
        with as_user_error("logger"):
            makers = instantiate(cfg.logger) or {}
            return [maker(save_dir=str(save_dir)) for maker in makers.values()]
    except ImportError as error:
        raise UserError(
            f"logger {', '.join(cfg.logger)}: {' '.join(str(error).split())}",
            fix="pip install 'created-equal[wandb,tensorboard]', or choose logger=csv",
        ) from error


def read_config(path: Path) -> DictConfig:
    """The config that a run left in its folder.

    Raises:
        UserError: it is damaged.
    """
    try:
        cfg = OmegaConf.load(path)
        missing = {"model", "dataset", "names", "score", "features"} - set(cfg)
        if not isinstance(cfg, DictConfig) or missing:
            raise ValueError(f"without {', '.join(sorted(missing))}")
    except Exception as error:  # yaml's and OmegaConf's own kinds
        raise UserError(
            f"run {path.parent.name} is damaged: {path.name}: {' '.join(str(error).split())[:120]}",
            fix="delete its folder and train it again",
        ) from error
    return cfg


def build_sampler(folder: RunFolder, checkpoint: str = "final") -> Sampler:
    """The sampler that a run left behind; reads its folder and nothing else.

    Args:
        checkpoint: "final", or "step-N" where it was kept.

    Raises:
        UserError: the config or the weights are missing or damaged.
    """
    file = folder.weights(checkpoint)
    for path in (folder.config, file):
        if not path.is_file():
            raise UserError(f"run {folder.run_id}: no file {path}", fix="train the run again")
    model = read_config(folder.config).model
    try:
        weights = load_file(file)
    except Exception as error:  # safetensors' own kinds and the disk's
        reason = " ".join(str(error).split())
        raise UserError(
            f"run {folder.run_id} is damaged: {reason}", fix="delete its folder and train it again"
        ) from error
    with as_user_error(f"run {folder.run_id}"), torch.random.fork_rng(devices=[]):
        generator = instantiate(model.generator)
        prior, latent_dim = (
            instantiate(model.training.prior),
            instantiate(model.training.latent_dim),
        )
    try:
        generator.load_state_dict(weights)
    except RuntimeError as error:
        raise UserError(
            f"run {folder.run_id}: {file.name} does not fit its config.yaml",
            fix="delete its folder and train it again",
        ) from error
    return Sampler(generator.eval(), prior, latent_dim)


def build_untrained(folder: RunFolder) -> Sampler:
    """The sampler that a run began with.

    Raises:
        UserError: its config is missing or damaged.
    """
    cfg = read_config(folder.config)
    training = cfg.model.training
    generator = build_model(cfg).generator
    return Sampler(generator.eval(), instantiate(training.prior), instantiate(training.latent_dim))


def run_id_for(
    plain: Mapping[str, Any], facts: Mapping[str, Mapping[str, Any]], device: str
) -> str:
    """The run_id of a checked config, trained on data of a given digest on a kind of device."""
    return run_id(run_identity(plain, facts, device))


def run_identity(
    plain: Mapping[str, Any], facts: Mapping[str, Mapping[str, Any]], device: str
) -> dict[str, Any]:
    """Everything that can change a bit of a run's training: what its run_id is a hash of."""
    devices = plain["trainer"].get("devices", 1)
    norm = {"batch_norm": plain["trainer"].get("batch_norm")} if devices > 1 else {}
    return {
        "model": with_published_names(plain["model"]),
        "data": facts["train"]["digest"],
        "device": device,
        "shape": plain["dataset"]["shape"],
        "batch_size": plain["batch_size"],
        "d_steps": plain["d_steps"],
        "threads": plain["threads"],
        "world_size": devices,
        "packed": plain.get("packed", False),  # runs that were stored before there were packs
        **norm,
    }
