"""List the runs that one launcher job is to train, with their configs from the sweep's plan."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict

from bench.config import validate
from bench.config.error_messages import as_user_error
from bench.core.errors import UserError
from bench.runs.plans import PlannedRun, read_plan
from bench.training.job import Job, prepare_job
from bench.vectorized.compatibility import pack_key


@dataclass(frozen=True)
class PendingRun:
    """Hold a run that waits for its turn.

    Args:
        prepare: returns its job, given another job of the pack to share data and evaluator with.
    """

    run_id: str
    prepare: Callable[[Job | None], Job]


def pending_runs(cfg: DictConfig) -> list[PendingRun]:
    """Return the runs of `pack_members`, else the job's own; UserError if one is not planned."""
    expected_id = str(cfg.expected_run_id)
    if not cfg.pack_members:
        return [PendingRun(expected_id, lambda _: _check_run_id(prepare_job(cfg), expected_id))]
    plan = read_plan(Path(cfg.runs_root), cfg.sweep_name)
    entries = {entry.run_id: entry for entry in plan.runs}
    run_ids = [str(run_id) for run_id in cfg.pack_members]
    if missing := [run_id for run_id in run_ids if run_id not in entries]:
        member = f"run {missing[0]}, which this pack is to train"
        why = f"the plan of sweep {plan.name!r} does not have {member}"
        message = f"{why}: the sweep has been planned anew since"
        raise UserError(message, fix="launch the sweep again")
    return [PendingRun(r, partial(_prepare_in_pack, cfg, entries[r])) for r in run_ids]


def _prepare_in_pack(cfg: DictConfig, entry: PlannedRun, share_with: Job | None) -> Job:
    is_own = entry.run_id == cfg.expected_run_id
    job = prepare_job(_resolve(cfg) if is_own else _compose(entry.overrides), share_with)
    if share_with is not None and pack_key(job.plain) != pack_key(share_with.plain):
        pair = f"runs {entry.run_id} and {share_with.folder.run_id}"
        message = f"{pair} cannot share a pack: their networks, losses or batches differ"
        fix = "launch the sweep again: it puts runs that fit together into packs"
        raise UserError(message, fix=fix)
    return replace(_check_run_id(job, entry.run_id), overrides=entry.overrides)


def _check_run_id(job: Job, expected_id: str) -> Job:
    if job.folder.run_id != expected_id:
        made = f"this machine would make run {job.folder.run_id} where {expected_id} was planned"
        fix = "plan and run on the same data and kind of device: see the plan's overrides"
        raise UserError(made, fix=fix)
    return job


def _compose(overrides: Sequence[str]) -> DictConfig:
    """Return the resolved config that a launcher would compose, or raise a UserError."""
    own_config = cast(DictConfig, HydraConfig.instance().cfg)  # Hydra declares only its schema
    loader = GlobalHydra.instance().config_loader()
    with as_user_error("config"):
        composed = loader.load_sweep_config(own_config, list(overrides))
        HydraConfig.instance().set_config(composed)
        try:
            cfg = composed.copy()
            with open_dict(cfg):
                del cfg["hydra"]
            return _resolve(cfg)
        finally:
            HydraConfig.instance().set_config(own_config)


def _resolve(cfg: DictConfig) -> DictConfig:
    """Return the config without what only the run's own `hydra` node can resolve."""
    return OmegaConf.create(validate.to_plain(cfg))
