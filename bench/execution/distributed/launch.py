"""Train one run in several processes: start them, wait for their reports, end them together.

Each process gets the config as plain data and builds the run from it. Lightning sees one device in
each and knows nothing of the others: its own launchers run the command again, which would break a
sweep's workers, and its wrapper of the model expects one backward pass for each forward.
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
        model: takes the final counts of steps; each process builds a model of its own.
        heartbeat: heartbeat of this process; it does not count the workers' steps.
        tracker: reads what process 0 writes.

    Raises:
        UserError: a batch norm cannot be distributed as configured; or what `train` raises.
        Interrupted: Ctrl-C or SIGTERM, once a checkpoint is written.
        RuntimeError: a process died. An exception in one of them is raised here, too.
    """
    check_batch_norms(job, model)
    heartbeat.phase = f"training in {job.trainer_settings.devices} processes"
    with tempfile.TemporaryDirectory() as folder, INTERRUPT.interrupting(immediate=False):
        pool = WorkerPool(job, Path(folder) / "rendezvous")
        try:
            report = pool.wait_for_report(tracker.sync)
        finally:
            pool.kill()
    model.d_steps, model.g_steps = report.get("d_steps", 0), report.get("g_steps", 0)
    if "error" in report:
        raise report["error"] from RuntimeError(f"in one of the processes:\n{report['traceback']}")
    if report["interrupted"]:
        INTERRUPT.acknowledge()
        raise Interrupted


def check_batch_norms(job: Job, model: GenerativeModel) -> None:
    """Refuse, with a UserError, batch norms that would not do what `trainer.batch_norm` says."""
    settings = job.trainer_settings
    samples_each = job.plain["batch_size"] // settings.devices
    torch_norm = any(isinstance(m, torch.nn.modules.batchnorm._BatchNorm) for m in model.modules())
    if settings.batch_norm == "synchronised" and torch_norm:
        why = "a network has torch's own batch norm, which is not synchronised between processes"
        fix = "use bench.networks.layers.BatchNorm, or set trainer.batch_norm=per_process"
        raise UserError(f"trainer.batch_norm=synchronised, but {why}", fix=fix)
    normalised = torch_norm or any(isinstance(m, BatchNorm) for m in model.modules())
    if settings.batch_norm == "per_process" and normalised and samples_each < 2:
        why = "each process has one sample of a batch, which cannot be normalised by itself"
        fix = "raise batch_size, or set trainer.batch_norm=synchronised"
        raise UserError(f"trainer.batch_norm=per_process, but {why}", fix=fix)
