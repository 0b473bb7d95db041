"""Training one run with Lightning, and what is kept of it."""

import logging
import math
import warnings
from contextlib import suppress
from pathlib import Path

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments import LightningEnvironment
from omegaconf import OmegaConf
from pytorch_lightning.loggers import Logger

from bench.config import build
from bench.core import distributed
from bench.core.files import write_json, write_text, writer
from bench.core.signals import INTERRUPT
from bench.data.batches import Batches
from bench.evaluation.checkpoint_selection import CheckpointSelector
from bench.models.base import GenerativeModel
from bench.runs.environment import environment
from bench.runs.folder import RunFolder
from bench.runs.heartbeat import Heartbeat, exists, file_clock
from bench.training.checkpoints import Checkpoints
from bench.training.digests import DigestLog
from bench.training.finish import save_results
from bench.training.job import Job
from bench.training.monitor import Monitor
from bench.training.rank_monitor import RankMonitor
from bench.training.sample_pictures import SamplePlotter
from bench.training.tracker import Tracker

NOT_THE_RUNS = ("runs_root", "sweep_name", "expected_run_id", "pack", "pack_members")
HALF_WRITTEN_SECONDS = 3600  # no file takes longer to write


def write_run_metadata(job: Job) -> None:
    """Leave what a run is before it trains.

    Raises:
        DiskError: the folder cannot be written.
    """
    folder, plain = job.folder, job.plain
    kept = {k: v for k, v in plain.items() if k not in NOT_THE_RUNS}
    write_text(folder.config, OmegaConf.to_yaml(OmegaConf.create(kept), sort_keys=True))
    write_json(
        folder.path / "environment.json",
        environment(plain["threads"], _device_name(job.trainer_settings.device)),
    )
    remove_partial_files(folder)
    write_json(folder.data, job.evaluator.reals.facts)
    write_json(folder.path / "overrides.json", list(job.overrides))
    folder.write_status("running")


def build_callbacks(
    job: Job, heartbeat: Heartbeat, tracker: Tracker, kind: type[Monitor], *, progress: bool
) -> tuple[Monitor, SamplePlotter]:
    """Who watches a run while it trains, and who draws its samples."""
    folder, plain, how = job.folder, job.plain, job.trainer_settings
    painter = SamplePlotter(
        folder.samples, job.splits["train"].samples[:1000], seed=0, label=job.label
    )
    monitor = kind(
        folder.history,
        Checkpoints(folder.checkpoints, how.keep_checkpoints),
        DigestLog(folder.chain, plain["d_steps"]),
        heartbeat,
        log_every=plain["log_every"],
        checkpoint_every=how.checkpoint_every,
        checkpoint_seconds=how.checkpoint_seconds,
        limit_seconds=None if how.limit_minutes is None else 60 * how.limit_minutes,
        progress=progress,
        label=job.label,
        draw=painter,
        drawing_steps=drawing_steps(plain["d_steps"], how.pictures),
        selector=CheckpointSelector(folder, job.evaluator),
        select_every=job.evaluator.settings.every,
        tracker=tracker,
    )
    return monitor, painter


def train(
    job: Job, model: GenerativeModel, heartbeat: Heartbeat, tracker: Tracker | None = None
) -> None:
    """Train, and keep what outlives the training.

    Args:
        pulse: is told how far the training is.
        tracker: is told to look at the history now and then.

    Raises:
        DiskError: the disk does not take the files.
        TimeLimit: `trainer.limit_minutes` are over; the last checkpoint is kept.
        Interrupted: Ctrl-C or a scheduler's signal, once a checkpoint is written.
    """
    reset_peaks()
    kind = Monitor if distributed.world_size() == 1 else RankMonitor
    monitor, painter = build_callbacks(
        job, heartbeat, tracker or Tracker(), kind, progress=job.trainer_settings.progress
    )
    with INTERRUPT.interrupting(immediate=False):
        fit(job, model, monitor)
        save_results(job, model, monitor, painter)


def drawing_steps(d_steps: int, pictures: int) -> frozenset[int]:
    """Steps after which samples are drawn: evenly spread, the last one at the end."""
    return frozenset(math.ceil(d_steps * n / pictures) for n in range(1, pictures + 1))


def fit(job: Job, model: GenerativeModel, monitor: Monitor) -> None:
    """Lightning's loop, with nothing on its step that is not ours."""
    how, folder = job.trainer_settings, job.folder
    model.fit_to_data(job.splits["train"])
    data = Batches(
        job.splits["train"].samples,
        batch_size=job.plain["batch_size"],
        seed=job.plain["seed"],
        d_steps=job.plain["d_steps"],
        on_device=how.data == "device",
        workers=how.workers,
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
            accelerator={"cuda": "gpu"}.get(how.device.type, how.device.type),
            devices=1,
            plugins=[LightningEnvironment()],  # under Slurm, too: whom to ask and requeue is STOP's
            callbacks=[monitor],
            logger=lightning_loggers(job) or False,
            log_every_n_steps=1,  # we log ourselves; a larger one only makes Lightning warn
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=folder.path,
        )
        resume = monitor.checkpoints.newest()
        try:
            trainer.fit(model, datamodule=data, ckpt_path=resume, weights_only=True)
        except SystemExit as error:  # Lightning's answer to a KeyboardInterrupt and to SIGTERM
            if not monitor.interrupted:  # else the checkpoint is written: the end is ours
                raise KeyboardInterrupt from error
        finally:
            monitor.close()


def lightning_loggers(job: Job) -> list[Logger]:
    """Those of the config that Lightning knows; a tracker follows the run as a whole."""
    found = build.build_loggers(job.cfg, job.folder.path)
    return [one for one in found if isinstance(one, Logger)]


def remove_partial_files(folder: RunFolder) -> None:
    """Forget what a killed process had half written; another that is at work may be writing now."""
    now, here = file_clock(folder.path), writer().rpartition("-")[0]
    for left in folder.path.rglob(".*.part"):
        host, _, process = left.name.split(".")[-2].rpartition("-")[0].rpartition("-")
        dead = host == here and process.isdigit() and not exists(int(process))
        with suppress(OSError):
            if dead or now - left.stat().st_mtime > HALF_WRITTEN_SECONDS:
                left.unlink()


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name() if device.type == "cuda" else device.type


def reset_peaks() -> None:
    """Begin to measure peak memory anew: one process may carry out many runs."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    with suppress(OSError):  # Linux: makes VmHWM the present size
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
