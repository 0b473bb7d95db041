"""Train a model in a plain Python loop, to measure the time and memory of its steps."""

from typing import Any

from torch import Tensor

from bench.core.batch import Batch
from bench.data.batches import FRESH_STREAM, STREAM, BatchIndexSampler, DeviceBatches
from bench.models.base import GenerativeModel, usable_data

FOREVER = 10**9  # steps


class PlainLoop:
    """Train a model on samples [N, ...], on their device, without Lightning, monitor or files."""

    def __init__(self, model: GenerativeModel, data: Tensor | Batch, batch_size: int) -> None:
        data = usable_data(data, model)
        model.learn_classes(data.labels)
        self.model = model.to(data.samples.device).train()
        model.on_fit_start()
        optimizers = model.configure_optimizers()
        result: Any = optimizers if len(optimizers) > 1 else optimizers[0]  # as Lightning does
        model.optimizers = lambda use_pl_optimizer=False: result  # type: ignore[method-assign, assignment]
        seed = model.training_settings.seed
        streams = (STREAM, FRESH_STREAM) if model.reads_fresh_real else (STREAM,)
        device = data.samples.device
        order = BatchIndexSampler(
            len(data.samples), batch_size, seed, 0, FOREVER, streams, device=device
        )
        self.batches = iter(DeviceBatches(data, order))

    def step(self) -> None:
        """Train on one batch."""
        self.model.training_step(next(self.batches), 0)
