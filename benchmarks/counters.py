"""Count what makes the host wait for the device in a step, its operations, and its bytes.

On a CPU build all tensors count as the device's: a read of a value is one wait, and so is a copy
that names a device without `non_blocking`, unless the tensor is there already, which only a GPU can
tell. The counts of copies are therefore upper bounds. On a GPU, `cuda_waits` asks torch itself.
"""

import warnings
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

ATEN = torch.ops.aten
READS = {  # whose result's value or shape depends on values
    ATEN._local_scalar_dense.default: "item",
    ATEN.nonzero.default: "nonzero",
    ATEN.masked_select.default: "masked_select",
    ATEN._unique2.default: "unique",
}
TO_HOST = {Tensor.tolist: "tolist", Tensor.numpy: "numpy", Tensor.cpu: "cpu"}
INDEXED = (Tensor.__getitem__, Tensor.__setitem__)
LAUNCHES = ("cudaLaunchKernel", "cuLaunchKernel", "cudaGraphLaunch")


class OperationCounter(TorchDispatchMode):
    """Count operations, and those among them whose result the host reads, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.operations, self.reads = 0, Counter[str]()

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        self.operations += 1
        if operation in READS:
            self.reads[READS[operation]] += 1
        elif operation is ATEN.index.Tensor and any(
            index is not None and index.dtype in (torch.bool, torch.uint8) for index in args[1]
        ):
            self.reads["index by a mask"] += 1
        return operation(*args, **(kwargs or {}))


class CopyCounter(TorchFunctionMode):
    """Count copies between host and device that the host would wait for, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.copies = Counter[str]()

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function in TO_HOST:
            self.copies[TO_HOST[function]] += 1
        elif function in (torch.tensor, torch.as_tensor) and kwargs.get("device") is not None:
            self.copies["tensor"] += 1
        elif function in INDEXED and isinstance(args[1], list):
            self.copies["index by a list"] += 1
        elif function is Tensor.to and not kwargs.get("non_blocking"):
            named = (*args[1:], kwargs.get("device"))
            self.copies["to"] += any(isinstance(each, torch.device | str) for each in named)
        return function(*args, **kwargs)


def count_waits(step: Callable[[], Any]) -> tuple[int, Counter[str]]:
    """Return a step's operations, and the waits of the host in it by name, from a run on the CPU.

    Args:
        step: warmed up, so that nothing is traced or allocated for the first time.
    """
    operations, copies = OperationCounter(), CopyCounter()
    with operations, copies:
        step()
    return operations.operations, +(operations.reads + copies.copies)


def cuda_waits(step: Callable[[], Any]) -> int:
    """Return the waits of the host in a step on the GPU, as torch itself warns of them."""
    torch.cuda.synchronize()
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            step()
        finally:
            torch.cuda.set_sync_debug_mode(before)
    return sum("synchronizing CUDA operation" in str(each.message) for each in caught)


def cuda_launches(step: Callable[[], Any]) -> int:
    """Return the kernels, or graphs of kernels, that a step on the GPU launches."""
    activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profile:
        step()
        torch.cuda.synchronize()
    return sum(e.count for e in profile.key_averages() if e.key.startswith(LAUNCHES))


class LiveBytes(TorchDispatchMode):
    """Follow the bytes of tensors that operations in the block allocate; `peak` is their maximum.

    Memory inside an operation, a convolution's workspace for example, is not seen.
    """

    def __init__(self) -> None:
        super().__init__()
        self.live, self.peak = 0, 0
        self.known = weakref.WeakSet[torch.UntypedStorage]()

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        given = self._storages((args, kwargs))
        result = operation(*args, **(kwargs or {}))
        fresh = self._storages(result) - given
        for storage in [each for each in fresh if each not in self.known]:
            self.known.add(storage)
            self.live += storage.nbytes()
            weakref.finalize(storage, self._free, storage.nbytes())
        self.peak = max(self.peak, self.live)
        return result

    def _storages(self, tree: Any) -> set[torch.UntypedStorage]:
        return {leaf.untyped_storage() for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)}

    def _free(self, n_bytes: int) -> None:
        self.live -= n_bytes


def state_bytes(model: nn.Module) -> int:
    """Return the bytes that a replica keeps under Adam: 4 for each of its weights' bytes, buffers.

    The weight, its gradient and two moments; weights that no optimizer moves count once.
    """
    weights = sum((4 if p.requires_grad else 1) * p.nbytes for p in model.parameters())
    return weights + sum(buffer.nbytes for buffer in model.buffers())


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """Make new tensors of a type within the block."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
