"""From a config to objects, and the guard before it: the only place that reads `_target_`."""

import difflib
import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.utils import get_object
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from safetensors.torch import load_file

from bench.configs import config_dir
from bench.data.digest import content_digest
from bench.data.split import Split
from bench.errors import UserError
from bench.models.base import GenerativeModel
from bench.models.sampler import Sampler
from bench.runs.folder import RunFolder
from bench.runs.identity import canonical_json, run_id

WHOLE = {"seed": 0, "threads": 1, "d_steps": 1, "batch_size": 2, "log_every": 1}  # least values
CONSTRUCTION = (ValueError, TypeError, RuntimeError, ArithmeticError, AttributeError, KeyError)
SEE = "see `python -m bench.train --help` for the groups, `--cfg job` for the keys"


def compose_config(overrides: list[str]) -> DictConfig:
    """A config as the command line would compose it, for commands and tests.

    Raises:
        UserError: an override or a group's entry does not exist.
    """
    GlobalHydra.instance().clear()
    with (
        explaining("config"),
        initialize_config_dir(str(config_dir().resolve()), version_base="1.3"),
    ):
        cfg = compose("config", overrides=overrides, return_hydra_config=True)
        HydraConfig.instance().set_config(cfg)
        plain = OmegaConf.to_container(cfg, resolve=False)
        assert isinstance(plain, dict)
        del plain["hydra"]
        return OmegaConf.create(plain)


@contextmanager
def explaining(what: str) -> Iterator[None]:
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


def check(cfg: DictConfig) -> dict[str, Any]:
    """The resolved config as plain Python, once nothing in it is known to be wrong.

    Raises:
        UserError: an impossible number, an unknown key, a pair of network and model or data that
            does not exist.
    """
    for key, least in WHOLE.items():
        value = cfg.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise UserError(f"{key} is {value!r}", fix=f"set it to a whole number from {least} on")
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
    with explaining("config"):
        plain = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
        assert isinstance(plain, dict)
        for group in ("model", "dataset", "features", "score", "logger", "trainer"):
            check_targets(plain[group], group)
        canonical_json({"model": plain["model"], "hyperparameters": plain["hyperparameters"]})
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


def make(node: Any) -> Any:
    """The object that a config node describes, `_target_` and `_partial_` as in Hydra.

    Hydra's own `instantiate` gives deferred callables that check their target anew on each call,
    which took a fifth of a small network's step; a loss here is the function itself.
    """
    if isinstance(node, DictConfig | ListConfig):
        node = OmegaConf.to_container(node, resolve=True)
    if isinstance(node, list):
        return [make(item) for item in node]
    if not isinstance(node, dict):
        return node
    arguments = {k: make(v) for k, v in node.items() if k not in ("_target_", "_partial_")}
    if "_target_" not in node:
        return arguments
    target = get_object(node["_target_"])
    if not node.get("_partial_"):
        return target(**arguments)
    return partial(target, **arguments) if arguments else target


def build_source(cfg: DictConfig) -> Any:
    """The data set's source, unread."""
    with explaining(f"dataset {cfg.names.dataset!r}"):
        return make(cfg.dataset.source)


def build_splits(cfg: DictConfig) -> tuple[Any, dict[str, Split]]:
    """The data set's source and its splits."""
    source = build_source(cfg)
    with explaining(f"dataset {cfg.names.dataset!r}"):
        return source, source.splits()


def build_model(cfg: DictConfig) -> GenerativeModel:
    """The LightningModule with its networks, initial weights drawn from the run's stream."""
    with explaining(f"variant {cfg.names.variant!r}"), torch.random.fork_rng(devices=[]):
        return make(cfg.model)


def build_extractor(cfg: DictConfig) -> torch.nn.Module:
    """The feature extractor of `cfg.features`."""
    with explaining(f"features {cfg.features.get('name', '')!r}"):
        return make(cfg.features.extractor)


def build_measures(cfg: DictConfig) -> dict[str, Any]:
    """The measures of `cfg.score.metrics` by name."""
    with explaining("score"):
        return make(cfg.score.metrics)


def build_loggers(cfg: DictConfig, save_dir: Path) -> list[Any]:
    """Lightning loggers that write below `save_dir`.

    Raises:
        UserError: a logger's package is not installed, or it refuses its settings.
    """
    try:
        with explaining("logger"):
            makers = make(cfg.logger) or {}
            return [maker(save_dir=str(save_dir)) for maker in makers.values()]
    except ImportError as error:
        raise UserError(
            f"logger {', '.join(cfg.logger)}: {' '.join(str(error).split())}",
            fix="pip install 'created-equal[wandb,tensorboard]', or choose logger=csv",
        ) from error


def build_sampler(folder: RunFolder) -> Sampler:
    """The sampler that a run left behind; reads its folder and nothing else.

    Raises:
        UserError: the config or the weights are missing or damaged.
    """
    for path in (folder.config, folder.generator):
        if not path.is_file():
            raise UserError(f"run {folder.run_id}: no file {path}", fix="train the run again")
    try:
        model = OmegaConf.load(folder.config).model
        weights = load_file(folder.generator)
    except Exception as error:  # yaml's, OmegaConf's and safetensors' own kinds
        reason = " ".join(str(error).split())
        raise UserError(
            f"run {folder.run_id} is damaged: {reason}", fix="delete its folder and train it again"
        ) from error
    with explaining(f"run {folder.run_id}"), torch.random.fork_rng(devices=[]):
        generator = make(model.generator)
        prior, latent_dim = make(model.training.prior), int(model.training.latent_dim)
    try:
        generator.load_state_dict(weights)
    except RuntimeError as error:
        raise UserError(
            f"run {folder.run_id}: {folder.generator.name} does not fit its config.yaml",
            fix="delete its folder and train it again",
        ) from error
    return Sampler(generator.eval(), prior, latent_dim)


def identity_of(plain: Mapping[str, Any], splits: Mapping[str, Split], device: str) -> str:
    """The run_id of a checked config, trained on the given data on a kind of device."""
    return run_id(
        {
            "model": plain["model"],
            "data": content_digest({"train": splits["train"]}),
            "device": device,
            "shape": plain["dataset"]["shape"],
            "batch_size": plain["batch_size"],
            "d_steps": plain["d_steps"],
            "threads": plain["threads"],
            "world_size": 1,
            "packed": False,
        }
    )
