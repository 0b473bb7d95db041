"""A run before it starts: config checked, data read, judge tried, name known."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from bench.config import build, validate
from bench.config.trainer_settings import TrainerSettings
from bench.data.split import Split
from bench.evaluation.evaluator import Evaluator, build_evaluator, split_digests
from bench.runs.folder import RunFolder


@dataclass(frozen=True)
class Job:
    """A checked config with its data and its judge, ready to run.

    Args:
        overrides: as they were typed, for those who want to run it again.
    """

    cfg: DictConfig
    plain: dict[str, Any]
    trainer_settings: TrainerSettings
    splits: dict[str, Split]
    evaluator: Evaluator
    folder: RunFolder
    overrides: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """variant on dataset, seed n"""
        names = self.plain["names"]
        return f"{names['variant']} on {names['dataset']}, seed {self.plain['seed']}"


def prepare(cfg: DictConfig, beside: Job | None = None) -> Job:
    """Check the config, read the data, try the judge and give the run its name.

    Args:
        beside: another job, whose data and judge are taken where they are the same.

    Raises:
        UserError: anything that a user can mend, before anything is written.
    """
    plain = validate.validate_config(cfg)
    with validate.as_user_error("trainer"):
        trainer_settings: TrainerSettings = build.instantiate(cfg.trainer)
        if plain["batch_size"] % trainer_settings.devices:
            raise ValueError(
                f"batch_size {plain['batch_size']} cannot be shared out among "
                f"trainer.devices={trainer_settings.devices} evenly"
            )
        if plain.get("packed") and (why := not_packed(plain)):
            raise ValueError(f"packed={plain['packed']} is not possible: {why}")
    root = Path(plain["runs_root"])
    if beside is not None and _same_view(plain, beside.plain):
        splits, evaluator = beside.splits, beside.evaluator
    else:
        source, splits = build.build_splits(cfg)
        cache = root / "references"
        evaluator = build_evaluator(
            cfg, source, split_digests(splits), splits, trainer_settings.device, cache
        )
    run_id = build.run_id_for(plain, evaluator.reals.facts, trainer_settings.device.type)
    typed = tuple(HydraConfig.get().overrides.task) if HydraConfig.initialized() else ()
    return Job(cfg, plain, trainer_settings, splits, evaluator, RunFolder(root, run_id), typed)


def _same_view(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two configs mean the same data, judged in the same way on the same device."""
    same = all(one[key] == other[key] for key in ("dataset", "score", "features", "runs_root"))
    return same and one["trainer"]["accelerator"] == other["trainer"]["accelerator"]


def not_packed(plain: Mapping[str, Any]) -> str:
    """Why a run of these settings cannot train in a pack, one clause; empty if it can."""
    if plain["trainer"]["devices"] != 1:
        return f"it trains in trainer.devices={plain['trainer']['devices']} processes"
    if plain["trainer"]["data"] != "device":
        return f"trainer.data={plain['trainer']['data']}, and a pack has its data on the device"
    if plain["precision"] == "bf16":
        return "precision=bf16, and a pack computes in 32 or tf32"
    return ""
