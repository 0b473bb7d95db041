"""Compose configs and build the objects that they describe."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, ListConfig, OmegaConf
from safetensors.torch import load_file

from bench.config.config_files import cache_config_files
from bench.config.error_messages import as_user_error
from bench.config.override_text import quote
from bench.config.paths import config_dir
from bench.config.targets import get_target
from bench.config.trust import USER, check_trusted, read_plain_yaml
from bench.core.contracts import ContractError, describe_part, require_method
from bench.core.errors import UserError
from bench.core.files import find_misfit
from bench.core.number_checks import is_whole_number
from bench.core.seeds import global_stream, preserved_global_states
from bench.data.split import Split, check_shape
from bench.networks.sampler import Sampler, takes_labels
from bench.runs.folder import RunFolder
from bench.runs.foreign_code import foreign_code
from bench.runs.identity import hash_identity, with_stable_names

if TYPE_CHECKING:  # Lightning takes seconds to import
    from bench.models.base import GenerativeModel

cache_config_files()
PART = {"_target_": str}
STORED = {  # what the config in a run's folder must have
    "names": dict.fromkeys(("variant", "loss", "model", "network", "dataset"), str),
    "model": {"generator": PART, "training": {"prior": PART, "latent_dim": object}},
    "dataset": {"source": PART, "shape": list, "family": str},
    "features": {"name": str, "extractor": PART},
    "score": PART | {"name": str},
    **dict.fromkeys(("trainer", "network", "hyperparameters"), dict),
    **dict.fromkeys(("seed", "threads", "d_steps", "batch_size", "log_every"), int),
    "precision": str,
    "packed": bool | int,
}


def compose_config(overrides: list[str], *, keep_hydra: bool = False) -> DictConfig:
    """Compose a config as the command line would, for commands and tests.

    Args:
        keep_hydra: keep the node `hydra`, which holds the stages of a sweep.

    Raises:
        UserError: an override's key or a group's entry does not exist.
    """
    GlobalHydra.instance().clear()
    folder = str(config_dir().resolve())
    if USER.config_dirs:
        places = ",".join(quote(f"file://{path}") for path in USER.config_dirs)
        overrides = [f"hydra.searchpath=[{places}]", *overrides]
    with as_user_error("config"), initialize_config_dir(folder, version_base="1.3"):
        cfg = compose("config", overrides=overrides, return_hydra_config=True)
        HydraConfig.instance().set_config(cfg)
        plain = OmegaConf.to_container(cfg, resolve=False)
        assert isinstance(plain, dict)
        if not keep_hydra:
            del plain["hydra"]
        return OmegaConf.create(plain)


def parse_overrides(overrides: Sequence[str]) -> dict[str, Any]:
    """Return the values of KEY=VALUE overrides by key, parsed by Hydra, or raise a UserError."""
    with as_user_error("config"):
        parsed = OverridesParser.create().parse_overrides(list(overrides))
        values = {override.key_or_group: override.value() for override in parsed}
    return values


def instantiate(node: Any) -> Any:
    """Build the object that a config node describes by `_target_` and `_partial_`, as Hydra does.

    Hydra's own `instantiate` returns callables that check their target again on every call, which
    took a fifth of a small network's step; a loss built here is the function itself.
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
    target = get_target(node["_target_"])
    if not node.get("_partial_"):
        return target(**arguments)
    return partial(target, **arguments) if arguments else target


def build_source(cfg: DictConfig) -> Any:
    """Build the data set's source without reading it."""
    with as_user_error(f"dataset {cfg.names.dataset!r}"):
        return instantiate(cfg.dataset.source)


def build_splits(cfg: DictConfig) -> tuple[Any, dict[str, Split]]:
    """Build the data set's source and read its splits."""
    source = build_source(cfg)
    with as_user_error(f"dataset {cfg.names.dataset!r}"):
        require_method(source, "splits", "", "returns the splits by name")
        splits = source.splits()
        whole = isinstance(splits, Mapping) and {"train", "test"} <= splits.keys()
        if not whole or not all(isinstance(part, Split) for part in splits.values()):
            found = f"{describe_part(type(source).splits)} returned {type(splits).__name__}"
            wanted = "bench.data.split.Split by name, with train and test"
            raise ContractError(f"{found}; it returns {wanted}")
        check_shape(cfg.names.dataset, splits, cfg.dataset.shape)
        return source, {**splits, "train": splits["train"].first(cfg.get("train_images"))}


def build_model(cfg: DictConfig, train: Split | None = None) -> "GenerativeModel":
    """Build the LightningModule with its networks; weights are drawn from the run's streams.

    Args:
        train: the training split, which the model is fitted to or counts its classes in; None for
            a model that is only looked at.
    """
    with as_user_error(f"variant {cfg.names.variant!r}"), global_stream(cfg.seed):
        model = instantiate(cfg.model)
        if train is not None:
            model.fit_to_data(train)
        return model


