"""What becomes of one run, from what is there already to its row: alone, or as one of a pack.

A life is a generator: it yields where somebody else is to make the next step of the training, which
happens in a pack alone, and returns how the run ended.
"""

import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.config import build
from bench.core.errors import UserError
from bench.core.files import DiskError
from bench.core.signals import INTERRUPT
from bench.evaluation.real_baselines import baselines_missing, score_baselines
from bench.evaluation.score_run import find_row, score_checkpoints, write_failed_row
from bench.models.base import GenerativeModel
from bench.runs.folder import SETTLED
from bench.runs.heartbeat import Heartbeat, active_elsewhere, file_clock
from bench.runs.rows import Row
from bench.tracking.choose import choose_tracker
from bench.training.finish import TimeLimit, step_counts
from bench.training.fit import write_run_metadata
from bench.training.job import Job
from bench.training.tracker import Tracker

Training = Callable[[Job, GenerativeModel, Heartbeat, Tracker], Iterator[None]]


@dataclass(frozen=True)
class RunOutcome:
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


def run_lifecycle(
    job: Job, training: Training, *, share: bool
) -> Generator[None, None, RunOutcome]:
    """Train and score a run, or as much of it as is not there yet.

    Args:
        training: trains the model, and yields before each step that it does not make itself.
        share: leave the run to another process that is at work on it.

    Raises:
        UserError: the config does not build.
        Interrupted: Ctrl-C or a scheduler's signal; the run goes on from here when started again.
    """
    folder = job.folder
    status = folder.status()
    skipped = status is not None and status["status"] in SETTLED
    if share and active_elsewhere(folder.heartbeat, file_clock(folder.root)) is not None:
        return RunOutcome(folder.run_id, "elsewhere", True, None, "", folder.path)
    done = skipped and find_row(folder, job.evaluator) is not None
    tracker = Tracker() if done else choose_tracker(job)
    model = None if skipped else build.build_model(job.cfg)
    if model is not None:
        write_run_metadata(job)
    with tracker.track(job):
        cause = yield from _carry_out(job, model, training, tracker)
    if cause:
        return RunOutcome(folder.run_id, "failed", skipped, None, cause, folder.path)
    return _outcome(job, skipped=skipped)


def _carry_out(
    job: Job, model: GenerativeModel | None, training: Training, tracker: Tracker
) -> Generator[None, None, str]:
    """Train, unless that is done, and score; the cause where it failed, else empty."""
    cause = ""
    with Heartbeat(job.folder.heartbeat, job.plain["d_steps"]).running() as heartbeat:
        try:
            if model is not None:
                yield from training(job, model, heartbeat, tracker)
            heartbeat.phase = "scoring"
            with INTERRUPT.interrupting(immediate=True):
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
        job.folder.write_status("failed", cause, **step_counts(job, model))
        if in_row:
            write_failed_row(job.folder, job.plain, job.evaluator)


def _outcome(job: Job, *, skipped: bool) -> RunOutcome:
    status = job.folder.status() or {}
    row = find_row(job.folder, job.evaluator)
    return RunOutcome(
        job.folder.run_id, status["status"], skipped, row, status["cause"], job.folder.path
    )


def _score(job: Job) -> None:
    """The run's rows, and once for its data and protocol those of real samples."""
    row = score_checkpoints(job.folder, job.plain, job.evaluator)
    if baselines_missing(job.folder.root, row, job.evaluator):
        score_baselines(job.folder.root, job.plain, job.evaluator, row)
    (job.folder.path / "error.txt").unlink(missing_ok=True)
