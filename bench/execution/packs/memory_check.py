"""Estimate the memory that a pack needs from one model, and compare it with what is free."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from torch import Tensor
from torch.nn.modules.module import register_module_forward_hook

from bench.config import build
from bench.core.batch import Batch
from bench.core.errors import UserError
from bench.execution.packs.plain_loop import PlainLoop

COPIES = 6  # of the weights: themselves, gradients, two moments, and a step's new weights, moments
GIB = 2**30


def required_bytes(cfg: DictConfig, data: Batch) -> int:
    """Return bytes for one replica: COPIES of its weights, and its layers' outputs in one step."""
    loop, output_bytes = PlainLoop(build.build_model(cfg), data, cfg.batch_size), 0

    def count_output(layer: torch.nn.Module, inputs: Any, output: Any) -> None:
        nonlocal output_bytes
        if isinstance(output, Tensor) and next(layer.children(), None) is None:
            output_bytes += output.numel() * output.element_size()

    handle = register_module_forward_hook(count_output)
    try:
        loop.step()
    finally:
        handle.remove()
    return COPIES * sum(p.nbytes for p in loop.model.parameters()) + output_bytes


def available_bytes(device: torch.device) -> int | None:
    """Return the bytes that are free on the device; None where the system does not tell."""
    if device.type == "cuda":
        release_cached_memory()
        return torch.cuda.mem_get_info(device)[0]
    free = None
    with suppress(FileNotFoundError):  # not Linux, or no control group
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvail"))
        free = min(free, cgroup_available_bytes(Path("/sys/fs/cgroup"), free))
    return free


def cgroup_available_bytes(group: Path, free: int) -> int:
    """Return the bytes of `free` that a control group may use; its file cache counts as free."""
    limit = (group / "memory.max").read_text(encoding="ascii").strip()
    if not limit.isdigit():
        return free
    used = int((group / "memory.current").read_text(encoding="ascii"))
    lines = (group / "memory.stat").read_text(encoding="ascii").splitlines()
    cached = sum(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
    return int(limit) - used + cached


def release_cached_memory() -> None:
    """Free unreachable objects, and the GPU blocks that torch caches and that count as used."""
    gc.collect()
    torch.cuda.empty_cache()


def check_memory(cfg: DictConfig, data: Batch, slots: int) -> None:
    """Refuse a pack that needs more memory than is free, with a UserError that states both."""
    device = data.samples.device
    need, free = slots * required_bytes(cfg, data), available_bytes(device)
    if free is not None and need > free:
        most = free * slots // need
        fix = f"make it smaller, {most} at most, or set pack=auto" if most else "set pack=off"
        needed = f"a pack of {slots} would need about {need / GIB:.1f} GiB"
        there = f"{free / GIB:.1f} GiB are free ({device.type})"
        raise UserError(f"{needed}, and {there}", fix=fix)


@contextmanager
def as_too_large(slots: int, device: torch.device) -> Iterator[None]:
    """Turn a device's out-of-memory error in the block into a UserError about the pack."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        free = (available_bytes(device) or 0) / GIB
        reason = f"{' '.join(str(error).split())[:160]} ({free:.1f} GiB are free)"
        message = f"a pack of {slots} is too large for the {device.type} device: {reason}"
        raise UserError(message, fix="make it smaller, or set pack=auto") from error
