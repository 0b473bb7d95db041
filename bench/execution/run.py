"""One run carried out, alone or in a pack of its own, and the process as it must be for that."""

import time
from collections.abc import Callable, Iterator, Sequence

from omegaconf import DictConfig

from bench.config.process_settings import process_settings
from bench.core.errors import Interrupted
from bench.core.signals import INTERRUPT
from bench.execution.distributed.launch import train_in_processes
from bench.execution.lifecycle import RunOutcome, run_lifecycle
from bench.execution.packs.pack_runner import PackRunner, RunResult
from bench.execution.queue import PendingRun
from bench.models.base import GenerativeModel
from bench.runs.heartbeat import Heartbeat
from bench.training.fit import train
from bench.training.job import Job
from bench.training.tracker import Tracker


def execute(job: Job, *, share: bool = False) -> RunOutcome:
    """Train and score a run, or as much of it as is not there yet.

    Args:
        share: leave the run to another process that is at work on it; else both do it, which
            does no harm: both write the same files.

    Raises:
        UserError: the config does not build.
        Interrupted: Ctrl-C or a scheduler's signal; the run goes on from here when started again.
    """
    if INTERRUPT.requested:
        raise Interrupted
    with process_settings(job.plain), INTERRUPT.interrupting(immediate=True):
        if job.plain.get("packed"):  # not said by runs that were stored before there were packs
            return _alone_in_a_pack(job, share)
        going = run_lifecycle(job, _alone, share=share)
        while True:
            try:
                next(going)
            except StopIteration as ended:
                return ended.value


def execute_all(
    cfg: DictConfig,
    members: Sequence[PendingRun],
    tell: Callable[[Job, RunOutcome, float], None],
    ended: dict[str, RunResult],
) -> None:
    """What one job of a launcher is to train: a run, or those of a pack; each is left to others.

    Args:
        cfg: of the first.
        tell: is called with each run that could start, how it ended, and after how many seconds.
        ended: takes run_id -> how it ended; what has ended is there also where this raises.

    Raises:
        UserError, Interrupted: as `execute`; of a pack, a member that cannot start has ended.
    """
    if cfg.packed:
        if INTERRUPT.requested:
            raise Interrupted
        with process_settings(cfg), INTERRUPT.interrupting(immediate=True):
            PackRunner(members, cfg.packed, share=True, ended=ended, tell=tell).run()
        return
    (member,) = members
    started = time.monotonic()
    job = member.prepare(None)
    outcome = execute(job, share=True)
    ended[member.run_id] = outcome
    tell(job, outcome, time.monotonic() - started)


def _alone_in_a_pack(job: Job, share: bool) -> RunOutcome:
    member = PendingRun(job.folder.run_id, lambda beside: job)
    (ending,) = PackRunner([member], job.plain["packed"], share=share).run().values()
    if isinstance(ending, Exception):
        raise ending
    return ending


def _alone(
    job: Job, model: GenerativeModel, heartbeat: Heartbeat, tracker: Tracker
) -> Iterator[None]:
    """The whole training at once."""
    (train if job.trainer_settings.devices == 1 else train_in_processes)(
        job, model, heartbeat, tracker
    )
    yield from ()
