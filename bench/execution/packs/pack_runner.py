"""The life of a pack: runs side by side in the slots of one stack, each an ordinary run.

A slot that is free takes the next run of the queue. What one run meets (divergence, a full disk, a
damaged file) ends that run and touches no other.
"""

import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from tqdm import tqdm

from bench.core.errors import Caution, Interrupted, UserError
from bench.core.signals import INTERRUPT
from bench.execution.lifecycle import RunOutcome, run_lifecycle
from bench.execution.packs.memory_check import as_too_large
from bench.execution.packs.slot_io import build_stack, insert_run, write_checkpoint
from bench.execution.queue import PendingRun
from bench.models.base import GenerativeModel
from bench.runs.folder import SETTLED
from bench.runs.heartbeat import Heartbeat
from bench.training.finish import save_results
from bench.training.fit import build_callbacks, lightning_loggers, reset_peaks
from bench.training.job import Job
from bench.training.monitor import Monitor
from bench.training.tracker import Tracker
from bench.vectorized.stack import ReplicaStack
from bench.vectorized.trainer import train_step

SHOW_EVERY = 50  # steps
LONG = 0.05  # seconds beside the step that do not count as the others' training

RunResult = RunOutcome | Exception


class PackRunner:
    """Runs that share a stack.

    Args:
        members: in the order in which they are taken up.
        slots: R, of which each run knows by its identity.
        share: leave a run to another process that is at work on it.
        ended: takes run_id -> how it ended, which is there also after an interruption.
        tell: is called with a job, how it ended, and after how many seconds.
    """

    def __init__(
        self,
        members: Iterable[PendingRun],
        slots: int,
        *,
        share: bool,
        ended: dict[str, RunResult] | None = None,
        tell: Callable[[Job, RunOutcome, float], None] = lambda job, ending, seconds: None,
    ) -> None:
        self.queue, self.slots = deque(members), slots
        self.share, self.tell = share, tell
        self.ended: dict[str, RunResult] = {} if ended is None else ended
        self.active: dict[str, ActiveRun] = {}
        self.free: deque[int] = deque()
        self.stack: ReplicaStack | None = None
        self.device = torch.device("cpu")
        self.beside: Job | None = None
        self.refused: Exception | None = None  # what holds for all members
        self.stopped = False
        self.bar: PackProgress | None = None

    def run(self) -> dict[str, RunResult]:
        """Train and score all members; run_id -> how it ended.

        Raises:
            Interrupted: Ctrl-C or a scheduler's signal, once every replica has a checkpoint.
        """
        reset_peaks()
        try:
            with INTERRUPT.interrupting(immediate=False):
                self._fill()
                while self.active:
                    self._step()
                    self._fill()
        finally:
            for one in list(self.active.values()):
                one.lifecycle.close()
            if self.bar is not None:
                self.bar.close()
        if self.stopped or (INTERRUPT.requested and self.queue):
            INTERRUPT.acknowledge()
            raise Interrupted
        return self.ended

    def _fill(self) -> None:
        """Begin runs of the queue while there are slots for them."""
        while self.queue and not INTERRUPT.requested and (self.stack is None or self.free):
            member, began = self.queue.popleft(), time.monotonic()
            if self.refused is not None:
                self._end(member.run_id, None, self.refused)
                continue
            try:
                job = member.prepare(self.beside)
                self.beside = job
                if self.stack is None and (job.folder.status() or {}).get("status") not in SETTLED:
                    self._open(job)
            except Exception as error:  # a disk, say: the others go on
                self._end(member.run_id, None, error)
                continue
            finally:
                self._exclude_time(time.monotonic() - began)
            going = ActiveRun(
                job, run_lifecycle(job, self._train, share=self.share), time.monotonic()
            )
            self.active[member.run_id] = going
            self._advance(member.run_id)

    def _open(self, job: Job) -> None:
        """Make the stack for runs like this one.

        Raises:
            UserError: such runs cannot be packed, or not so many; that holds for all members, as
                does whatever else fails here.
        """
        try:
            self.stack, odd = build_stack(job, self.slots)
        except Exception as error:
            self.refused = error
            raise
        self.device = job.trainer_settings.device
        if odd:
            warnings.warn(
                f"a pack of {self.slots}: {len(odd)} slots round otherwise than the rest on this "
                f"machine and stay empty: {', '.join(map(str, odd))}",
                Caution,
                stacklevel=2,
            )
        self.free.extend(slot for slot in range(self.slots) if slot not in odd)
        label = f"pack of {self.slots}: {job.plain['names']['variant']}"
        runs, steps = len(self.queue) + 1, job.plain["d_steps"]
        self.bar = PackProgress(label, runs, steps, shown=job.trainer_settings.progress)

    def _step(self) -> None:
        """One step of all replicas, and what each has to do after it."""
        assert self.stack is not None
        failure: Exception | None = None
        try:
            with as_too_large(self.slots, self.device):
                train_step(self.stack)
        except UserError as error:  # too large for the device, also for those that wait
            self.refused = failure = error
        except Exception as error:  # of a network or a loss: every run that trains here has failed
            failure = error
        self.bar.step(len(self.active), len(self.queue))
        for run_id in list(self.active):
            self._advance(run_id, failure)

    def _advance(self, run_id: str, failure: Exception | None = None) -> None:
        """Let a life go on to its next step, or to its end."""
        one, began = self.active[run_id], time.monotonic()
        ending: RunResult | None = None
        try:
            if failure is None:
                next(one.lifecycle)
            else:
                one.lifecycle.throw(failure)
        except StopIteration as ended:
            ending = ended.value
        except KeyboardInterrupt:
            if INTERRUPT.forced:
                raise
            INTERRUPT.requested = self.stopped = (
                True  # the others leave too, each with a checkpoint
            )
            del self.active[run_id]
            return
        except Exception as error:  # a UserError, say: that run cannot begin or go on
            ending = error
        if ending is not None:
            del self.active[run_id]
            self._end(run_id, one, ending)
        self._exclude_time(time.monotonic() - began, one)

    def _exclude_time(self, seconds: float, but: "ActiveRun | None" = None) -> None:
        """What one does beside the step is not the others' training."""
        for other in self.active.values() if seconds > LONG else ():
            if other is not but and other.monitor is not None:
                other.monitor.exclude_time(seconds)

    def _end(self, run_id: str, one: "ActiveRun | None", ending: RunResult) -> None:
        self.ended[run_id] = ending
        if self.bar is not None and one is not None and one.monitor is None:
            self.bar.spare(one.job.plain["d_steps"])
        if one is not None and isinstance(ending, RunOutcome):
            self.tell(one.job, ending, time.monotonic() - one.began)

    def _train(
        self, job: Job, model: GenerativeModel, heartbeat: Heartbeat, tracker: Tracker
    ) -> Iterator[None]:
        """`bench.training.fit.train` in a slot of the stack."""
        assert self.stack is not None
        stack, last, loggers = self.stack, job.plain["d_steps"], lightning_loggers(job)
        monitor, painter = build_callbacks(job, heartbeat, tracker, Monitor, progress=False)
        self.active[job.folder.run_id].monitor = monitor
        slot = self.free.popleft()
        try:
            insert_run(stack, slot, job, model, monitor)
            self.bar.spare(model.d_steps)
            monitor.begin(model, last, loggers, partial(write_checkpoint, stack, slot, monitor))
            while model.d_steps < last and not monitor.stopped_early:
                yield
                monitor.after_step(model)
            monitor.end(model)
        finally:
            monitor.close()
            self.bar.spare(last - model.d_steps)
            if stack.models[slot] is not None:
                stack.remove(slot)
            self.free.append(slot)
        for logger in loggers:
            logger.save()
            logger.finalize("success")
        save_results(job, model, monitor, painter)


