"""One run carried out, alone or in a pack of its own, and the process as it must be for that."""

import time
from collections.abc import Callable, Iterator, Sequence

from omegaconf import DictConfig

from bench.config.process_settings import settings
from bench.core.errors import Interrupted
from bench.core.signals import STOP
from bench.execution.distributed.launch import train_together
from bench.execution.lifecycle import Outcome, life
from bench.execution.packs.pack_runner import Ending, Pack, Queued
from bench.models.base import GenerativeModel
from bench.runs.heartbeat import Pulse
from bench.training.fit import train
from bench.training.job import Job
from bench.training.tracker import Tracker


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
    with settings(job.plain), STOP.interrupting(at_once=True):
        if job.plain.get("packed"):  # not said by runs that were stored before there were packs
            return _alone_in_a_pack(job, share)
        going = life(job, _alone, share=share)
        while True:
            try:
                next(going)
            except StopIteration as ended:
                return ended.value


def execute_all(
    cfg: DictConfig,
    members: Sequence[Queued],
    tell: Callable[[Job, Outcome, float], None],
    ended: dict[str, Ending],
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
        if STOP.asked:
            raise Interrupted
        with settings(cfg), STOP.interrupting(at_once=True):
            Pack(members, cfg.packed, share=True, ended=ended, tell=tell).carry_out()
        return
    (member,) = members
    started = time.monotonic()
    job = member.prepare(None)
    outcome = execute(job, share=True)
    ended[member.run_id] = outcome
    tell(job, outcome, time.monotonic() - started)


def _alone_in_a_pack(job: Job, share: bool) -> Outcome:
    member = Queued(job.folder.run_id, lambda beside: job)
    (ending,) = Pack([member], job.plain["packed"], share=share).carry_out().values()
    if isinstance(ending, Exception):
        raise ending
    return ending


def _alone(job: Job, model: GenerativeModel, pulse: Pulse, tracker: Tracker) -> Iterator[None]:
    """The whole training at once."""
    (train if job.conduct.devices == 1 else train_together)(job, model, pulse, tracker)
    yield from ()