def build_extractor(cfg: DictConfig) -> torch.nn.Module:
    """Build the feature extractor of `cfg.features`."""
    with as_user_error(f"features {cfg.features.get('name', '')!r}"):
        return instantiate(cfg.features.extractor)


def build_loggers(cfg: DictConfig, save_dir: Path) -> list[Any]:
    """Build loggers that write into `save_dir`; UserError if not installed or misconfigured."""
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
    """Read the config from a run's folder, which may be a stranger's.

    Raises:
        UserError: it is damaged, or names code that is not trusted, see `bench.config.trust`.
    """
    try:
        cfg = read_plain_yaml(path)
        check_trusted(plain := OmegaConf.to_container(cfg), str(path))
        if OmegaConf.select(cfg, "model.training.optimizer") is not None:
            raise UserError(
                f"run {path.parent.name} was trained by an earlier suite, whose {path.name} has "
                "another form",
                fix="train it again, or use commit c44c481, the last that reads it",
            )
        if misfit := find_misfit(plain, STORED):
            raise ValueError(misfit)
        return cfg
    except UserError:
        raise
    except Exception as error:  # exceptions of yaml and OmegaConf
        raise UserError(
            f"run {path.parent.name} is damaged: {path.name}: {' '.join(str(error).split())[:120]}",
            fix="delete its folder and train it again",
        ) from error


def build_sampler(folder: RunFolder, checkpoint: str = "final") -> Sampler:
    """Build the sampler of a trained run from its folder alone.

    Args:
        checkpoint: "final", or "step-N" where that checkpoint was kept.

    Raises:
        UserError: the config or the weights are missing or damaged.
    """
    file, run = folder.generator_file(checkpoint), f"run {folder.run_id}"
    for path in (folder.config, file):
        if not path.is_file():
            raise UserError(f"{run}: there is no file {path}", fix="train the run again")
    again = "delete its folder and train it again"
    model = read_config(folder.config).model
    try:
        weights = load_file(file)
    except Exception as error:  # exceptions of safetensors and of the disk
        reason = " ".join(str(error).split())
        raise UserError(f"{run} is damaged: {file.name}: {reason}", fix=again) from error
    with as_user_error(run, fix=again), preserved_global_states():
        generator, prior = instantiate(model.generator), instantiate(model.training.prior)
        latent_dim = instantiate(model.training.latent_dim)
        conditional = takes_labels(generator)
    try:
        generator.load_state_dict(weights)
    except RuntimeError as error:
        raise UserError(f"{run}: {file.name} does not fit its config.yaml", fix=again) from error
    counts = read_class_counts(folder) if conditional else None
    return Sampler(generator.eval(), prior, latent_dim, counts)


def build_untrained(folder: RunFolder) -> Sampler:
    """Build the sampler with a run's initial weights, or raise a UserError if its config is bad."""
    model = build_model(read_config(folder.config)).eval()
    if model.conditional:
        model.class_counts = read_class_counts(folder)
    return model.sampler()


def read_class_counts(folder: RunFolder) -> list[int]:
    """Return the number of training samples of each class, as a conditional run stored it, [K].

    Raises:
        UserError: the run has not stored it.
    """
    counts = folder.read_provenance().get("class_counts")
    if not isinstance(counts, list) or not all(is_whole_number(n, 0) for n in counts):
        raise UserError(
            f"run {folder.run_id} draws samples of classes, and its {folder.provenance.name} has "
            "no class_counts, by whose shares it draws them",
            fix="train it again",
        )
    return counts


def run_id_for(
    plain: Mapping[str, Any], split_digests: Mapping[str, Mapping[str, Any]], device: str
) -> str:
    """Return the run_id of a checked config: the hash of its `run_identity`."""
    return hash_identity(run_identity(plain, split_digests, device))


def run_identity(
    plain: Mapping[str, Any], split_digests: Mapping[str, Mapping[str, Any]], device: str
) -> dict[str, Any]:
    """Return everything that can change a bit of a run's training, which its run_id hashes.

    Args:
        split_digests: facts about each split; the "digest" of "train" is part of the identity.
        device: the kind of device, "cpu" or "cuda".
    """
    devices = plain["trainer"].get("devices", 1)
    code = foreign_code(plain["model"])
    norm = {"batch_norm": plain["trainer"].get("batch_norm")} if devices > 1 else {}
    return {
        "model": with_stable_names(plain["model"]),
        "data": split_digests["train"]["digest"],
        "device": device,
        "shape": plain["dataset"]["shape"],
        "batch_size": plain["batch_size"],
        "d_steps": plain["d_steps"],
        "threads": plain["threads"],
        "world_size": devices,
        "packed": plain["packed"],
        **norm,
        **({"flips": True} if plain.get("flips") else {}),
        **({"code": code} if code else {}),
    }
