"""Monitor a run that several processes train together.

Process 0 reads losses, plots, selects and writes; the others keep in step with it. No process
receives signals: the parent passes on a request to stop, and all stop after the same step.
"""

import threading
from typing import Any

import torch

from bench.core import distributed
from bench.core.signals import INTERRUPT
from bench.models.base import GenerativeModel
from bench.training.monitor import Monitor

AGREE_EVERY = 10  # steps between agreements whether to stop
STOP_REQUESTED = threading.Event()  # the parent has asked this process to stop


class RankMonitor(Monitor):
    """Monitor one process among several.

    Divergence needs no agreement: the losses are those of the whole batch, equal in all processes.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self.is_main, self._agreed_limit_reached = distributed.rank() == 0, False

    @property
    def state_key(self) -> str:
        """Return `Monitor`'s key: a checkpoint does not depend on the number of processes."""
        return Monitor.__qualname__

    def start(self, model: GenerativeModel, *arguments: Any) -> None:
        """Check that all processes resume from the same step, then start as `Monitor` does."""
        steps = distributed.all_gather(torch.tensor([model.d_steps])).tolist()
        if len(set(steps)) > 1:
            raise RuntimeError(f"the processes would resume from different steps: {steps}")
        super().start(model, *arguments)

    def after_step(self, model: GenerativeModel) -> None:
        """Agree every few steps whether to stop, then do what is due after the step."""
        step = model.d_steps
        if step % AGREE_EVERY == 0 or step == self.last_step:
            INTERRUPT.requested = distributed.any_rank(STOP_REQUESTED.is_set())
            self._agreed_limit_reached = distributed.any_rank(super()._limit_reached(step))
        with distributed.single_process():  # process 0 may plot and score without the others
            super().after_step(model)

    def finish(self, model: GenerativeModel) -> None:
        """Leave the process group; process 0 then finishes as `Monitor` does."""
        distributed.shutdown()
        if self.is_main:
            super().finish(model)

    def _limit_reached(self, step: int) -> bool:
        return self._agreed_limit_reached

    def save(self, model: GenerativeModel) -> None:
        """Write one checkpoint for all: weights, streams and optimizers are equal everywhere."""
        if self.is_main:
            super().save(model)

    def _read_losses(self, model: GenerativeModel) -> None:
        if self.is_main:
            super()._read_losses(model)
