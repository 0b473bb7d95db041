"""Take one run from what is on disk to its row: skip, resume or train, score, record failures.

A lifecycle is a generator, so that a pack can interleave several: it yields where the pack is to
make the next training step, and returns how the run ended. Without a pack it never yields.
"""

import copy
import logging
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress

import torch

from bench.config import build
from bench.core.contracts import ContractError
from bench.core.errors import UserError
from bench.core.files import DiskError
from bench.core.seeds import preserved_global_states
from bench.core.signals import INTERRUPT
from bench.core.verbose import print_traceback
from bench.data.batches import pick, training_data
from bench.evaluation.real_baselines import baselines_missing, score_baselines, write_picture
from bench.evaluation.score_run import StoredRun, find_row, score_checkpoints, write_failed_row
from bench.execution.skip import RunOutcome
from bench.models.base import GenerativeModel, usable_data
from bench.runs.foreign_code import foreign_code
from bench.runs.heartbeat import Heartbeat, active_elsewhere, file_clock, remove_partial_files
from bench.runs.rows import Row, write_row
from bench.tracking.choose import choose_tracker
from bench.training.finish import TimeLimit, delete_unneeded_files, step_counts
from bench.training.fit import write_run_metadata
from bench.training.job import Job
from bench.training.tracker import Tracker

LOG = logging.getLogger(__name__)
TRIED_SAMPLES = 4
TrainRun = Callable[[Job, GenerativeModel, Heartbeat, Tracker], Iterator[None]]


def run_lifecycle(
    job: Job, train_run: TrainRun, *, skip_if_active: bool
) -> Generator[None, None, RunOutcome]:
    """Train and score a run, as far as it is not done already.

    Args:
        train_run: trains the model, and yields before each step that it does not make itself.
        skip_if_active: leave the run to another process that is working on it.

    Raises:
        UserError: the config does not build.
        Interrupted: Ctrl-C or a scheduler's signal; started again, the run continues from there.
    """
    folder, stored = job.folder, StoredRun(job.folder, job.plain)
    skipped = stored.completed
    if skip_if_active and active_elsewhere(folder.heartbeat, file_clock(folder.root)) is not None:
        return RunOutcome(folder.run_id, "running_elsewhere", True, None, "", folder.path)
    scored = skipped and find_row(stored, job.evaluator) is not None
    if skipped:
        remove_partial_files(folder.path)
        if not folder.row_files("final-"):  # it was killed between its end and its first scores
            delete_unneeded_files(job)
    tracker = Tracker() if scored else choose_tracker(job)
    LOG.debug("%s is trained: %s, scored: %s", job.label, skipped, scored)
    model = None if skipped else _build_model(job)
    if model is not None:
        write_run_metadata(job, model)
        stored = StoredRun(folder, job.plain)  # to be read after training, which changes it
    with tracker.track(job):
        cause = yield from _train_and_score(job, stored, model, train_run, tracker)
    if cause:
        trained = StoredRun(folder, job.plain).completed
        return RunOutcome(folder.run_id, "failed", skipped, None, cause, folder.path, trained)
    status, row = stored.status, find_row(stored, job.evaluator)
    return RunOutcome(folder.run_id, status["status"], skipped, row, status["cause"], folder.path)


def _build_model(job: Job) -> GenerativeModel:
    """Build the model; whatever its networks raise, of the suite or not, is a UserError."""
    try:
        model = build.build_model(job.cfg, job.splits["train"])
        job.evaluator.for_samples(conditional=model.conditional)  # refuses now what it would later
        if foreign_code(job.plain["model"]):
            _check_parts(job, model)
        return model
    except ContractError as error:
        raise UserError(f"{job.label}: {error}") from error
    except UserError:
        raise
    except Exception as error:
        at = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise UserError(
            f"{job.label}: the model cannot be built: {reason} ({at.filename}, line {at.lineno})",
            fix="correct the model's or the network's settings, or that code",
        ) from error


def _check_parts(job: Job, model: GenerativeModel) -> None:
    """Try a model with parts from outside the package on a few samples, before its first step.

    An error that such a part raises is left to the first step, which keeps its traceback.
    """
    data = usable_data(training_data(job.splits["train"]), model)
    real = pick(data, torch.arange(min(TRIED_SAMPLES, len(data.samples))))
    try:
        with preserved_global_states():
            copy.deepcopy(model).check_parts(real)
    except ContractError:
        raise
    except Exception:
        return


def _train_and_score(
    job: Job,
    stored: StoredRun,
    model: GenerativeModel | None,
    train_run: TrainRun,
    tracker: Tracker,
) -> Generator[None, None, str]:
    """Train the model if there is one, then score; return the cause of a failure, else empty."""
    cause = ""
    try:
        with Heartbeat(job.folder.heartbeat, job.plain["d_steps"]).running() as heartbeat:
            if model is not None:
                yield from train_run(job, model, heartbeat, tracker)
            heartbeat.phase = "scoring"
            LOG.debug("scoring %s", job.label)
            with INTERRUPT.interrupting(immediate=True):
                row = _score(job, stored)
        if find_row(stored, job.evaluator) is None:
            write_row(job.folder.root, row)  # the last of all files: with it the run is complete
    except (DiskError, TimeLimit) as error:
        cause = error.message
        _record_failure(job, model, cause, write_row=isinstance(error, TimeLimit))
    except (UserError, KeyboardInterrupt):
        raise
    except Exception as error:
        cause = f"{type(error).__name__}: {' '.join(str(error).split())}"
        print_traceback(error)
        with suppress(DiskError):
            job.folder.write_error(traceback.format_exc())
        _record_failure(job, model, cause)
    tracker.fail(cause)
    return cause


def _score(job: Job, stored: StoredRun) -> Row:
    """Write the rows of all but the final checkpoint, and those of real samples once a protocol.

    Returns:
        The row of the final checkpoint.
    """
    row = score_checkpoints(stored, job.evaluator)
    if baselines_missing(job.folder.root, row, job.evaluator):
        score_baselines(job.folder.root, job.plain, job.evaluator, row)
    write_picture(job.folder.root, row, job.evaluator)
    (job.folder.path / "error.txt").unlink(missing_ok=True)
    return row


def _record_failure(
    job: Job, model: GenerativeModel | None, cause: str, *, write_row: bool = False
) -> None:
    """Write status "failed", unless the run is trained: then the next launch only scores it."""
    stored = StoredRun(job.folder, job.plain)  # read now: training may have ended before
    if stored.completed:
        return
    with suppress(DiskError):  # the caller reports the cause in any case
        stored.replace_status("failed", cause, **step_counts(job, model))
        if write_row:
            write_failed_row(stored, job.evaluator)
