"""Train one run with Lightning: the training loop (`fit`) and everything around it (`train`).

The steps themselves are the model's `training_step`; `monitor.py` acts between steps, and
`finish.py` writes the results. `write_run_metadata` describes the run on disk before it trains.
"""

import logging
import math
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf

from bench.config import build
from bench.core import distributed
from bench.core.files import write_json, write_text
from bench.core.seeds import preserved_global_states
from bench.core.signals import INTERRUPT
from bench.data.batches import Batches, with_mirrored
from bench.data.lightning import LightningEnvironment, pl
from bench.evaluation.checkpoint_selection import CheckpointSelector
from bench.models.base import GenerativeModel
from bench.runs.heartbeat import Heartbeat, remove_partial_files
from bench.training.checkpoints import Checkpoints
from bench.training.digests import DigestLog
from bench.training.finish import save_results
from bench.training.job import Job
from bench.training.monitor import Monitor
from bench.training.rank_monitor import RankMonitor
from bench.training.sample_pictures import SamplePlotter
from bench.training.tracker import Tracker

# Keys that say where and by which sweep a run is made; its stored config leaves them out.
NOT_STORED = ("runs_root", "sweep_name", "expected_run_id", "force", "pack", "pack_members")


def write_run_metadata(job: Job, model: GenerativeModel) -> None:
    """Write config, provenance and status "running" of a run.

    Raises:
        DiskError: the folder cannot be written.
    """
    folder, plain = job.folder, job.plain
    stored = {k: v for k, v in plain.items() if k not in NOT_STORED}
    write_text(folder.config, OmegaConf.to_yaml(OmegaConf.create(stored), sort_keys=True))
    device = job.trainer_settings.device
    name = torch.cuda.get_device_name() if device.type == "cuda" else device.type
    provenance: dict[str, Any] = {
        "overrides": list(job.overrides),
        "environment": job.describe_environment(name),
        "data": job.evaluator.real_features.split_digests,
    }
    if model.class_counts is not None:
        provenance["class_counts"] = model.class_counts
    write_json(folder.provenance, provenance)
    remove_partial_files(folder.path)
    folder.write_status("running")


def build_callbacks(
    job: Job, heartbeat: Heartbeat, tracker: Tracker, kind: type[Monitor], *, progress: bool
) -> tuple[Monitor, SamplePlotter]:
    """Return a monitor of the given kind, and the plotter of samples that it calls."""
    folder, plain, settings = job.folder, job.plain, job.trainer_settings
    real = job.splits["train"].samples[:1000]
    plotter = SamplePlotter(folder.samples, real, seed=0, label=job.label)
    monitor = kind(
        folder.history,
        Checkpoints(folder.checkpoints, settings.keep_checkpoints),
        DigestLog(folder.digests, plain["d_steps"]),
        heartbeat,
        CheckpointSelector(folder, job.evaluator),
        log_every=plain["log_every"],
        checkpoint_every=settings.checkpoint_every,
        checkpoint_seconds=settings.checkpoint_seconds,
        limit_seconds=None if settings.limit_minutes is None else 60 * settings.limit_minutes,
        progress=progress,
        label=job.label,
        save_samples=plotter,
        picture_steps=picture_steps(plain["d_steps"], settings.pictures),
        select_every=job.evaluator.settings.every,
        tracker=tracker,
    )
    return monitor, plotter


def train(
    job: Job, model: GenerativeModel, heartbeat: Heartbeat, tracker: Tracker | None = None
) -> None:
    """Train a run and write its results.

    Raises:
        DiskError: the disk does not take the files.
        TimeLimit: `trainer.limit_minutes` are over; the last checkpoint is kept.
        Interrupted: Ctrl-C or a scheduler's signal, once a checkpoint is written.
    """
    reset_peak_memory()
    kind = Monitor if distributed.world_size() == 1 else RankMonitor
    shown, tracker = job.trainer_settings.progress, tracker or Tracker()
    monitor, plotter = build_callbacks(job, heartbeat, tracker, kind, progress=shown)
    with INTERRUPT.interrupting(immediate=False):
        fit(job, model, monitor)
        save_results(job, model, monitor, plotter)


def picture_steps(d_steps: int, pictures: int) -> frozenset[int]:
    """Return the steps after which samples are plotted: evenly spread, the last one at the end."""
    return frozenset(math.ceil(d_steps * n / pictures) for n in range(1, pictures + 1))


def fit(job: Job, model: GenerativeModel, monitor: Monitor) -> None:
    """Run Lightning's loop from the newest checkpoint on, with the monitor as its only callback."""
    settings, folder = job.trainer_settings, job.folder
    data = Batches(
        with_mirrored(job.splits["train"], job.plain.get("flips", False)),
        batch_size=job.plain["batch_size"],
        seed=job.plain["seed"],
        d_steps=job.plain["d_steps"],
        on_device=settings.data == "device",
        workers=settings.workers,
    )
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*GPU available but not used.*")
        warnings.filterwarnings("ignore", message=".*LeafSpec.*")  # Lightning on a newer torch
        warnings.filterwarnings("ignore", message=".*`srun` command is available.*")
        trainer = pl.Trainer(
            max_epochs=1,
            limit_train_batches=job.plain["d_steps"],
            accelerator={"cuda": "gpu"}.get(settings.device.type, settings.device.type),
            devices=1,
            # also under Slurm, where Lightning's own would answer signals and requeue the job
            plugins=[LightningEnvironment()],
            callbacks=[monitor],
            logger=build_lightning_loggers(job) or False,
            log_every_n_steps=1,  # the monitor logs; a larger one only makes Lightning warn
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=folder.path,
        )
        resume = monitor.checkpoints.find_newest()
        try:
            with preserved_global_states():
                trainer.fit(model, datamodule=data, ckpt_path=resume, weights_only=True)
        except SystemExit as error:  # Lightning's answer to a KeyboardInterrupt and to SIGTERM
            if not monitor.interrupted:  # else the checkpoint is written: `save_results` goes on
                raise KeyboardInterrupt from error
        finally:
            monitor.close()


def build_lightning_loggers(job: Job) -> list[pl.loggers.Logger]:
    """Build the config's Lightning loggers; `choose_tracker` builds a `Tracker`, such as W&B."""
    loggers = build.build_loggers(job.cfg, job.folder.path)
    return [logger for logger in loggers if isinstance(logger, pl.loggers.Logger)]


def reset_peak_memory() -> None:
    """Restart the measurement of peak memory: one process may carry out many runs."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    with suppress(OSError):  # Linux: makes VmHWM the present size
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
