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
from bench.core.signals import STOP
from bench.execution.lifecycle import Outcome, life
from bench.execution.packs.memory_check import too_large
from bench.execution.packs.slot_io import put, stack_for, write
from bench.execution.queue import Queued
from bench.models.base import GenerativeModel
from bench.runs.folder import SETTLED
from bench.runs.heartbeat import Pulse
from bench.training.finish import keep
from bench.training.fit import lightning_loggers, reset_peaks, watched
from bench.training.job import Job
from bench.training.monitor import Monitor
from bench.training.tracker import Tracker
from bench.vectorized.stack import Stack
from bench.vectorized.trainer import train_step

SHOW_EVERY = 50  # steps
LONG = 0.05  # seconds beside the step that do not count as the others' training

Ending = Outcome | Exception


class Pack:
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
        members: Iterable[Queued],
        slots: int,
        *,
        share: bool,
        ended: dict[str, Ending] | None = None,
        tell: Callable[[Job, Outcome, float], None] = lambda job, ending, seconds: None,
    ) -> None:
        self.queue, self.slots = deque(members), slots
        self.share, self.tell = share, tell
        self.ended: dict[str, Ending] = {} if ended is None else ended
        self.going: dict[str, Going] = {}
        self.free: deque[int] = deque()
        self.stack: Stack | None = None
        self.device = torch.device("cpu")
        self.beside: Job | None = None
        self.refused: Exception | None = None  # what holds for all members
        self.stopped = False
        self.bar: PackBar | None = None

    def carry_out(self) -> dict[str, Ending]:
        """Train and score all members; run_id -> how it ended.

        Raises:
            Interrupted: Ctrl-C or a scheduler's signal, once every replica has a checkpoint.
        """
        reset_peaks()
        try:
            with STOP.interrupting(at_once=False):
                self._fill()
                while self.going:
                    self._step()
                    self._fill()
        finally:
            for one in list(self.going.values()):
                one.life.close()
            if self.bar is not None:
                self.bar.close()
        if self.stopped or (STOP.asked and self.queue):
            STOP.asked = False  # heard; a caller who goes on with other work may be asked again
            raise Interrupted
        return self.ended

    def _fill(self) -> None:
        """Begin runs of the queue while there are slots for them."""
        while self.queue and not STOP.asked and (self.stack is None or self.free):
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
                self._excuse(time.monotonic() - began)
            going = Going(job, life(job, self._train, share=self.share), time.monotonic())
            self.going[member.run_id] = going
            self._advance(member.run_id)

    def _open(self, job: Job) -> None:
        """Make the stack for runs like this one.

        Raises:
            UserError: such runs cannot be packed, or not so many; that holds for all members, as
                does whatever else fails here.
        """
        try:
            self.stack, odd = stack_for(job, self.slots)
        except Exception as error:
            self.refused = error
            raise
        self.device = job.conduct.device
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
        self.bar = PackBar(label, runs, steps, shown=job.conduct.progress)

    def _step(self) -> None:
        """One step of all replicas, and what each has to do after it."""
        assert self.stack is not None
        failure: Exception | None = None
        try:
            with too_large(self.slots, self.device):
                train_step(self.stack)
        except UserError as error:  # too large for the device, also for those that wait
            self.refused = failure = error
        except Exception as error:  # of a network or a loss: every run that trains here has failed
            failure = error
        self.bar.step(len(self.going), len(self.queue))
        for run_id in list(self.going):
            self._advance(run_id, failure)

    def _advance(self, run_id: str, failure: Exception | None = None) -> None:
        """Let a life go on to its next step, or to its end."""
        one, began = self.going[run_id], time.monotonic()
        ending: Ending | None = None
        try:
            if failure is None:
                next(one.life)
            else:
                one.life.throw(failure)
        except StopIteration as ended:
            ending = ended.value
        except KeyboardInterrupt:
            if STOP.insisted:
                raise
            STOP.asked = self.stopped = True  # the others leave too, each with a checkpoint
            del self.going[run_id]
            return
        except Exception as error:  # a UserError, say: that run cannot begin or go on
            ending = error
        if ending is not None:
            del self.going[run_id]
            self._end(run_id, one, ending)
        self._excuse(time.monotonic() - began, one)

    def _excuse(self, seconds: float, but: "Going | None" = None) -> None:
        """What one does beside the step is not the others' training."""
        for other in self.going.values() if seconds > LONG else ():
            if other is not but and other.monitor is not None:
                other.monitor.excuse(seconds)

    def _end(self, run_id: str, one: "Going | None", ending: Ending) -> None:
        self.ended[run_id] = ending
        if self.bar is not None and one is not None and one.monitor is None:
            self.bar.spare(one.job.plain["d_steps"])
        if one is not None and isinstance(ending, Outcome):
            self.tell(one.job, ending, time.monotonic() - one.began)

    def _train(
        self, job: Job, model: GenerativeModel, pulse: Pulse, tracker: Tracker
    ) -> Iterator[None]:
        """`bench.training.fit.train` in a slot of the stack."""
        assert self.stack is not None
        stack, last, loggers = self.stack, job.plain["d_steps"], lightning_loggers(job)
        monitor, painter = watched(job, pulse, tracker, Monitor, progress=False)
        self.going[job.folder.run_id].monitor = monitor
        slot = self.free.popleft()
        try:
            put(stack, slot, job, model, monitor)
            self.bar.spare(model.d_steps)
            monitor.begin(model, last, loggers, partial(write, stack, slot, monitor))
            while model.d_steps < last and not monitor.left:
                yield
                monitor.look(model)
            monitor.end(model)
        finally:
            monitor.close()
            self.bar.spare(last - model.d_steps)
            if stack.models[slot] is not None:
                stack.take(slot)
            self.free.append(slot)
        for logger in loggers:
            logger.save()
            logger.finalize("success")
        keep(job, model, monitor, painter)


@dataclass
class Going:
    """A run that is under way."""

    job: Job
    life: Generator[None, None, Outcome]
    began: float
    monitor: Monitor | None = None


class PackBar:
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
