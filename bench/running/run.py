"""One run carried out, alone or in a pack of its own, and the process as it must be for that."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from omegaconf import DictConfig
from threadpoolctl import threadpool_limits

from bench.errors import Interrupted
from bench.models.base import GenerativeModel
from bench.running.job import Job
from bench.running.life import Outcome, life
from bench.running.packs import Ending, Pack, Queued
from bench.running.processes import train_together
from bench.running.tracking import Tracker
from bench.running.training import train
from bench.runs.pulse import Pulse
from bench.stopping import STOP


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


@contextmanager
def settings(plain: Mapping[str, Any]) -> Iterator[None]:
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
