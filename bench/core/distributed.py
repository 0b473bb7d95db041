"""One run in several processes: which of them this is, and what all of them say.

A run is together only after `init`; before, and after `shutdown`, a process is alone and everything
here gives back what it was given. All processes call these functions in the same order with the
same shapes: each is a message that the others wait for.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor

TIMEOUT = timedelta(days=7)  # the others wait while one judges; the dead are seen elsewhere
SINGLE = (0, 1)

_rank, _size = SINGLE


def rank() -> int:
    """This process among `size()`, counted from 0."""
    return _rank


def world_size() -> int:
    """How many processes train this run."""
    return _size


def init(rank: int, size: int, meeting: Path, *, cuda: bool) -> None:
    """Become process `rank` of `world_size`.

    Args:
        meeting: a file that does not exist yet, the same for all of them.
        cuda: send CUDA tensors by NCCL; tensors of the CPU go by gloo always.
    """
    global _rank, _size
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if cuda else "gloo",
        init_method=meeting.absolute().as_uri(),
        rank=rank,
        world_size=size,
        timeout=TIMEOUT,
    )
    _rank, _size = rank, size


def shutdown() -> None:
    """Be alone from here on, once every process has come to this line."""
    global _rank, _size
    if _size > 1:
        any_rank(False)
        dist.destroy_process_group()
    _rank, _size = SINGLE


@contextmanager
def single_process() -> Iterator[None]:
    """Within the block this process is alone: the others are not there to answer."""
    global _rank, _size
    before = _rank, _size
    _rank, _size = SINGLE
    try:
        yield
    finally:
        _rank, _size = before


def any_rank(flag: bool) -> bool:
    """Whether any process says so; on the CPU, so that no device is waited for."""
    if _size == 1:
        return flag
    said = torch.tensor(int(flag))
    dist.all_reduce(said, op=dist.ReduceOp.MAX)
    return bool(said)


def shard(rows: Tensor) -> Tensor:
    """This process's part of rows [B, ...] that all have: the rank-th of `world_size` equal pieces.

    Raises:
        ValueError: they cannot be shared out evenly.
    """
    if _size == 1:
        return rows
    if len(rows) % _size:
        raise ValueError(f"{len(rows)} rows cannot be shared out among {_size} processes evenly")
    return rows.chunk(_size)[_rank]


def all_gather(rows: Tensor) -> Tensor:
    """The rows [B, ...] of all processes, [size * B, ...], in the order of `shard`.

    Rows that need a gradient travel as a sum with zeros, which can be differentiated.
    """
    if _size == 1:
        return rows
    if rows.requires_grad:
        others = torch.zeros_like(rows)
        return all_reduce_sum(torch.cat([rows if i == _rank else others for i in range(_size)]))
    rows = rows.detach().contiguous()
    parts = [torch.empty_like(rows) for _ in range(_size)]
    dist.all_gather(parts, rows)
    return torch.cat(parts)


def all_reduce_mean_(tensors: Sequence[Tensor]) -> None:
    """Replace each by its mean over the processes, in one message; the same bits everywhere."""
    if _size == 1:
        return
    flat = torch.cat([tensor.detach().reshape(-1) for tensor in tensors])
    dist.all_reduce(flat)
    flat /= _size
    for tensor, mean in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
        tensor.detach().copy_(mean.view_as(tensor))


def all_reduce_sum(part: Tensor) -> Tensor:
    """The sum over the processes; differentiable any number of times, under torch.func too."""
    return part if _size == 1 else _AllReduceSum.apply(part)


class _AllReduceSum(torch.autograd.Function):
    """Every process's loss depends on every part: its derivative is the same sum again."""

    @staticmethod
    def forward(part: Tensor) -> Tensor:
        found = part.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(found)
        return found

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        """Nothing to remember: the sum is linear."""

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        return _AllReduceSum.apply(gradient)
