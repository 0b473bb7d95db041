"""A run before it starts: config checked, data read, judge tried, name known."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from bench import build, guard
from bench.data.split import Split
from bench.running.conduct import Conduct
from bench.running.judge import Judge, facts_of, judge_of
from bench.runs.folder import RunFolder


@dataclass(frozen=True)
class Job:
    """A checked config with its data and its judge, ready to run.

    Args:
        overrides: as they were typed, for those who want to run it again.
    """

    cfg: DictConfig
    plain: dict[str, Any]
    conduct: Conduct
    splits: dict[str, Split]
    judge: Judge
    folder: RunFolder
    overrides: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """variant on dataset, seed n"""
        names = self.plain["names"]
        return f"{names['variant']} on {names['dataset']}, seed {self.plain['seed']}"


def prepare(cfg: DictConfig) -> Job:
    """Check the config, read the data, try the judge and give the run its name.

    Raises:
        UserError: anything that a user can mend, before anything is written.
    """
    plain = guard.check(cfg)
    with guard.explaining("trainer"):
        conduct: Conduct = build.make(cfg.trainer)
        if plain["batch_size"] % conduct.devices:
            raise ValueError(
                f"batch_size {plain['batch_size']} cannot be shared out among "
                f"trainer.devices={conduct.devices} evenly"
            )
    source, splits = build.build_splits(cfg)
    root = Path(plain["runs_root"])
    facts, cache = facts_of(splits), root / "references"
    judge = judge_of(cfg, source, facts, splits, conduct.device, cache)
    run_id = build.identity_of(plain, facts, conduct.device.type)
    typed = tuple(HydraConfig.get().overrides.task) if HydraConfig.initialized() else ()
    return Job(cfg, plain, conduct, splits, judge, RunFolder(root, run_id), typed)