@dataclass
class ActiveRun:
    """A run that is under way."""

    job: Job
    lifecycle: Generator[None, None, RunOutcome]
    began: float
    monitor: Monitor | None = None


class PackProgress:
    """Counts the steps of all replicas against those that all runs of the job have to make.

    Args:
        label: of the pack.
        runs: how many there are.
        d_steps: of one.
        shown: draw it.
    """

    def __init__(self, label: str, runs: int, d_steps: int, *, shown: bool) -> None:
        self.d_steps, self._steps = d_steps, 0
        self._bar = tqdm(
            total=runs * d_steps,
            desc=label,
            unit="step",
            disable=not shown,
            leave=False,
            mininterval=0.5,
            dynamic_ncols=True,
        )

    def step(self, alive: int, waiting: int) -> None:
        """All that are alive have made one."""
        self._bar.update(alive)
        self._steps += 1
        if self._steps % SHOW_EVERY == 0 and not self._bar.disable:
            runs = 3600 * (self._bar.format_dict["rate"] or 0.0) / self.d_steps
            said = {"alive": alive, "waiting": waiting, "runs/h": f"{runs:.0f}"}
            self._bar.set_postfix(said, refresh=False)

    def spare(self, steps: int) -> None:
        """They need not be made: a run has ended early, goes on, or was there already."""
        if not self._bar.disable:
            self._bar.total -= steps

    def close(self) -> None:
        """Take it away."""
        self._bar.close()
