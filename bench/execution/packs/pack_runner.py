"""Train several runs side by side in the slots of one stack; each is an ordinary run.

A free slot takes the next run of the queue. What happens to one run (divergence, a full disk, a
damaged file) ends that run and no other.
"""

import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import InitVar, dataclass, field
from functools import partial

import torch

from bench.core.errors import Caution, Interrupted, UserError
from bench.core.signals import INTERRUPT
from bench.evaluation.score_run import StoredRun
from bench.execution.lifecycle import run_lifecycle
from bench.execution.packs.memory_check import as_too_large
from bench.execution.packs.slot_io import build_stack, insert_run, write_checkpoint
from bench.execution.queue import PendingRun
from bench.execution.skip import RunOutcome
from bench.models.base import GenerativeModel
from bench.runs.heartbeat import Heartbeat
from bench.training.finish import save_results
from bench.training.fit import build_callbacks, build_lightning_loggers, reset_peak_memory
from bench.training.job import Job
from bench.training.monitor import Monitor, step_bar
from bench.training.tracker import Tracker
from bench.vectorized.stack import ReplicaStack
from bench.vectorized.trainer import train_step

SHOW_EVERY = 50  # steps between updates of the numbers beside the progress bar
MIN_EXCLUDED_SECONDS = 0.05  # shorter work beside the step counts as the other runs' training

RunResult = RunOutcome | Exception


