"""Endless shuffled batches: epochs of permutations, one behind the other, cut into batches.

The order is a function of (seed, step) alone: a run that goes on at step n sees what it would have
seen. Deviation: compare_gan v1 repeats, then shuffles within a buffer of 10,000, with one seed for
all runs; epochs blur there in another way.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from bench.core import distributed
from bench.core.seeds import generator


def shuffled(count: int, batch_size: int, seed: int, first: int, last: int) -> Iterator[Tensor]:
    """Indices [batch_size] of batches `first` to `last` - 1, int64 below `count`.

    Where several processes train together each is given its share of every batch.
    """
    epoch, offset = divmod(first * batch_size, count)
    left = torch.randperm(count, generator=generator(seed, "data", epoch))[offset:]
    for _ in range(first, last):
        while len(left) < batch_size:
            epoch += 1
            following = torch.randperm(count, generator=generator(seed, "data", epoch))
            left = torch.cat([left, following])
        yield distributed.shard(left[:batch_size])
        left = left[batch_size:]


def as_float(samples: Tensor) -> Tensor:
    """uint8 images as float32 in [0, 1]; points as they are."""
    return samples.float().div_(255) if samples.dtype == torch.uint8 else samples


def as_contiguous_tensor(samples: np.ndarray) -> Tensor:
    """Samples of a split as a tensor, in the order of their memory."""
    return torch.from_numpy(np.ascontiguousarray(samples))


class OnDevice:
    """Batches indexed where the data live: no copy, no worker, no wait for the host."""

    def __init__(self, samples: Tensor, batch_size: int, seed: int, first: int, last: int) -> None:
        self.samples, self.batch_size, self.seed = samples, batch_size, seed
        self.first, self.last = first, last

    def __len__(self) -> int:
        return self.last

    def __iter__(self) -> Iterator[Tensor]:
        order = shuffled(len(self.samples), self.batch_size, self.seed, self.first, self.last)
        for indices in order:
            yield as_float(self.samples[indices.to(self.samples.device)])


class OnHost(Dataset):
    """The same batches, cut on the host for a DataLoader; item n is batch first + n."""

    def __init__(self, samples: Tensor) -> None:
        self.samples = samples

    def __getitem__(self, indices: Tensor) -> Tensor:
        return as_float(self.samples[indices])


class BatchOrder:
    """The order as a DataLoader's sampler."""

    def __init__(self, count: int, batch_size: int, seed: int, first: int, last: int) -> None:
        self.settings = (count, batch_size, seed, first, last)
        self.last = last

    def __len__(self) -> int:
        return self.last

    def __iter__(self) -> Iterator[Tensor]:
        return shuffled(*self.settings)


class Batches(pl.LightningDataModule):
    """One batch per discriminator step, `d_steps` of them.

    Args:
        samples: images uint8 [N, C, H, W] or points float32 [N, D].
        batch_size: B.
        seed: of the stream "data".
        d_steps: the budget.
        on_device: keep all samples on the training device; else a DataLoader feeds them.
        workers: of that DataLoader.

    Raises:
        ValueError: there are no samples, or a batch of none is asked for.
    """

    def __init__(
        self,
        samples: np.ndarray,
        *,
        batch_size: int,
        seed: int,
        d_steps: int,
        on_device: bool,
        workers: int,
    ) -> None:
        super().__init__()
        if len(samples) == 0 or batch_size < 1:
            raise ValueError(f"{len(samples)} samples in batches of {batch_size}: need 1 or more")
        self.samples = as_contiguous_tensor(samples)
        self.batch_size, self.seed, self.d_steps = batch_size, seed, d_steps
        self.on_device, self.workers = on_device, workers

    def train_dataloader(self) -> OnDevice | DataLoader:
        """Batches from the step at which the model stands."""
        assert self.trainer is not None
        model: Any = self.trainer.lightning_module
        device = self.trainer.strategy.root_device
        order = (self.batch_size, self.seed, int(model.d_steps), self.d_steps)
        if self.on_device:
            return OnDevice(self.samples.to(device), *order)
        return DataLoader(
            OnHost(self.samples),
            sampler=BatchOrder(len(self.samples), *order),
            batch_size=None,
            num_workers=self.workers,
            pin_memory=device.type == "cuda",
        )
