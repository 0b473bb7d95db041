"""One process of several: from the run's config as plain data to the end of its training."""

import os
import pickle
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from bench.config import build
from bench.config.process_settings import process_settings
from bench.core import distributed
from bench.core.errors import Interrupted
from bench.evaluation.checkpoint_selection import CheckpointSelector
from bench.models.base import GenerativeModel
from bench.networks.layers import synchronise
from bench.runs.folder import RunFolder
from bench.runs.heartbeat import Heartbeat
from bench.training.checkpoints import Checkpoints
from bench.training.digests import DigestLog
from bench.training.fit import fit, train
from bench.training.job import Job, prepare
from bench.training.rank_monitor import STOP_REQUESTED, RankMonitor
from bench.training.tracker import Tracker


def main(
    rank: int, size: int, plain: Mapping[str, Any], run_id: str, meeting: Path, line: Connection
) -> None:
    """Train as process `rank` of `size`, and say down the line how it ended.

    Args:
        plain: the run's checked config.
        meeting: where the processes find each other, see `bench.core.distributed.init`.
        line: from it comes that the run should stop; nothing more, once who started it is dead.
    """
    threading.Thread(target=_listen, args=(line,), daemon=True).start()
    model: GenerativeModel | None = None
    said: dict[str, Any] = {"interrupted": False}
    try:
        job = _job(rank, plain, run_id)
        distributed.init(rank, size, meeting, cuda=job.trainer_settings.device.type == "cuda")
        with process_settings(job.plain):
            model = build.build_model(job.cfg)
            if job.trainer_settings.batch_norm == "synchronised":
                synchronise(model)
            heartbeat = Heartbeat(
                job.folder.heartbeat, job.plain["d_steps"]
            )  # who started us lets it beat
            (train if rank == 0 else train_as_worker)(job, model, heartbeat)
    except Interrupted:
        said["interrupted"] = True
    except BaseException as error:
        said |= {"error": _portable(error), "traceback": traceback.format_exc()}
    if model is not None:
        said |= {"d_steps": model.d_steps, "g_steps": model.g_steps}
    line.send({**said, "at": time.monotonic()})
    if "error" in said:
        os._exit(0)  # it has spoken; a group that is torn apart may keep it from an orderly end


def train_as_worker(job: Job, model: GenerativeModel, heartbeat: Heartbeat) -> None:
    """Train and keep nothing: process 0 does that for all.

    Raises:
        Interrupted: as `bench.training.fit.train`.
    """
    how, folder = job.trainer_settings, job.folder
    monitor = RankMonitor(
        folder.history,
        Checkpoints(folder.checkpoints, how.keep_checkpoints),
        DigestLog(folder.chain, 0),  # no points
        heartbeat,
        log_every=job.plain["log_every"],
        checkpoint_every=None,
        checkpoint_seconds=None,
        limit_seconds=None,
        progress=False,
        label="",
        draw=lambda model, loggers: None,
        drawing_steps=frozenset(),
        selector=CheckpointSelector(folder, job.evaluator),
        select_every=None,
        tracker=Tracker(),
    )
    fit(job, model, monitor)
    if monitor.interrupted:
        raise Interrupted


def _job(rank: int, plain: Mapping[str, Any], run_id: str) -> Job:
    """The run's job with the one device that this process sees, under the name the run has."""
    own = {**plain, "trainer": {**plain["trainer"], "devices": 1}}
    if rank > 0:
        own["logger"] = {}
    job = prepare(OmegaConf.create(own))
    return replace(job, plain=dict(plain), folder=RunFolder(job.folder.root, run_id))


def _listen(line: Connection) -> None:
    try:
        while line.recv() == "stop":
            STOP_REQUESTED.set()
    except (EOFError, OSError):
        os._exit(1)  # nobody is there to hear how it ends


def _portable(error: BaseException) -> BaseException:
    """The error, or what it says where its kind does not travel."""
    try:
        return pickle.loads(pickle.dumps(error))
    except Exception:  # whatever its kind does when it is made anew
        return RuntimeError(f"{type(error).__name__}: {error}")