@dataclass(eq=False)
class PackRunner:
    """Carry out runs in one stack.

    Args:
        pending: the runs, in the order in which they are started.
        slots: R, the number of slots; a part of each run's identity.
        skip_if_active: leave a run to another process that is working on it.
        results: takes run_id -> how it ended; filled also when `run` is interrupted.
        on_outcome: called for each run that could start, with its outcome and seconds taken.
    """

    pending: InitVar[Iterable[PendingRun]]
    slots: int
    skip_if_active: bool
    results: dict[str, RunResult] = field(default_factory=dict)
    on_outcome: Callable[[Job, RunOutcome, float], None] = lambda job, outcome, seconds: None

    def __post_init__(self, pending: Iterable[PendingRun]) -> None:
        self.queue = deque(pending)
        self.active: dict[str, ActiveRun] = {}
        self.free_slots: deque[int] = deque()
        self.stack: ReplicaStack | None = None
        self.device = torch.device("cpu")
        self.last_job: Job | None = None  # whose data and evaluator the next job may share
        self.pack_error: Exception | None = None  # why no run at all can train in this pack
        self.interrupted = False
        self.progress: PackProgress | None = None

    def run(self) -> dict[str, RunResult]:
        """Train and score all runs; return run_id -> how it ended.

        Raises:
            Interrupted: Ctrl-C or a scheduler's signal, once every replica has a checkpoint.
        """
        reset_peak_memory()
        try:
            with INTERRUPT.interrupting(immediate=False):
                self._start_runs()
                while self.active:
                    self._train_step()
                    self._start_runs()
        finally:
            for run in list(self.active.values()):
                run.lifecycle.close()
            if self.progress is not None:
                self.progress.close()
        if self.interrupted or (INTERRUPT.requested and self.queue):
            INTERRUPT.acknowledge()
            raise Interrupted
        return self.results

    def _start_runs(self) -> None:
        """Start runs of the queue while slots are free."""
        while self.queue and not INTERRUPT.requested and (self.stack is None or self.free_slots):
            pending, started_at = self.queue.popleft(), time.monotonic()
            if self.pack_error is not None:
                self._record_result(pending.run_id, None, self.pack_error)
                continue
            try:
                job = pending.prepare(self.last_job)
                self.last_job = job
                if self.stack is None and not StoredRun(job.folder, job.plain).completed:
                    self._build_stack(job)
            except Exception as error:  # an unreadable disk, say: the other runs go on
                self._record_result(pending.run_id, None, error)
                continue
            finally:
                self._exclude_time(time.monotonic() - started_at)
            lifecycle = run_lifecycle(job, self._train_in_slot, skip_if_active=self.skip_if_active)
            self.active[pending.run_id] = ActiveRun(job, lifecycle, time.monotonic())
            self._advance(pending.run_id)

    def _build_stack(self, job: Job) -> None:
        """Build the stack, for runs like this one; an error here holds for all runs of the pack."""
        try:
            self.stack, odd_slots = build_stack(job, self.slots)
        except Exception as error:
            self.pack_error = error
            raise
        self.device = job.trainer_settings.device
        if odd_slots:
            odd = f"{len(odd_slots)} slots round otherwise than the rest on this machine"
            message = (
                f"a pack of {self.slots}: {odd} and stay empty: {', '.join(map(str, odd_slots))}"
            )
            warnings.warn(message, Caution, stacklevel=2)
        self.free_slots.extend(slot for slot in range(self.slots) if slot not in odd_slots)
        label = f"pack of {self.slots}: {job.plain['names']['variant']}"
        runs, steps = len(self.queue) + 1, job.plain["d_steps"]
        self.progress = PackProgress(label, runs, steps, shown=job.trainer_settings.progress)

    def _train_step(self) -> None:
        """Train all replicas for one step, then let each run do what is due after it."""
        assert self.stack is not None and self.progress is not None
        failure: Exception | None = None
        try:
            with as_too_large(self.slots, self.device):
                train_step(self.stack)
        except UserError as error:  # too large for the device, also for the runs that wait
            self.pack_error = failure = error
        except Exception as error:  # in a network or a loss: every run that trains here has failed
            failure = error
        self.progress.count_step(len(self.active), len(self.queue))
        for run_id in list(self.active):
            self._advance(run_id, failure)

    def _advance(self, run_id: str, failure: Exception | None = None) -> None:
        """Resume a run's lifecycle until its next step or its end, with a failed step if any."""
        run, started_at = self.active[run_id], time.monotonic()
        result: RunResult | None = None
        try:
            if failure is None:
                next(run.lifecycle)
            else:
                run.lifecycle.throw(failure)
        except StopIteration as stop:
            result = stop.value
        except KeyboardInterrupt:
            if INTERRUPT.forced:
                raise
            INTERRUPT.requested = self.interrupted = True  # all others stop, with a checkpoint
            del self.active[run_id]
            return
        except Exception as error:  # a UserError, say: this run cannot start or go on
            result = error
        if result is not None:
            del self.active[run_id]
            self._record_result(run_id, run, result)
        self._exclude_time(time.monotonic() - started_at, run)

    def _exclude_time(self, seconds: float, worker: "ActiveRun | None" = None) -> None:
        """Exclude what one run did beside the step from the training time of the others."""
        for other in self.active.values() if seconds > MIN_EXCLUDED_SECONDS else ():
            if other is not worker and other.monitor is not None:
                other.monitor.exclude_time(seconds)

    def _record_result(self, run_id: str, run: "ActiveRun | None", result: RunResult) -> None:
        self.results[run_id] = result
        if self.progress is not None and run is not None and run.monitor is None:
            self.progress.skip(run.job.plain["d_steps"])
        if run is not None and isinstance(result, RunOutcome):
            self.on_outcome(run.job, result, time.monotonic() - run.started_at)

    def _train_in_slot(
        self, job: Job, model: GenerativeModel, heartbeat: Heartbeat, tracker: Tracker
    ) -> Iterator[None]:
        """Train a run in a slot of the stack, as `bench.training.fit.train` does without a pack."""
        assert self.stack is not None and self.progress is not None
        stack, progress, last_step = self.stack, self.progress, job.plain["d_steps"]
        loggers = build_lightning_loggers(job)
        monitor, plotter = build_callbacks(job, heartbeat, tracker, Monitor, progress=False)
        self.active[job.folder.run_id].monitor = monitor
        slot = self.free_slots.popleft()
        try:
            insert_run(stack, slot, job, model, monitor)
            progress.skip(model.d_steps)
            write = partial(write_checkpoint, stack, slot, monitor)
            monitor.start(model, last_step, loggers, write)
            while model.d_steps < last_step and not monitor.stopped_early:
                yield
                monitor.after_step(model)
            monitor.finish(model)
        finally:
            monitor.close()
            progress.skip(last_step - model.d_steps)
            if stack.models[slot] is not None:
                stack.remove(slot)
            self.free_slots.append(slot)
        for logger in loggers:
            logger.save()
            logger.finalize("success")
        save_results(job, model, monitor, plotter)


@dataclass
class ActiveRun:
    """Hold a run that has started and not ended."""

    job: Job
    lifecycle: Generator[None, None, RunOutcome]
    started_at: float
    monitor: Monitor | None = None


class PackProgress:
    """Show the steps of all replicas against those that all runs of the pack have to make."""

    def __init__(self, label: str, runs: int, d_steps: int, *, shown: bool) -> None:
        self.d_steps, self._steps = d_steps, 0
        self._bar = step_bar(label, runs * d_steps, shown=shown)

    def count_step(self, active: int, waiting: int) -> None:
        """Count a step of each active run."""
        self._bar.update(active)
        self._steps += 1
        if self._steps % SHOW_EVERY == 0 and not self._bar.disable:
            runs = 3600 * (self._bar.format_dict["rate"] or 0.0) / self.d_steps
            numbers = {"active": active, "waiting": waiting, "runs/h": f"{runs:.0f}"}
            self._bar.set_postfix(numbers, refresh=False)

    def skip(self, steps: int) -> None:
        """Take steps off the total: a run ended early, was resumed, or was trained before."""
        if not self._bar.disable:
            self._bar.total -= steps

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()
