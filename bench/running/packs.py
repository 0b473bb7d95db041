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
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from bench import build
from bench.errors import Caution, Interrupted, UserError
from bench.models.base import GenerativeModel
from bench.packed import Stack, odd_slots, refusal
from bench.running.ending import keep
from bench.running.job import Job
from bench.running.life import Outcome, life
from bench.running.memory import check_memory, too_large
from bench.running.monitor import CHECK_EVERY, Monitor
from bench.running.tracking import Tracker
from bench.running.training import lightning_loggers, reset_peaks, watched
from bench.runs.folder import SETTLED
from bench.runs.pulse import Pulse
from bench.stopping import STOP

LONG = 0.05  # seconds beside the step that do not count as the others' training

Ending = Outcome | Exception


@dataclass(frozen=True)
class Member:
    """A run that waits for a slot.

    Args:
        run_id: of the run.
        prepare: makes its job, beside one of the same pack whose data and judge it may share.
    """

    run_id: str
    prepare: Callable[[Job | None], Job]


class Pack:
    """Runs that share a stack.

    Args:
        members: in the order in which they are taken up.
        slots: R, of which each run knows by its identity.
        share: leave a run to another process that is at work on it.
        tell: is called with a job, how it ended, and after how many seconds.
    """

    def __init__(
        self,
        members: Iterable[Member],
        slots: int,
        *,
        share: bool,
        tell: Callable[[Job, Outcome, float], None] = lambda job, ending, seconds: None,
    ) -> None:
        self.queue, self.slots = deque(members), slots
        self.share, self.tell = share, tell
        self.ended: dict[str, Ending] = {}
        self.going: dict[str, Going] = {}
        self.free: deque[int] = deque()
        self.stack: Stack | None = None
        self.device = torch.device("cpu")
        self.beside: Job | None = None
        self.refused: UserError | None = None  # what holds for all members
        self.stopped = False
        self.bar: Any = None

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
            for one in self.going.values():
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
            member = self.queue.popleft()
            if self.refused is not None:
                self._end(member.run_id, None, self.refused)
                continue
            try:
                job = member.prepare(self.beside)
                self.beside = job
                if self.stack is None and (job.folder.status() or {}).get("status") not in SETTLED:
                    self._open(job)
            except UserError as error:
                self._end(member.run_id, None, error)
                continue
            going = Going(job, life(job, self._train, share=self.share), time.monotonic())
            self.going[member.run_id] = going
            self._advance(member.run_id)

    def _open(self, job: Job) -> None:
        """Make the stack for runs like this one.

        Raises:
            UserError: such runs cannot be packed, or not so many; that holds for all members.
        """
        try:
            model = build.build_model(job.cfg)
            why = refusal(model)
            if why:
                raise UserError(
                    f"{job.plain['names']['variant']} cannot train in a pack: {why}",
                    fix="leave packed= out; a sweep with pack=auto runs it alone",
                )
            self.device = job.conduct.device
            samples = torch.from_numpy(job.splits["train"].samples).to(self.device)
            check_memory(job.cfg, samples, self.slots)
            with too_large(self.slots, self.device):
                model.show(job.splits["train"])
                batch_size = job.plain["batch_size"]
                odd = odd_slots(model, self.slots, samples, batch_size)
                empty: list[GenerativeModel | None] = [None] * (self.slots - 1)
                stack = Stack([model, *empty], samples, batch_size)
        except UserError as error:
            self.refused = error
            raise
        stack.take(0)
        if odd:
            warnings.warn(
                f"a pack of {self.slots}: {len(odd)} slots round otherwise than the rest on this "
                f"machine and stay empty: {', '.join(map(str, odd))}",
                Caution,
                stacklevel=2,
            )
        self.free.extend(slot for slot in range(self.slots) if slot not in odd)
        self.stack = stack
        self.bar = tqdm(
            total=(len(self.queue) + 1) * job.plain["d_steps"],
            desc=f"pack of {self.slots}: {job.plain['names']['variant']}",
            unit="step",
            disable=not job.conduct.progress,
            leave=False,
            mininterval=0.5,
            dynamic_ncols=True,
        )

    def _step(self) -> None:
        """One step of all replicas, and what each has to do after it."""
        assert self.stack is not None
        failure: Exception | None = None
        try:
            with too_large(self.slots, self.device):
                self.stack.step()
        except Exception as error:  # of a network or a loss: every run that trains here has failed
            failure = error
        self.bar.update(len(self.going))
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
        took = time.monotonic() - began
        if took > LONG:
            for other in self.going.values():
                if other is not one and other.monitor is not None:
                    other.monitor.excuse(took)

    def _end(self, run_id: str, one: "Going | None", ending: Ending) -> None:
        self.ended[run_id] = ending
        if self.bar is not None and one is not None and one.monitor is None:
            self.bar.total -= one.job.plain["d_steps"]  # it had nothing to train
        if one is not None and isinstance(ending, Outcome):
            self.tell(one.job, ending, time.monotonic() - one.began)

    def _train(
        self, job: Job, model: GenerativeModel, pulse: Pulse, tracker: Tracker
    ) -> Iterator[None]:
        """`bench.running.training.train` in a slot of the stack."""
        assert self.stack is not None
        slot, stack, last = self.free.popleft(), self.stack, job.plain["d_steps"]
        monitor, painter = watched(job, pulse, tracker, Monitor, progress=False)
        self.going[job.folder.run_id].monitor = monitor
        loggers = lightning_loggers(job)
        try:
            _put(stack, slot, job, model, monitor)
            self.bar.total -= model.d_steps
            monitor.begin(model, last, loggers, partial(_write, stack, slot, monitor))
            while model.d_steps < last and not monitor.left:
                yield
                monitor.look(model)
                if model.d_steps % CHECK_EVERY == 0:
                    self._show(last)
            monitor.end(model)
        finally:
            monitor.close()
            self.bar.total -= last - model.d_steps
            if stack.models[slot] is not None:
                stack.take(slot)
            self.free.append(slot)
            for logger in loggers:
                logger.save()
                logger.finalize("success")
        keep(job, model, monitor, painter)

    def _show(self, last: int) -> None:
        rate = self.bar.format_dict["rate"] or 0.0
        said = {"alive": len(self.going), "waiting": len(self.queue)}
        self.bar.set_postfix({**said, "runs/h": f"{3600 * rate / last:.0f}"}, refresh=False)


@dataclass
class Going:
    """A run that is under way."""

    job: Job
    life: Generator[None, None, Outcome]
    began: float
    monitor: Monitor | None = None


def _put(stack: Stack, slot: int, job: Job, model: GenerativeModel, monitor: Monitor) -> None:
    """Fill a slot, from the run's newest checkpoint where there is one."""
    model.show(job.splits["train"])
    newest = monitor.checkpoints.newest()
    if newest is None:
        stack.put(slot, model)
        return
    content = torch.load(newest, map_location="cpu", weights_only=True)
    model.load_state_dict(content["state_dict"])
    model.on_load_checkpoint(content)
    monitor.load_state_dict(content["callbacks"][monitor.state_key])
    stack.put(slot, model, content["optimizer_states"])


def _write(stack: Stack, slot: int, monitor: Monitor, path: Path) -> None:
    callbacks = {monitor.state_key: monitor.state_dict()}
    torch.save({**stack.checkpoint(slot), "callbacks": callbacks}, path)
