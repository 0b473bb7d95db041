"""What one process of several sees to while they train a run together.

Process 0 reads, draws, judges and writes; the others keep in step. None hears the terminal: whoever
started them passes on that they should stop, and they do so after the same step.
"""

import threading
from typing import Any

import torch

from bench.core import distributed
from bench.core.signals import INTERRUPT
from bench.models.base import GenerativeModel
from bench.training.monitor import Monitor

AGREE_EVERY = 10  # steps between the processes' asking each other whether to stop
STOP_REQUESTED = threading.Event()  # this process was told to stop


class RankMonitor(Monitor):
    """The monitor of one process among several.

    Divergence needs no agreement: the losses are those of the whole batch, everywhere the same.
    """

    def __init__(self, *places: Any, **settings: Any) -> None:
        super().__init__(*places, **settings)
        self.first, self.overtime = distributed.rank() == 0, False

    @property
    def state_key(self) -> str:
        """A checkpoint does not tell how many wrote it."""
        return Monitor.__qualname__

    def begin(self, model: GenerativeModel, *given: Any) -> None:
        """As alone, once all are known to go on from the same step."""
        steps = distributed.all_gather(torch.tensor([model.d_steps])).tolist()
        if len(set(steps)) > 1:
            raise RuntimeError(f"the processes would go on from different steps: {steps}")
        super().begin(model, *given)

    def after_step(self, model: GenerativeModel) -> None:
        """As alone; where it is time, all agree first whether to stop after this step."""
        step = model.d_steps
        if step % AGREE_EVERY == 0 or step == self.last:
            INTERRUPT.requested = distributed.any_rank(STOP_REQUESTED.is_set())
            self.overtime = distributed.any_rank(super()._over_the_limit(step))
        with distributed.single_process():  # what process 0 draws and judges now, the others do not
            super().after_step(model)

    def end(self, model: GenerativeModel) -> None:
        """The processes part; the first has the last word."""
        distributed.shutdown()
        if self.first:
            super().end(model)

    def _over_the_limit(self, step: int) -> bool:
        return self.overtime

    def save(self, model: GenerativeModel) -> None:
        """One checkpoint is enough: weights, streams and optimizers are the same everywhere."""
        if self.first:
            super().save(model)

    def _read(self, model: GenerativeModel) -> None:
        if self.first:
            super()._read(model)
