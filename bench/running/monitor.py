"""Watching a run from beside its step: readings, progress, divergence, checkpoints, signals.

Between two readings the host never waits for the device; a step costs one comparison here.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from tqdm import tqdm

from bench.files import replacing
from bench.models.base import GenerativeModel
from bench.running.history import Reading, read_history, write_history
from bench.stopping import STOP

HISTORY_SECONDS = 5.0  # between two writings of the history file
CHECK_EVERY = 50  # steps between checks for divergence; not the readings' business: see below


class Monitor(pl.Callback):
    """Reads the losses every `log_every` steps and acts on them.

    Args:
        history: the CSV file.
        checkpoint: where full checkpoints go.
        log_every: steps between readings.
        checkpoint_every: steps between full checkpoints.
        progress: show a bar with losses, rate and remaining time.
        label: of the bar.
        draw: called with the model at each of `drawing_steps`.
        judge: called with the model every `judge_every` steps, if that is a number, and at the end.
    """

    def __init__(
        self,
        history: Path,
        checkpoint: Path,
        *,
        log_every: int,
        checkpoint_every: int,
        progress: bool,
        label: str,
        draw: Callable[[GenerativeModel], None],
        drawing_steps: frozenset[int],
        judge: Callable[[GenerativeModel], float | None],
        judge_every: int | None,
    ) -> None:
        self.history, self.checkpoint = history, checkpoint
        self.log_every, self.checkpoint_every = log_every, checkpoint_every
        self.progress, self.label = progress, label
        self.draw, self.drawing_steps = draw, drawing_steps
        self.judge, self.judge_every = judge, judge_every
        self.readings: list[Reading] = []
        self.diverged_at: int | None = None
        self.interrupted = False
        self.seconds = 0.0  # of earlier legs and this one
        self._written = self._started = time.monotonic()
        self._bar: Any = None

    @property
    def elapsed(self) -> float:
        """Seconds of training so far, of all legs."""
        return self.seconds + time.monotonic() - self._started

    def state_dict(self) -> dict[str, float]:
        """The seconds so far, for the checkpoint."""
        return {"seconds": self.elapsed}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        """The seconds of the earlier legs."""
        self.seconds = state_dict["seconds"]

    def on_train_start(self, trainer: pl.Trainer, model: pl.LightningModule) -> None:
        """Take up an earlier history, up to the checkpoint's step."""
        self._started = time.monotonic()
        self.readings = [r for r in read_history(self.history) if r["step"] <= model.d_steps]
        self._bar = tqdm(
            total=trainer.num_training_batches,
            initial=model.d_steps,
            desc=self.label,
            unit="step",
            disable=not self.progress,
            leave=False,
            mininterval=0.5,
            dynamic_ncols=True,
        )

    def on_train_batch_end(
        self, trainer: pl.Trainer, model: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Act where it is time; on most steps nothing is.

        Whether a run has diverged is looked up on steps of its own, since how often somebody
        reads the losses must not change the run's end.
        """
        step = model.d_steps
        if step % CHECK_EVERY == 0:
            self._check(trainer, model)
        if step % self.log_every == 0:
            self._read(trainer, model)
        if self.diverged_at is not None:
            return
        if step in self.drawing_steps:
            self.draw(model)
        last = step == trainer.num_training_batches
        if self.judge_every is not None and (last or step % self.judge_every == 0):
            began = time.monotonic()
            distance = self.judge(model)
            if distance is not None:
                for logger in trainer.loggers:
                    logger.log_metrics({"frechet": distance}, step=step)
            self._started += time.monotonic() - began  # training's seconds are training's
        if STOP.asked:
            self._interrupt(trainer)
        elif step % self.checkpoint_every == 0 and step < trainer.num_training_batches:
            self.save(trainer)

    def on_train_end(self, trainer: pl.Trainer, model: Any) -> None:
        """The last reading and the bar's end."""
        if self.diverged_at is None and not self.interrupted:
            self._check(trainer, model)
            if model.d_steps % self.log_every:
                self._read(trainer, model)
        write_history(self.history, self.readings)
        now = time.monotonic()
        self.seconds, self._started = self.seconds + now - self._started, now
        self.close()

    def close(self) -> None:
        """Take the bar away, also after a failure."""
        if self._bar is not None:
            self._bar.close()

    def save(self, trainer: pl.Trainer) -> None:
        """Write a full checkpoint; the one before stays until this one is whole."""
        with replacing(self.checkpoint) as temporary:
            trainer.save_checkpoint(temporary)
        write_history(self.history, self.readings)

    def _interrupt(self, trainer: pl.Trainer) -> None:
        self.save(trainer)
        self.interrupted = True
        trainer.should_stop = True

    def _check(self, trainer: pl.Trainer, model: GenerativeModel) -> None:
        if not all(math.isfinite(loss.item()) for loss in model.losses.values()):
            self.diverged_at = model.d_steps
            trainer.should_stop = True

    def _read(self, trainer: pl.Trainer, model: GenerativeModel) -> None:
        losses = {name: loss.item() for name, loss in model.losses.items()}
        values = {name: value for name, value in losses.items() if math.isfinite(value)}
        self.readings.append({"step": model.d_steps, "g_step": model.g_steps, **values})
        for logger in trainer.loggers:
            logger.log_metrics({**values, "g_step": model.g_steps}, step=model.d_steps)
        self._bar.update(model.d_steps - self._bar.n)
        self._bar.set_postfix({name: f"{v:.3g}" for name, v in values.items()}, refresh=False)
        if time.monotonic() - self._written > HISTORY_SECONDS:
            write_history(self.history, self.readings)
            self._written = time.monotonic()
