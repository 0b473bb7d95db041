"""Watching a run from beside its step: readings, progress, divergence, checkpoints, signals.

Between two readings the host never waits for the device; a step costs one comparison here.
"""

import math
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytorch_lightning as pl
from tqdm import tqdm

from bench.files import replacing
from bench.models.base import GenerativeModel
from bench.running.history import Reading, read_history, write_history

HISTORY_SECONDS = 5.0  # between two writings of the history file


class Stop:
    """Set by the first Ctrl-C or SIGTERM; the second one interrupts at once.

    Files are written whole or not at all, so that even the second leaves nothing half-written.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Stop":
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                self._before[number] = signal.signal(number, self._receive)
            except ValueError:  # not the main thread: whoever runs us handles signals
                return self
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


class Monitor(pl.Callback):
    """Reads the losses every `log_every` steps and acts on them.

    Args:
        history: the CSV file.
        checkpoint: where full checkpoints go.
        log_every: steps between readings.
        checkpoint_every: steps between full checkpoints.
        stop: asked for from outside.
        progress: show a bar with losses, rate and remaining time.
        label: of the bar.
        draw: called with the model at each of `drawing_steps`.
    """

    def __init__(
        self,
        history: Path,
        checkpoint: Path,
        *,
        log_every: int,
        checkpoint_every: int,
        stop: Stop,
        progress: bool,
        label: str,
        draw: Callable[[GenerativeModel], None],
        drawing_steps: frozenset[int],
    ) -> None:
        self.history, self.checkpoint = history, checkpoint
        self.log_every, self.checkpoint_every = log_every, checkpoint_every
        self.stop, self.progress, self.label = stop, progress, label
        self.draw, self.drawing_steps = draw, drawing_steps
        self.readings: list[Reading] = []
        self.diverged_at: int | None = None
        self.interrupted = False
        self._written = time.monotonic()
        self._bar: Any = None

    def on_train_start(self, trainer: pl.Trainer, model: pl.LightningModule) -> None:
        """Take up an earlier history, up to the checkpoint's step."""
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
        """Act where it is time; on most steps nothing is."""
        step = model.d_steps
        if self.stop.asked:
            self._interrupt(trainer)
        elif step % self.log_every == 0:
            self._read(trainer, model)
        if self.diverged_at is not None or self.interrupted:
            return
        if step in self.drawing_steps:
            self.draw(model)
        if step % self.checkpoint_every == 0 and step < trainer.num_training_batches:
            self.save(trainer)

    def on_train_end(self, trainer: pl.Trainer, model: Any) -> None:
        """The last reading and the bar's end."""
        if self.diverged_at is None and not self.interrupted and model.d_steps % self.log_every:
            self._read(trainer, model)
        write_history(self.history, self.readings)
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

    def _read(self, trainer: pl.Trainer, model: GenerativeModel) -> None:
        values = {name: loss.item() for name, loss in model.losses.items()}
        if not all(math.isfinite(v) for v in values.values()):
            self.diverged_at = model.d_steps
            trainer.should_stop = True
            values = {name: v for name, v in values.items() if math.isfinite(v)}
        self.readings.append({"step": model.d_steps, "g_step": model.g_steps, **values})
        for logger in trainer.loggers:
            logger.log_metrics({**values, "g_step": model.g_steps}, step=model.d_steps)
        self._bar.update(model.d_steps - self._bar.n)
        self._bar.set_postfix({name: f"{v:.3g}" for name, v in values.items()}, refresh=False)
        if time.monotonic() - self._written > HISTORY_SECONDS:
            write_history(self.history, self.readings)
            self._written = time.monotonic()
