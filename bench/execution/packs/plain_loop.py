"""A model trained by a bare loop: for what is to be measured of its steps."""

from torch import Tensor

from bench.data.batches import OnDevice
from bench.models.base import GenerativeModel

FOREVER = 10**9


class PlainLoop:
    """A model's own steps in a loop without anything else.

    Args:
        samples: of the training split, on the device that trains.
    """

    def __init__(self, model: GenerativeModel, samples: Tensor, batch_size: int) -> None:
        self.model = model.to(samples.device).train()
        model.on_fit_start()
        optimizers = model.configure_optimizers()
        found = optimizers if len(optimizers) > 1 else optimizers[0]  # as Lightning gives them
        model.optimizers = lambda use_pl_optimizer=False: found  # type: ignore[method-assign]
        seed = model.training_settings.seed
        self.batches = iter(OnDevice(samples, batch_size, seed, 0, FOREVER))

    def step(self) -> None:
        """One batch."""
        self.model.training_step(next(self.batches), 0)
