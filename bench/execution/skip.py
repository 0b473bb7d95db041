"""Answer for a run that is trained and scored, before anything that trains is imported."""

from dataclasses import dataclass
from pathlib import Path

from bench.core.errors import Interrupted
from bench.core.signals import INTERRUPT
from bench.evaluation.real_baselines import baselines_missing, write_picture
from bench.evaluation.score_run import StoredRun, find_row
from bench.runs.folder import RAW
from bench.runs.rows import Row
from bench.training.job import Job


@dataclass(frozen=True)
class RunOutcome:
    """Describe how a run ended.

    Args:
        status: "finished", "diverged" or "failed"; "running_elsewhere" while another process
            trains or scores it.
        skipped: it was trained before, or is left to another process.
        row: row of its final checkpoint under the config's protocol, if any.
        cause: one sentence where it did not finish.
        unscored: it is trained, and failed while it was scored.
    """

    run_id: str
    status: str
    skipped: bool
    row: Row | None
    cause: str
    folder: Path
    unscored: bool = False


def find_outcome(job: Job) -> RunOutcome | None:
    """Return the outcome of a run of which nothing is left to do; else None, and `execute` does it.

    Where checkpoints may lack rows, or a process was killed in the folder, that is for `execute`.

    Raises:
        Interrupted: Ctrl-C or a scheduler's signal.
    """
    if INTERRUPT.requested:
        raise Interrupted
    folder, stored, settings = job.folder, StoredRun(job.folder, job.plain), job.evaluator.settings
    if not stored.completed or settings.every is not None:
        return None
    if (row := find_row(stored, job.evaluator)) is None:
        return None
    if settings.raw and folder.generator_file(RAW).is_file() and row.status == "finished":
        return None
    left = (folder.path / "error.txt").exists() or any(folder.path.rglob(".*.part"))
    if left or baselines_missing(folder.root, row, job.evaluator):
        return None
    write_picture(folder.root, row, job.evaluator)
    status = stored.status
    return RunOutcome(folder.run_id, status["status"], True, row, status["cause"], folder.path)
