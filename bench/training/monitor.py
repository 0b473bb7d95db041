"""Watching a run from beside its step: readings, progress, divergence, checkpoints, signals.

Between two readings the host never waits for the device; a step costs one comparison here.
Lightning calls the hooks; a pack calls what they call.
"""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from tqdm import tqdm

from bench.core.signals import INTERRUPT
from bench.evaluation.checkpoint_selection import CheckpointSelector
from bench.models.base import GenerativeModel
from bench.runs.heartbeat import Heartbeat
from bench.training.checkpoints import Checkpoints
from bench.training.digests import DigestLog
from bench.training.history import Reading, read_history, write_history
from bench.training.tracker import Tracker

HISTORY_SECONDS = 5.0  # between two writings of the history file
CHECK_EVERY = 50  # steps between checks for divergence; not the readings' business: see below
CLOCK_EVERY = 10  # steps between looks at the clock


class Monitor(pl.Callback):
    """Reads the losses every `log_every` steps and acts on them.

    Args:
        history: the CSV file.
        checkpoints: where full checkpoints go.
        chain: of digests.
        pulse: is told how far the run is.
        log_every: steps between readings.
        checkpoint_every: steps between full checkpoints; None for none by steps.
        checkpoint_seconds: seconds between them; None for none by time.
        limit_seconds: of training in all, after which it ends unfinished; None for no limit.
        progress: show a bar with losses, rate and remaining time.
        label: of the bar.
        draw: called with the model and the loggers at each of `drawing_steps`.
        judge: scores the model every `select_every` steps, if that is a number, and at the end.
        tracker: is told each time the history was written.
    """

    def __init__(
        self,
        history: Path,
        checkpoints: Checkpoints,
        chain: DigestLog,
        heartbeat: Heartbeat,
        *,
        log_every: int,
        checkpoint_every: int | None,
        checkpoint_seconds: float | None,
        limit_seconds: float | None,
        progress: bool,
        label: str,
        draw: Callable[[GenerativeModel, Sequence[Any]], None],
        drawing_steps: frozenset[int],
        selector: CheckpointSelector,
        select_every: int | None,
        tracker: Tracker,
    ) -> None:
        self.history, self.checkpoints = history, checkpoints
        self.chain, self.heartbeat = chain, heartbeat
        self.log_every, self.checkpoint_every = log_every, checkpoint_every
        self.checkpoint_seconds, self.limit_seconds = checkpoint_seconds, limit_seconds
        self.progress, self.label = progress, label
        self.draw, self.drawing_steps = draw, drawing_steps
        self.selector, self.select_every = selector, select_every
        self.tracker = tracker
        self.readings: list[Reading] = []
        self.diverged_at: int | None = None
        self.interrupted = self.limited = False
        self.seconds = 0.0  # of earlier legs and this one
        self._written = self._started = self._saved = time.monotonic()
        self._bar: Any = None

    @property
    def elapsed(self) -> float:
        """Seconds of training so far, of all legs."""
        return self.seconds + time.monotonic() - self._started

    @property
    def stopped_early(self) -> bool:
        """Whether the training ends before its last step."""
        return self.diverged_at is not None or self.interrupted or self.limited

    def state_dict(self) -> dict[str, float]:
        """The seconds so far, for the checkpoint."""
        return {"seconds": self.elapsed}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        """The seconds of the earlier legs."""
        self.seconds = state_dict["seconds"]

    def on_train_start(self, trainer: pl.Trainer, model: Any) -> None:
        """As `begin`."""
        self.begin(model, trainer.num_training_batches, trainer.loggers, trainer.save_checkpoint)

    def on_train_batch_end(
        self, trainer: pl.Trainer, model: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """As `after_step`."""
        self.after_step(model)
        if self.stopped_early:
            trainer.should_stop = True

    def on_train_end(self, trainer: pl.Trainer, model: Any) -> None:
        """As `end`."""
        self.end(model)

    def begin(
        self,
        model: GenerativeModel,
        last: int,
        loggers: Sequence[Any],
        write: Callable[[Path], None],
    ) -> None:
        """Take up an earlier history, up to the checkpoint's step.

        Args:
            last: the step after which the training has finished.
            loggers: Lightning's, are told of readings.
            write: makes the file of a full checkpoint.
        """
        self.last, self.loggers, self.write = last, loggers, write
        self._started = self._saved = time.monotonic()
        self.chain.resume(model)
        self.readings = [r for r in read_history(self.history) if r["step"] <= model.d_steps]
        self._bar = tqdm(
            total=last,
            initial=model.d_steps,
            desc=self.label,
            unit="step",
            disable=not self.progress,
            leave=False,
            mininterval=0.5,
            dynamic_ncols=True,
        )

    def after_step(self, model: GenerativeModel) -> None:
        """After a step: act where it is time; on most steps nothing is.

        Whether a run has diverged is looked up on steps of its own, since how often somebody
        reads the losses must not change the run's end.
        """
        step = model.d_steps
        if step % CHECK_EVERY == 0:
            self.heartbeat.step = step
            self._check(model)
        if step % self.log_every == 0:
            self._read(model)
        if self.diverged_at is not None:
            return
        if step in self.chain.points:
            self.chain.add(model)
        if step in self.drawing_steps:
            self.draw(model, self.loggers)
        last = step == self.last
        if self.select_every is not None and (last or step % self.select_every == 0):
            began = time.monotonic()
            distance = self.selector(model)
            if distance is not None:
                for logger in self.loggers:
                    logger.log_metrics({"frechet": distance}, step=step)
            self.exclude_time(time.monotonic() - began)
            if not last:
                self.save(model)
                self.selector.forget(ended=False)
        if INTERRUPT.requested:
            self.save(model)
            self.interrupted = True
        elif last:
            return
        elif self._over_the_limit(step):
            self.save(model)
            self.limited = True
        elif self._due(step):
            self.save(model)

    def end(self, model: GenerativeModel) -> None:
        """The last reading and the bar's end."""
        if not self.stopped_early:
            self._check(model)
            if model.d_steps % self.log_every:
                self._read(model)
        write_history(self.history, self.readings)
        now = time.monotonic()
        self.seconds, self._started = self.seconds + now - self._started, now
        self.close()

    def exclude_time(self, seconds: float) -> None:
        """Count them not as training: something else was done."""
        self._started += seconds

    def close(self) -> None:
        """Take the bar away, also after a failure, and let go of what is written from."""
        if self._bar is not None:
            self._bar.close()
        vars(self).pop("write", None)  # a pack's holds the whole stack, and this monitor

    def save(self, model: GenerativeModel) -> None:
        """Write history, digests, and a full checkpoint last: it never knows more than they do."""
        write_history(self.history, self.readings)
        self.chain.write()
        self.checkpoints.save(model.d_steps, self.write)
        self._saved = time.monotonic()

    def _due(self, step: int) -> bool:
        """Whether it is time for a checkpoint."""
        by_steps = self.checkpoint_every is not None and step % self.checkpoint_every == 0
        by_time = self.checkpoint_seconds is not None and step % CLOCK_EVERY == 0
        return by_steps or (by_time and time.monotonic() - self._saved >= self.checkpoint_seconds)

    def _over_the_limit(self, step: int) -> bool:
        limited = self.limit_seconds is not None and step % CLOCK_EVERY == 0
        return limited and self.elapsed > self.limit_seconds

    def _check(self, model: GenerativeModel) -> None:
        if not all(math.isfinite(loss.item()) for loss in model.losses.values()):
            self.diverged_at = model.d_steps

    def _read(self, model: GenerativeModel) -> None:
        losses = {name: loss.item() for name, loss in model.losses.items()}
        values = {name: value for name, value in losses.items() if math.isfinite(value)}
        self.readings.append({"step": model.d_steps, "g_step": model.g_steps, **values})
        for logger in self.loggers:
            logger.log_metrics({**values, "g_step": model.g_steps}, step=model.d_steps)
        self._bar.update(model.d_steps - self._bar.n)
        self._bar.set_postfix({name: f"{v:.3g}" for name, v in values.items()}, refresh=False)
        if time.monotonic() - self._written > HISTORY_SECONDS:
            write_history(self.history, self.readings)
            self.tracker.sync()
            self._written = time.monotonic()
