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
from bench.core.signals import STOP
from bench.evaluation.real_baselines import floors_are_missing, score_floors
from bench.evaluation.score_run import score_checkpoints, scored, write_failure
from bench.models.base import GenerativeModel
from bench.runs.folder import SETTLED
from bench.runs.heartbeat import Pulse, file_clock, others_pulse
from bench.runs.rows import Row
from bench.tracking.choose import tracker_of
from bench.training.finish import TimeLimit, counts
from bench.training.fit import begin
from bench.training.job import Job
from bench.training.tracker import Tracker

Training = Callable[[Job, GenerativeModel, Pulse, Tracker], Iterator[None]]


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


def life(job: Job, training: Training, *, share: bool) -> Generator[None, None, Outcome]:
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
    if share and others_pulse(folder.pulse, file_clock(folder.root)) is not None:
        return Outcome(folder.run_id, "elsewhere", True, None, "", folder.path)
    done = skipped and scored(folder, job.judge) is not None
    tracker = Tracker() if done else tracker_of(job)
    model = None if skipped else build.build_model(job.cfg)
    if model is not None:
        begin(job)
    with tracker.following(job):
        cause = yield from _carry_out(job, model, training, tracker)
    if cause:
        return Outcome(folder.run_id, "failed", skipped, None, cause, folder.path)
    return _outcome(job, skipped=skipped)


def _carry_out(
    job: Job, model: GenerativeModel | None, training: Training, tracker: Tracker
) -> Generator[None, None, str]:
    """Train, unless that is done, and score; the cause where it failed, else empty."""
    cause = ""
    with Pulse(job.folder.pulse, job.plain["d_steps"]).beating() as pulse:
        try:
            if model is not None:
                yield from training(job, model, pulse, tracker)
            pulse.phase = "scoring"
            with STOP.interrupting(at_once=True):
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
