"""Choose what batch norm normalises by when a trained generator is sampled.

Four ways gave one published model distances from 18.8 to 42.2, so that a score says which it had.
Standing statistics: Brock et al. 2019 (arXiv:1809.11096), section 4.1.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from bench.core.number_checks import require_whole_number
from bench.core.seeds import generator as stream
from bench.networks.layers import is_batch_norm

MODES = ("running", "batch", "standing")
Draw = Callable[[int, torch.Generator], None]  # make samples of so many latents, and drop them


@dataclass(frozen=True)
class BatchStatistics:
    """Choose the mean and variance by which batch norm normalises.

    Args:
        mode: "running" for the averages of training, "batch" for those of the batch of samples
            itself, "standing" for averages over batches of the trained generator.
        batch: samples in a batch whose statistics are taken; "running" takes none.
        batches: number of batches for "standing".

    Raises:
        ValueError: a setting is outside its range.
    """

    mode: str
    batch: int
    batches: int

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"batch_norm.mode is {self.mode!r}; choose {', '.join(MODES)}")
        require_whole_number("batch_norm.batch", self.batch, 2, meaning="samples")
        require_whole_number("batch_norm.batches", self.batches, 1)

    def __str__(self) -> str:
        """Say what batch norm normalises by, as a protocol holds it."""
        return {
            "running": "running averages",
            "batch": f"statistics of batches of {self.batch}",
            "standing": f"standing statistics of {self.batches} batches of {self.batch}",
        }[self.mode]

    def stated(self) -> dict[str, str]:
        """Return what identifies scores with other statistics than running averages, else {}."""
        return {} if self.mode == "running" else {"batch_norm": str(self)}

    def batch_size(self, wanted: int) -> int:
        """Return the number of samples that are made at once."""
        return self.batch if self.mode == "batch" else wanted

    @contextmanager
    def applied(self, generator: nn.Module, draw: Draw) -> Iterator[None]:
        """Put a generator into evaluation, with these statistics; restore it afterwards.

        Args:
            draw: makes samples of so many new latents from a random generator.
        """
        was_training = generator.training
        layers: list[Any] = list(filter(is_batch_norm, generator.modules()))
        before = {name: buffer.clone() for name, buffer in generator.named_buffers()}
        momenta = [layer.momentum for layer in layers]
        generator.eval()
        try:
            if self.mode != "running":
                for layer in layers:
                    layer.train()
            if self.mode == "standing":
                latents = stream(0, "score", 1)
                for index in range(self.batches):
                    for layer, momentum in zip(layers, momenta, strict=True):
                        if momentum is not None:  # the mean over the batches so far
                            layer.momentum = 1 / (index + 1)
                    draw(self.batch, latents)
                generator.eval()
            yield
        finally:
            for layer, momentum in zip(layers, momenta, strict=True):
                layer.momentum = momentum
            if self.mode != "running":
                for name, buffer in generator.named_buffers():
                    buffer.copy_(before[name])
            generator.train(was_training)


RUNNING = BatchStatistics("running", batch=64, batches=16)
