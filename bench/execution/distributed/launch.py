"""One run in several processes: started, listened to, ended together.

Each process is told the config as plain data and makes the run anew from it. Lightning sees one
device in each and knows nothing of the others: its own launchers run the command again, which would
break a sweep's workers, and its wrapper of the model expects one backward pass for each forward.
"""

import tempfile
from pathlib import Path

import torch

from bench.core.errors import Interrupted, UserError
from bench.core.signals import INTERRUPT
from bench.execution.distributed.worker_pool import WorkerPool
from bench.models.base import GenerativeModel
from bench.networks.layers import BatchNorm
from bench.runs.heartbeat import Heartbeat
from bench.training.job import Job
from bench.training.tracker import Tracker


def train_in_processes(
    job: Job, model: GenerativeModel, heartbeat: Heartbeat, tracker: Tracker
) -> None:
    """Train a run in `trainer.devices` processes, as `bench.training.fit.train` does in one.

    Args:
        model: each process builds its own; this one takes the counts of steps.
        pulse: of this process; it does not hear how far the others are.
        tracker: reads what process 0 writes.

    Raises:
        UserError: a network cannot be trained so; or what `train` raises.
        Interrupted: Ctrl-C or SIGTERM, once a checkpoint is written.
        RuntimeError: a process died. What one raised is raised here, too.
    """
    check_networks(job, model)
    heartbeat.phase = f"training in {job.trainer_settings.devices} processes"
    with tempfile.TemporaryDirectory() as folder, INTERRUPT.interrupting(immediate=False):
        team = WorkerPool(job, Path(folder) / "meeting")
        try:
            said = team.listen(tracker.sync)
        finally:
            team.end()
    model.d_steps, model.g_steps = said.get("d_steps", 0), said.get("g_steps", 0)
    if "error" in said:
        raise said["error"] from RuntimeError(f"in one of the processes:\n{said['traceback']}")
    if said["interrupted"]:
        INTERRUPT.acknowledge()
        raise Interrupted


def check_networks(job: Job, model: GenerativeModel) -> None:
    """Refuse batch norms that would not do what the config says.

    Raises:
        UserError: torch's own would be left unsynchronised, or a single sample be normalised.
    """
    how, share = job.trainer_settings, job.plain["batch_size"] // job.trainer_settings.devices
    foreign = any(isinstance(m, torch.nn.modules.batchnorm._BatchNorm) for m in model.modules())
    if how.batch_norm == "synchronised" and foreign:
        raise UserError(
            "trainer.batch_norm=synchronised: a network has torch's own batch norm, which is not",
            fix="use bench.networks.layers.BatchNorm, or set trainer.batch_norm=per_process",
        )
    normed = foreign or any(isinstance(m, BatchNorm) for m in model.modules())
    if how.batch_norm == "per_process" and normed and share < 2:
        raise UserError(
            "trainer.batch_norm=per_process: a share of one sample would be normalised by itself",
            fix="raise batch_size, or set trainer.batch_norm=synchronised",
        )
