"""Act between training steps: losses, progress, divergence, checkpoints, selection, interrupts.

This is where a checkpoint is due (`Monitor.after_step`); `checkpoints.py` writes the file. Between
two readings of the losses the host never waits for the device, and a step costs one comparison.
Lightning calls the `on_...` hooks; a pack calls `start`, `after_step` and `finish` itself.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bench.core.seeds import preserved_global_states
from bench.core.signals import INTERRUPT
from bench.data.lightning import pl
from bench.evaluation.checkpoint_selection import CheckpointSelector
from bench.models.base import GenerativeModel
from bench.runs.heartbeat import Heartbeat
from bench.runs.history import Reading, read_history, write_history
from bench.training.checkpoints import Checkpoints
from bench.training.digests import DigestLog
from bench.training.tracker import Tracker

HISTORY_SECONDS = 5.0  # between two writings of the history file
CHECK_EVERY = 50  # steps between checks for divergence; independent of log_every: see `after_step`
CLOCK_EVERY = 10  # steps between looks at the clock


def step_bar(label: str, total: int, initial: int = 0, *, shown: bool) -> Any:
    """Return a progress bar over steps, with a label at its left; no file gets one."""
    look = {"unit": "step", "leave": False, "mininterval": 0.5, "dynamic_ncols": True}
    disable = None if shown else True  # None: where standard error is no terminal
    return tqdm(desc=label, total=total, initial=initial, disable=disable, **look)


@dataclass(eq=False)
class Monitor(pl.Callback):
    """Read the losses every `log_every` steps, and do what is due after a step.

    Args:
        history: the run's history.csv.
        heartbeat: takes the steps made so far.
        selector: scores and stores the generator every `select_every` steps and at the end.
        checkpoint_every: steps between full checkpoints; None for none by steps.
        checkpoint_seconds: seconds between full checkpoints; None for none by time.
        limit_seconds: seconds of training, all attempts together, after which it ends unfinished;
            None for no limit.
        progress: show a bar with losses, rate and remaining time, and `label` at its left.
        save_samples: called with the model and the loggers after each of `picture_steps`.
        select_every: steps between these scores; None for none.
        tracker: sends the history elsewhere; called each time the history was written.
    """

    history: Path
    checkpoints: Checkpoints
    digests: DigestLog
    heartbeat: Heartbeat
    selector: CheckpointSelector
    log_every: int
    checkpoint_every: int | None = None
    checkpoint_seconds: float | None = None
    limit_seconds: float | None = None
    progress: bool = False
    label: str = ""
    save_samples: Callable[[GenerativeModel, Sequence[Any]], None] = lambda model, loggers: None
    picture_steps: frozenset[int] = frozenset()
    select_every: int | None = None
    tracker: Tracker = field(default_factory=Tracker)

    def __post_init__(self) -> None:
        self.readings: list[Reading] = []
        self.diverged_at: int | None = None
        self.interrupted = self.time_is_up = False
        self.seconds = 0.0  # of training up to `_started_at`, earlier attempts included
        self._written_at = self._started_at = self._saved_at = time.monotonic()
        self._bar: Any = None

    @property
    def elapsed(self) -> float:
        """Seconds of training so far, earlier attempts included."""
        return self.seconds + time.monotonic() - self._started_at

    @property
    def stopped_early(self) -> bool:
        """Whether the training ends before its last step."""
        return self.diverged_at is not None or self.interrupted or self.time_is_up

    def state_dict(self) -> dict[str, float]:
        """Return the seconds of training so far, for the checkpoint."""
        return {"seconds": self.elapsed}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        """Restore the seconds of training from a checkpoint."""
        self.seconds = state_dict["seconds"]

    def on_train_start(self, trainer: pl.Trainer, model: Any) -> None:
        """Call `start` with Lightning's number of steps, loggers and checkpoint writer."""
        INTERRUPT.restore()
        steps = int(trainer.num_training_batches)
        self.start(model, steps, trainer.loggers, trainer.save_checkpoint)

    def on_train_batch_end(
        self, trainer: pl.Trainer, model: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Call `after_step`, and stop Lightning's loop if the training ends early."""
        self.after_step(model)
        if self.stopped_early:
            trainer.should_stop = True

    def on_train_end(self, trainer: pl.Trainer, model: Any) -> None:
        """Call `finish`."""
        self.finish(model)

    def start(
        self,
        model: GenerativeModel,
        last_step: int,
        loggers: Sequence[Any],
        write_checkpoint: Callable[[Path], None],
    ) -> None:
        """Start the clock and the bar; load history and digests up to the model's step.

        Args:
            last_step: the step after which the training has finished.
            loggers: Lightning's loggers, which get each reading.
            write_checkpoint: writes a full checkpoint to a path.
        """
        self.last_step, self.loggers, self.write_checkpoint = last_step, loggers, write_checkpoint
        self._started_at = self._saved_at = time.monotonic()
        self.digests.resume(model)
        self.readings = [r for r in read_history(self.history) if r["step"] <= model.d_steps]
        self._bar = step_bar(self.label, last_step, model.d_steps, shown=self.progress)

    def after_step(self, model: GenerativeModel) -> None:
        """Do what is due after a step; on most steps nothing is.

        Divergence is checked on steps of its own, since how often the losses are read must not
        change how the run ends.
        """
        step = model.d_steps
        if step % CHECK_EVERY == 0:
            self.heartbeat.step = step
            self._check_divergence(model)
        if step % self.log_every == 0:
            self._read_losses(model)
        if self.diverged_at is not None:
            return
        if step in self.digests.steps:
            self.digests.add(model)
        if step in self.picture_steps:
            with preserved_global_states():
                self.save_samples(model, self.loggers)
        is_last = step == self.last_step
        if self.select_every is not None and (is_last or step % self.select_every == 0):
            started_at = time.monotonic()
            with preserved_global_states():
                distance = self.selector(model)
            if distance is not None:
                for logger in self.loggers:
                    logger.log_metrics({"frechet": distance}, step=step)
            self.exclude_time(time.monotonic() - started_at)
            if not is_last:
                self.save(model)
                self.selector.delete_unneeded_weights(ended=False)
        if INTERRUPT.requested:
            self.save(model)
            self.interrupted = True
        elif is_last:
            return
        elif self._limit_reached(step):
            self.save(model)
            self.time_is_up = True
        elif self._checkpoint_due(step):
            self.save(model)

    def finish(self, model: GenerativeModel) -> None:
        """Read the losses a last time, write the history, stop the clock and remove the bar."""
        if not self.stopped_early:
            self._check_divergence(model)
            if model.d_steps % self.log_every:
                self._read_losses(model)
        write_history(self.history, self.readings)
        now = time.monotonic()
        self.seconds, self._started_at = self.seconds + now - self._started_at, now
        self.close()

    def exclude_time(self, seconds: float) -> None:
        """Take seconds that were spent on other work off the training time."""
        self._started_at += seconds

    def close(self) -> None:
        """Remove the bar, also after a failure, and drop the reference to the checkpoint writer."""
        if self._bar is not None:
            self._bar.close()
        # a pack's writer refers to the whole stack and to this monitor: a cycle that holds memory
        vars(self).pop("write_checkpoint", None)

    def save(self, model: GenerativeModel) -> None:
        """Write history and digests, then a full checkpoint, which is never ahead of them."""
        write_history(self.history, self.readings)
        self.digests.write()
        self.checkpoints.save(model.d_steps, self.write_checkpoint)
        self._saved_at = time.monotonic()

    def _checkpoint_due(self, step: int) -> bool:
        if self.checkpoint_every is not None and step % self.checkpoint_every == 0:
            return True
        if self.checkpoint_seconds is None or step % CLOCK_EVERY:
            return False
        return time.monotonic() - self._saved_at >= self.checkpoint_seconds

    def _limit_reached(self, step: int) -> bool:
        if self.limit_seconds is None or step % CLOCK_EVERY:
            return False
        return self.elapsed > self.limit_seconds

    def _check_divergence(self, model: GenerativeModel) -> None:
        if not all(math.isfinite(loss.item()) for loss in model.losses.values()):
            self.diverged_at = model.d_steps

    def _read_losses(self, model: GenerativeModel) -> None:
        losses = {name: loss.item() for name, loss in model.losses.items()}
        if (clipped := model.clipped_share()) is not None:
            losses["clipped"] = clipped
        values = {name: value for name, value in losses.items() if math.isfinite(value)}
        self.readings.append({"step": model.d_steps, "g_step": model.g_steps, **values})
        for logger in self.loggers:
            logger.log_metrics({**values, "g_step": model.g_steps}, step=model.d_steps)
        self._bar.update(model.d_steps - self._bar.n)
        self._bar.set_postfix({name: f"{v:.3g}" for name, v in values.items()}, refresh=False)
        if time.monotonic() - self._written_at > HISTORY_SECONDS:
            write_history(self.history, self.readings)
            self.tracker.sync()
            self._written_at = time.monotonic()
