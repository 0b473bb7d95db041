"""Train as one process of several: build the run from its config, train, report how it ended.

Process 0 writes all files of the run; the others only compute.
"""

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
from bench.training.job import Job, prepare_job
from bench.training.rank_monitor import STOP_REQUESTED, RankMonitor


def run_worker(
    rank: int, size: int, plain: Mapping[str, Any], run_id: str, rendezvous: Path, pipe: Connection
) -> None:
    """Train as process `rank` of `size`, and send a report of how it ended.

    Args:
        plain: the run's checked config.
        rendezvous: file by which the processes find each other, see `bench.core.distributed.init`.
        pipe: brings the request to stop, and takes the report; it closes when the parent dies.
    """
    threading.Thread(target=_watch_for_stop, args=(pipe,), daemon=True).start()
    model: GenerativeModel | None = None
    report: dict[str, Any] = {"interrupted": False}
    try:
        job = _prepare_worker_job(rank, plain, run_id)
        distributed.init(rank, size, rendezvous, cuda=job.trainer_settings.device.type == "cuda")
        with process_settings(job.plain):
            model = build.build_model(job.cfg, job.splits["train"])
            if job.trainer_settings.batch_norm == "synchronised":
                synchronise(model)
            # never started: the parent process lets the run's heartbeat beat
            heartbeat = Heartbeat(job.folder.heartbeat, job.plain["d_steps"])
            (train if rank == 0 else train_as_worker)(job, model, heartbeat)
    except Interrupted:
        report["interrupted"] = True
    except BaseException as error:
        report |= {"error": _make_picklable(error), "traceback": traceback.format_exc()}
    if model is not None:
        report |= {"d_steps": model.d_steps, "g_steps": model.g_steps}
    pipe.send({**report, "at": time.monotonic()})
    if "error" in report:
        os._exit(0)  # the report is sent; a broken process group could block an orderly exit


def train_as_worker(job: Job, model: GenerativeModel, heartbeat: Heartbeat) -> None:
    """Train and write nothing: process 0 does that for all. Raises Interrupted, as `train` does."""
    settings, folder = job.trainer_settings, job.folder
    monitor = RankMonitor(
        folder.history,
        Checkpoints(folder.checkpoints, settings.keep_checkpoints),
        DigestLog(folder.digests, 0),  # a budget of 0 has no steps to digest
        heartbeat,
        CheckpointSelector(folder, job.evaluator),
        log_every=job.plain["log_every"],
    )
    fit(job, model, monitor)
    if monitor.interrupted:
        raise Interrupted


def _prepare_worker_job(rank: int, plain: Mapping[str, Any], run_id: str) -> Job:
    """Return the run's job with the one device that this process sees, under the run's own id."""
    worker_config = {**plain, "trainer": {**plain["trainer"], "devices": 1}}
    if rank > 0:
        worker_config["logger"] = {}
    job = prepare_job(OmegaConf.create(worker_config))
    return replace(job, plain=dict(plain), folder=RunFolder(job.folder.root, run_id))


def _watch_for_stop(pipe: Connection) -> None:
    try:
        while pipe.recv() == "stop":
            STOP_REQUESTED.set()
    except (EOFError, OSError):
        os._exit(1)  # the parent is dead: nobody waits for a report


def _make_picklable(error: BaseException) -> BaseException:
    """Return the error, or a RuntimeError with its message if it does not survive pickling."""
    try:
        return pickle.loads(pickle.dumps(error))
    except Exception:  # whatever the exception's own class raises while it is rebuilt
        return RuntimeError(f"{type(error).__name__}: {error}")
