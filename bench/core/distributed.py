"""One run in several processes: the rank of this process, and collective operations on tensors.

Between `init` and `shutdown` a process belongs to a group; before and after, the world size is 1
and every function here returns its argument. All processes of a group call these functions in the
same order with the same shapes: each call waits for the others.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

# The others wait while one process scores; a process that died is noticed by its worker pool.
TIMEOUT = timedelta(days=7)
SINGLE = (0, 1)

_rank, _size = SINGLE


def rank() -> int:
    """Return the number of this process in the group, from 0 to `world_size()` - 1."""
    return _rank


def world_size() -> int:
    """Return how many processes train this run."""
    return _size


def init(rank: int, size: int, rendezvous: Path, *, cuda: bool) -> None:
    """Join a group of `size` processes as process `rank`.

    Args:
        rank, size: this process in [0, size), and how many there are.
        rendezvous: a file that does not exist yet, the same path for all of them.
        cuda: send CUDA tensors by NCCL; CPU tensors always go by gloo.
    """
    global _rank, _size
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if cuda else "gloo",
        init_method=rendezvous.absolute().as_uri(),
        rank=rank,
        world_size=size,
        timeout=TIMEOUT,
    )
    _rank, _size = rank, size


def shutdown() -> None:
    """Leave the group once every process of it has called this."""
    global _rank, _size
    if _size > 1:
        any_rank(False)
        dist.destroy_process_group()
    _rank, _size = SINGLE


@contextmanager
def single_process() -> Iterator[None]:
    """Act as a group of one within the block, which the other processes do not enter."""
    global _rank, _size
    before = _rank, _size
    _rank, _size = SINGLE
    try:
        yield
    finally:
        _rank, _size = before


def any_rank(flag: bool) -> bool:
    """Return whether any process has the flag set; sent from the CPU, without waiting for a GPU."""
    if _size == 1:
        return flag
    any_flag = torch.tensor(int(flag))
    dist.all_reduce(any_flag, op=dist.ReduceOp.MAX)
    return bool(any_flag)


def shard(rows: Tensor) -> Tensor:
    """Return the `rank`-th of `world_size` equal pieces of rows [B, ...]; ValueError if unequal."""
    if _size == 1:
        return rows
    if len(rows) % _size:
        raise ValueError(f"{len(rows)} rows cannot be divided evenly among {_size} processes")
    return rows.chunk(_size)[_rank]


def all_gather(rows: Tensor) -> Tensor:
    """Return the rows [B, ...] of all processes, [size * B, ...], in the order of `shard`.

    Rows that need a gradient are sent as a sum with zeros, which can be differentiated.
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
    """Replace each tensor by its mean over the processes, in one message; equal bits everywhere."""
    if _size == 1:
        return
    flat = torch.cat([tensor.detach().reshape(-1) for tensor in tensors])
    dist.all_reduce(flat)
    flat /= _size
    for tensor, mean in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
        tensor.detach().copy_(mean.view_as(tensor))


def all_reduce_sum(part: Tensor) -> Tensor:
    """Sum a tensor over the processes; differentiable any number of times, under torch.func too."""
    return part if _size == 1 else _AllReduceSum.apply(part)


class _AllReduceSum(torch.autograd.Function):
    """Sum whose derivative is the sum again: every process's loss depends on every part."""

    @staticmethod
    def forward(part: Tensor) -> Tensor:
        total = part.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        """Save nothing: the sum is linear."""

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _AllReduceSum.apply(gradient)
