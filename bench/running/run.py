"""The life of one run: trained, scored, or found to be there already."""

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from bench import build
from bench.errors import Interrupted, UserError
from bench.running.floors import floors_are_missing, score_floors
from bench.running.job import Job
from bench.running.processes import train_together
from bench.running.scored import score_checkpoints, scored
from bench.running.training import counts, train
from bench.runs.folder import SETTLED
from bench.runs.rows import Row
from bench.stopping import STOP


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Args:
        run_id: of the run.
        status: "finished", "diverged" or "failed".
        skipped: it was there already.
        row: its row under the protocol asked for, if any.
        cause: one sentence where it did not finish.
        folder: of the run.
    """

    run_id: str
    status: str
    skipped: bool
    row: Row | None
    cause: str
    folder: Path


def execute(job: Job) -> Outcome:
    """Train and score a run, or as much of it as is not there yet.

    Raises:
        UserError: the config does not build, or the disk does not take the files.
        Interrupted: Ctrl-C or SIGTERM; the run goes on from here when started again.
    """
    if STOP.asked:
        raise Interrupted
    status = job.folder.status()
    skipped = status is not None and status["status"] in SETTLED
    with settings(job.plain), STOP.interrupting(at_once=True):
        model = None if skipped else build.build_model(job.cfg)
        try:
            if model is not None:
                (train if job.conduct.devices == 1 else train_together)(job, model)
            _score(job)
        except (UserError, KeyboardInterrupt):
            raise
        except Exception as error:
            cause = f"{type(error).__name__}: {' '.join(str(error).split())}"
            job.folder.write_error(traceback.format_exc())
            status = job.folder.status() or {}
            if status.get("status") in SETTLED:  # trained, not scored: the next launch scores it
                return Outcome(job.folder.run_id, "failed", skipped, None, cause, job.folder.path)
            job.folder.write_status("failed", cause, **counts(job, model))
    return _outcome(job, skipped=skipped)


def _outcome(job: Job, *, skipped: bool) -> Outcome:
    status = job.folder.status() or {}
    row = scored(job.folder, job.judge)
    return Outcome(
        job.folder.run_id, status["status"], skipped, row, status["cause"], job.folder.path
    )


def _score(job: Job) -> None:
    """The run's rows, and once for its data and protocol those of real samples."""
    row = score_checkpoints(job.folder, job.plain, job.judge)
    if floors_are_missing(job.folder.root, row, job.judge):
        score_floors(job.folder.root, job.plain, job.judge, row)
    (job.folder.path / "error.txt").unlink(missing_ok=True)


@contextmanager
def settings(plain: dict[str, Any]) -> Iterator[None]:
    """Threads, determinism and float32 products of this process, given back afterwards."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # or cuBLAS is not deterministic
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    tf32 = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    limits = threadpool_limits(plain["threads"])  # numpy's and scikit-learn's, which score
    torch.set_num_threads(plain["threads"])
    torch.use_deterministic_algorithms(True)
    wanted = plain["precision"] == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = wanted
    try:
        yield
    finally:
        limits.restore_original_limits()
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = tf32
