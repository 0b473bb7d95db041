"""The life of one run: trained, scored, or found to be there already."""

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from bench import build
from bench.errors import Interrupted, UserError
from bench.files import DiskError
from bench.models.base import GenerativeModel
from bench.running.ending import TimeLimit, counts
from bench.running.floors import floors_are_missing, score_floors
from bench.running.job import Job
from bench.running.processes import train_together
from bench.running.scored import score_checkpoints, scored, write_failure
from bench.running.tracking import Tracker, tracker_of
from bench.running.training import begin, train
from bench.runs.folder import SETTLED
from bench.runs.pulse import Pulse, file_clock, others_pulse
from bench.runs.rows import Row
from bench.stopping import STOP


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Args:
        run_id: of the run.
        status: "finished", "diverged" or "failed"; "elsewhere" where another process is at it.
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


def execute(job: Job, *, share: bool = False) -> Outcome:
    """Train and score a run, or as much of it as is not there yet.

    Args:
        share: leave the run to another process that is at work on it; else both do it, which
            does no harm: both write the same files.

    Raises:
        UserError: the config does not build.
        Interrupted: Ctrl-C or a scheduler's signal; the run goes on from here when started again.
    """
    if STOP.asked:
        raise Interrupted
    folder = job.folder
    status = folder.status()
    skipped = status is not None and status["status"] in SETTLED
    if share and others_pulse(folder.pulse, file_clock(folder.root)) is not None:
        return Outcome(folder.run_id, "elsewhere", True, None, "", folder.path)
    done = skipped and scored(folder, job.judge) is not None
    tracker = Tracker() if done else tracker_of(job)
    with settings(job.plain), STOP.interrupting(at_once=True):
        model = None if skipped else build.build_model(job.cfg)
        if model is not None:
            begin(job)
        with tracker.following(job):
            cause = _carry_out(job, model, tracker)
    if cause:
        return Outcome(folder.run_id, "failed", skipped, None, cause, folder.path)
    return _outcome(job, skipped=skipped)


def _carry_out(job: Job, model: GenerativeModel | None, tracker: Tracker) -> str:
    """Train, unless that is done, and score; the cause where it failed, else empty."""
    cause = ""
    with Pulse(job.folder.pulse, job.plain["d_steps"]).beating() as pulse:
        try:
            if model is not None:
                (train if job.conduct.devices == 1 else train_together)(job, model, pulse, tracker)
            pulse.phase = "scoring"
            _score(job)
        except (DiskError, TimeLimit) as error:
            cause = error.message
            _fail(job, model, cause, in_row=isinstance(error, TimeLimit))
        except (UserError, KeyboardInterrupt):
            raise
        except Exception as error:
            cause = f"{type(error).__name__}: {' '.join(str(error).split())}"
            with suppress(DiskError):
                job.folder.write_error(traceback.format_exc())
            _fail(job, model, cause)
    tracker.fail(cause)
    return cause


def _fail(job: Job, model: GenerativeModel | None, cause: str, *, in_row: bool = False) -> None:
    """Say so in the run's status, but where it is trained already: the next launch scores it."""
    status = job.folder.status() or {}
    if status.get("status") in SETTLED:
        return
    with suppress(DiskError):  # the cause is told all the same
        job.folder.write_status("failed", cause, **counts(job, model))
        if in_row:
            write_failure(job.folder, job.plain, job.judge)


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
