"""Endless shuffled batches: one permutation per epoch, concatenated and cut into batches.

The order is a function of (seed, step) alone: a run that resumes at step n gets the batches that it
would have got. Deviation: compare_gan v1 repeats, then shuffles within a buffer of 10,000, with one
seed for all runs; epochs overlap there in another way.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from bench.core import distributed
from bench.core.batch import Batch
from bench.core.seeds import generator
from bench.data.lightning import pl
from bench.data.split import Split

STREAM = "data"  # the order of the batches
FRESH_STREAM = "fresh data"  # that of the generator's own real samples


def iter_batch_indices(
    count: int,
    batch_size: int,
    seed: int,
    first: int,
    last: int,
    stream: str = STREAM,
    device: torch.device | str = "cpu",
) -> Iterator[Tensor]:
    """Yield indices [batch_size] of batches `first` to `last` - 1, int64 below `count`.

    Where several processes train together, each gets its share of every batch. An epoch's order is
    copied to the device at once, so that no step waits for a copy.
    """

    def permutation(epoch: int) -> Tensor:
        return torch.randperm(count, generator=generator(seed, stream, epoch)).to(device)

    epoch, offset = divmod(first * batch_size, count)
    remaining = permutation(epoch)[offset:]
    for _ in range(first, last):
        while len(remaining) < batch_size:
            epoch += 1
            remaining = torch.cat([remaining, permutation(epoch)])
        yield distributed.shard(remaining[:batch_size])
        remaining = remaining[batch_size:]


def as_float(samples: Tensor) -> Tensor:
    """Convert uint8 images to float32 in [0, 1]; leave points unchanged."""
    return samples.float().div_(255) if samples.dtype == torch.uint8 else samples


def as_contiguous_tensor(samples: np.ndarray) -> Tensor:
    """Convert the samples of a split to a tensor of contiguous memory."""
    return torch.from_numpy(np.ascontiguousarray(samples))


class BatchIndexSampler:
    """The indices of each batch, as a DataLoader's sampler: of one order, or of several."""

    def __init__(
        self,
        count: int,
        batch_size: int,
        seed: int,
        first: int,
        last: int,
        streams: Sequence[str],
        device: torch.device | str = "cpu",
    ) -> None:
        self.settings, self.streams = (count, batch_size, seed, first, last), streams
        self.device = device

    def __len__(self) -> int:
        return self.settings[-1]

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        orders = (iter_batch_indices(*self.settings, s, self.device) for s in self.streams)
        return zip(*orders, strict=True)


def with_mirrored(train: Split, flips: bool) -> Split:
    """Return a training split, with `flips` followed by the mirror image of each of its images.

    Doubling the data set is how StyleGAN2-ADA's code flips: an epoch has each image both ways.

    Raises:
        ValueError: the samples are no images.
    """
    if not flips:
        return train
    if train.samples.ndim != 4:
        raise ValueError("flips=true mirrors images, and this data set holds points: leave it out")
    samples = np.concatenate([train.samples, train.samples[..., ::-1]])
    labels = None if train.labels is None else np.concatenate([train.labels, train.labels])
    return Split(samples, labels)


def training_data(train: Split) -> Batch:
    """Return a training split as one batch with its labels, in memory that is contiguous."""
    labels = {} if train.labels is None else {"labels": torch.from_numpy(train.labels)}
    return Batch(as_contiguous_tensor(train.samples), labels)


def pick(data: Batch, indices: Tensor) -> Batch:
    """Return the samples of indices, float32, with their labels."""
    labels = {name: each[indices] for name, each in data.labels.items()}
    return Batch(as_float(data.samples[indices]), labels)


def pick_each(data: Batch, orders: Sequence[Tensor]) -> Any:
    """Return the batch of each order's indices: a single one, or a tuple."""
    batches = tuple(pick(data, indices) for indices in orders)
    return batches if len(batches) > 1 else batches[0]


def to_device(data: Batch, device: torch.device) -> Batch:
    """Return samples and labels on a device."""
    labels = {name: each.to(device) for name, each in data.labels.items()}
    return Batch(data.samples.to(device), labels)


class DeviceBatches:
    """Batches indexed on the device of the data: no copy, no worker, no wait for the host."""

    def __init__(self, data: Batch, order: BatchIndexSampler) -> None:
        self.data, self.order = data, order

    def __len__(self) -> int:
        return len(self.order)

    def __iter__(self) -> Iterator[Any]:
        for indices in self.order:
            yield pick_each(self.data, indices)


class HostBatches(Dataset):
    """Batches indexed on the host, for a DataLoader whose sampler yields the indices of a batch."""

    def __init__(self, data: Batch) -> None:
        self.data = data

    def __getitem__(self, indices: Sequence[Tensor]) -> Any:
        return pick_each(self.data, indices)


class Batches(pl.LightningDataModule):
    """One batch per discriminator step, `d_steps` of them.

    Args:
        train: the training split: images uint8 [N, C, H, W] or points float32 [N, D]; its labels
            ride along where the model is conditional.
        batch_size: number of samples in a batch, B.
        seed: seed of the random stream "data".
        d_steps: budget, in discriminator steps.
        on_device: keep all samples on the training device; else a DataLoader feeds them.
        workers: number of that DataLoader's worker processes.

    Raises:
        ValueError: there are no samples, or `batch_size` is below 1.
    """

    def __init__(
        self,
        train: Split,
        *,
        batch_size: int,
        seed: int,
        d_steps: int,
        on_device: bool,
        workers: int,
    ) -> None:
        super().__init__()
        count = len(train.samples)
        if count == 0 or batch_size < 1:
            raise ValueError(f"{count} samples in batches of {batch_size}: need 1 or more")
        self.train_split = train
        self.batch_size, self.seed, self.d_steps = batch_size, seed, d_steps
        self.on_device, self.workers = on_device, workers

    def train_dataloader(self) -> DeviceBatches | DataLoader:
        """Return the batches from the model's current step on."""
        assert self.trainer is not None
        model: Any = self.trainer.lightning_module
        device = self.trainer.strategy.root_device
        streams = (STREAM, FRESH_STREAM) if model.reads_fresh_real else (STREAM,)
        steps = int(model.d_steps), self.d_steps
        data = training_data(self.train_split)
        data = data if model.conditional else data._replace(labels={})
        order = BatchIndexSampler(
            *(len(data.samples), self.batch_size, self.seed, *steps, streams),
            device=device if self.on_device else "cpu",
        )
        if self.on_device:
            return DeviceBatches(to_device(data, device), order)
        return DataLoader(
            HostBatches(data),
            sampler=order,
            batch_size=None,
            num_workers=self.workers,
            pin_memory=device.type == "cuda",
        )
