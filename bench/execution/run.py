"""Carry out runs, `execute` one or `execute_all` of a launcher's job: start reading here.

`lifecycle.py` decides what is left to do of a run. It is trained by `bench/training/fit.py` in this
process, by `distributed/launch.py` in several, or by `packs/pack_runner.py` side by side with other
runs, and scored by `bench/evaluation/score_run.py`.
"""

import time
from collections.abc import Callable, Iterator, Sequence

from omegaconf import DictConfig

from bench.config.process_settings import process_settings
from bench.core.errors import Interrupted
from bench.core.signals import INTERRUPT
from bench.execution.distributed.launch import train_in_processes
from bench.execution.lifecycle import run_lifecycle
from bench.execution.packs.pack_runner import PackRunner, RunResult
from bench.execution.queue import PendingRun
from bench.execution.skip import RunOutcome
from bench.models.base import GenerativeModel
from bench.runs.heartbeat import Heartbeat
from bench.training.fit import train
from bench.training.job import Job
from bench.training.tracker import Tracker


def execute(job: Job, *, skip_if_active: bool = False) -> RunOutcome:
    """Train and score a run, as far as it is not done already.

    Args:
        skip_if_active: leave the run to another process that is working on it; otherwise both do,
            which is harmless: they write the same files.

    Raises:
        UserError: the config does not build.
        Interrupted: Ctrl-C or a scheduler's signal; started again, the run continues from there.
    """
    if INTERRUPT.requested:
        raise Interrupted
    with process_settings(job.plain), INTERRUPT.interrupting(immediate=True):
        if job.plain["packed"]:
            return _execute_in_own_pack(job, skip_if_active)
        lifecycle = run_lifecycle(job, _train_to_end, skip_if_active=skip_if_active)
        while True:
            try:
                next(lifecycle)
            except StopIteration as stop:
                return stop.value


def execute_all(
    cfg: DictConfig,
    pending: Sequence[PendingRun],
    on_outcome: Callable[[Job, RunOutcome, float], None],
    results: dict[str, RunResult],
) -> None:
    """Execute the runs of one launcher job, one run or a pack, that no other process works on.

    Args:
        cfg: config of the first run.
        on_outcome: called for each run that could start, with its outcome and seconds taken.
        results: takes run_id -> how it ended, also of the runs that ended before this raises.

    Raises:
        UserError, Interrupted: see `execute`; a run of a pack that cannot start is a result.
    """
    if cfg.packed:
        if INTERRUPT.requested:
            raise Interrupted
        with process_settings(cfg), INTERRUPT.interrupting(immediate=True):
            PackRunner(pending, cfg.packed, True, results, on_outcome).run()
        return
    (run,) = pending
    started_at = time.monotonic()
    job = run.prepare(None)
    outcome = execute(job, skip_if_active=True)
    results[run.run_id] = outcome
    on_outcome(job, outcome, time.monotonic() - started_at)


def _execute_in_own_pack(job: Job, skip_if_active: bool) -> RunOutcome:
    pending = PendingRun(job.folder.run_id, lambda share_with: job)
    runner = PackRunner([pending], job.plain["packed"], skip_if_active)
    (result,) = runner.run().values()
    if isinstance(result, Exception):
        raise result
    return result


def _train_to_end(
    job: Job, model: GenerativeModel, heartbeat: Heartbeat, tracker: Tracker
) -> Iterator[None]:
    """Train without yielding, in one process or in several."""
    train_function = train if job.trainer_settings.devices == 1 else train_in_processes
    train_function(job, model, heartbeat, tracker)
    yield from ()
