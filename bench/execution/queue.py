"""The runs that one job of a launcher trains: their configs, from the plan of the sweep."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict

from bench.config import validate
from bench.core.errors import UserError
from bench.runs.plans import PlannedRun, read_plan
from bench.training.job import Job, prepare
from bench.vectorized.compatibility import pack_key


@dataclass(frozen=True)
class PendingRun:
    """A run that waits for a slot.

    Args:
        run_id: of the run.
        prepare: makes its job, beside one of the same pack whose data and judge it may share.
    """

    run_id: str
    prepare: Callable[[Job | None], Job]


def pending_runs(cfg: DictConfig) -> list[PendingRun]:
    """Those of `pack_members`, or of a job that trains one run that run.

    Raises:
        UserError: the plan does not know one of them.
    """
    expected = str(cfg.expected_run_id)
    if not cfg.pack_members:
        return [PendingRun(expected, partial(_first, cfg, expected))]
    plan = read_plan(Path(cfg.runs_root), cfg.sweep_name)
    entries = {entry.run_id: entry for entry in plan.entries}
    missing = [run_id for run_id in cfg.pack_members if run_id not in entries]
    if missing:
        raise UserError(
            f"the plan of sweep {plan.name!r} does not have run {missing[0]}, which this pack is "
            "to train: it was planned anew since",
            fix="launch the sweep again",
        )
    return [PendingRun(r, partial(_member, cfg, entries[r])) for r in map(str, cfg.pack_members)]


def _first(cfg: DictConfig, expected: str, beside: Job | None) -> Job:
    return _expected(prepare(cfg), expected)


def _member(cfg: DictConfig, entry: PlannedRun, beside: Job | None) -> Job:
    if entry.run_id == cfg.expected_run_id:
        job = prepare(_resolved(cfg), beside)
    else:
        job = prepare(_composed(entry.overrides), beside)
    if beside is not None and pack_key(job.plain) != pack_key(beside.plain):
        raise UserError(
            f"runs {entry.run_id} and {beside.folder.run_id} cannot share a pack: their networks, "
            "losses or batches differ",
            fix="launch the sweep again: it groups what can",
        )
    return replace(_expected(job, entry.run_id), overrides=entry.overrides)


def _expected(job: Job, run_id: str) -> Job:
    if job.folder.run_id != run_id:
        raise UserError(
            f"this machine would make run {job.folder.run_id} where {run_id} was planned",
            fix="plan and run on the same data and kind of device: see the plan's overrides",
        )
    return job


def _composed(overrides: Sequence[str]) -> DictConfig:
    """A config as the launcher would compose it, resolved.

    Raises:
        UserError: it does not compose.
    """
    here = HydraConfig.instance().cfg
    assert here is not None
    loader = GlobalHydra.instance().config_loader()
    with validate.as_user_error("config"):
        whole = loader.load_sweep_config(here, list(overrides))
        HydraConfig.instance().set_config(whole)
        try:
            cfg = whole.copy()
            with open_dict(cfg):
                del cfg["hydra"]
            return _resolved(cfg)
        finally:
            HydraConfig.instance().set_config(here)


def _resolved(cfg: DictConfig) -> DictConfig:
    """Without what only the run's own `hydra` node can tell."""
    return OmegaConf.create(validate.to_plain(cfg))
