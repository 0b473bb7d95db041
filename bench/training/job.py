"""Prepare a run: check its config, read the data, build the evaluator, compute its run_id."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from bench.config import build, validate
from bench.config.error_messages import as_user_error
from bench.config.targets import MODELS, check_targets
from bench.config.trainer_settings import TrainerSettings
from bench.config.trust import config_folders, trust_config
from bench.core.errors import UserError
from bench.data.split import Split
from bench.evaluation.evaluator import Evaluator, build_evaluator, digest_splits
from bench.runs.environment import describe_environment
from bench.runs.folder import RunFolder
from bench.runs.foreign_code import foreign_code, import_roots, relative_path

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """Hold a run that is ready to start: a checked config, its data and its evaluator.

    Args:
        cfg: the config as Hydra composed it.
        plain: the resolved config as plain Python.
        folder: the run's folder, named by its run_id.
        overrides: the command-line overrides as typed, with which the run can be made again.
    """

    cfg: DictConfig
    plain: dict[str, Any]
    trainer_settings: TrainerSettings
    splits: dict[str, Split]
    evaluator: Evaluator
    folder: RunFolder
    overrides: tuple[str, ...] = ()

    def describe_environment(self, device: str) -> dict[str, Any]:
        """Return `bench.runs.environment.describe_environment` and the code outside the package."""
        facts = describe_environment(self.plain["threads"], device)
        model = self.plain["model"]
        if code := foreign_code(model):
            facts |= {"code": code, "import_roots": import_roots(model)}
            facts["config_dirs"] = config_dirs()
        return facts

    @property
    def label(self) -> str:
        """variant on dataset, seed n"""
        names = self.plain["names"]
        return f"{names['variant']} on {names['dataset']}, seed {self.plain['seed']}"


def prepare_job(cfg: DictConfig, share_with: Job | None = None) -> Job:
    """Check the config, read the data, try the evaluator on it and compute the run_id.

    Args:
        share_with: another job, whose data and evaluator are used if they are the same.

    Raises:
        UserError: anything that a user can mend, before anything is written.
    """
    plain = validate.validate_config(cfg, unchecked=MODELS)
    typed = tuple(HydraConfig.get().overrides.task) if HydraConfig.initialized() else ()
    validate.check_added_keys(cfg, typed)
    validate.check_chosen_optimizer(cfg, typed)
    validate.warn_of_unread_keys(cfg, typed)
    validate.warn_of_missing_numbers(cfg)
    trust_config(plain)  # it was composed from this command's line, or checked before
    with as_user_error("trainer"):
        trainer_settings: TrainerSettings = build.instantiate(cfg.trainer)
        if plain["batch_size"] % trainer_settings.devices:
            batch, processes = plain["batch_size"], f"trainer.devices={trainer_settings.devices}"
            raise ValueError(f"batch_size {batch} cannot be divided evenly among {processes}")
        if plain["packed"] and (why := why_config_not_packable(plain)):
            raise ValueError(f"packed={plain['packed']} is not possible: {why}")
    root = Path(plain["runs_root"])
    shared = share_with if share_with and _same_evaluator(plain, share_with.plain) else None
    source, splits = (None, shared.splits) if shared else build.build_splits(cfg)
    digests = shared.evaluator.real_features.split_digests if shared else digest_splits(splits)
    device = trainer_settings.device
    run_id = build.run_id_for(plain, digests, device.type)
    folder = RunFolder(root, run_id)
    if not folder.is_completed():  # else its model, part of its run_id, was checked before
        check_targets(plain["model"], "model")
    if shared:
        evaluator = shared.evaluator
    else:
        evaluator = build_evaluator(cfg, source, digests, splits, device, root / "references")
    if plain["batch_size"] > (count := digests["train"]["count"]):
        sizes = (
            f"batch_size is {plain['batch_size']:,}, and the training split has {count:,} samples"
        )
        raise UserError(sizes, fix=f"set batch_size to {count} or less")
    LOG.debug("configs from %s", ", ".join(map(str, config_folders())))
    for name, facts in digests.items():
        LOG.debug("%s split: %s samples, digest %s", name, facts["count"], facts["digest"][:12])
    LOG.debug("run %s on %s, overrides %s", run_id, trainer_settings.device, " ".join(typed))
    return Job(cfg, plain, trainer_settings, splits, evaluator, folder, typed)


def _same_evaluator(plain: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two configs have the same data and evaluator, on the same device."""
    keys = "dataset", "train_images", "score", "features", "runs_root"
    same = all(plain.get(key) == other.get(key) for key in keys)
    return same and plain["trainer"]["accelerator"] == other["trainer"]["accelerator"]


def why_config_not_packable(plain: Mapping[str, Any]) -> str:
    """Return why runs of these settings cannot train in a pack, one clause; empty if they can."""
    if plain["trainer"]["devices"] != 1:
        return f"it trains in trainer.devices={plain['trainer']['devices']} processes"
    if plain["trainer"]["data"] != "device":
        return f"trainer.data={plain['trainer']['data']}, and a pack has its data on the device"
    if plain["precision"] == "bf16":
        return "precision=bf16, and a pack computes in 32 or tf32"
    return ""


def config_dirs() -> list[str]:
    """Return the folders that `--config-dir` named on Hydra's command line."""
    if not HydraConfig.initialized():
        return []
    sources = HydraConfig.get().runtime.config_sources
    return [relative_path(Path(s.path)) for s in sources if s.provider == "command-line"]
