"""What a pack needs of memory, estimated from one model, against what is there."""

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
from bench.core.errors import UserError
from bench.execution.packs.plain_loop import PlainLoop

COPIES = 6  # of the weights: themselves, gradients, two moments, what a step makes of both
GIB = 2**30


def required_bytes(cfg: DictConfig, samples: Tensor) -> int:
    """Bytes for one replica: its weights in COPIES, and what the layers give out in one step."""
    bare, given = PlainLoop(build.build_model(cfg), samples, cfg.batch_size), 0

    def note(layer: torch.nn.Module, inputs: Any, output: Any) -> None:
        nonlocal given
        if isinstance(output, Tensor) and next(layer.children(), None) is None:
            given += output.numel() * output.element_size()

    handle = register_module_forward_hook(note)
    try:
        bare.step()
    finally:
        handle.remove()
    return COPIES * sum(p.nbytes for p in bare.model.parameters()) + given


def available_bytes(device: torch.device) -> int | None:
    """Bytes that are free on the device; None where nobody tells."""
    if device.type == "cuda":
        release_cached_memory()
        return torch.cuda.mem_get_info(device)[0]
    free = None
    with suppress(FileNotFoundError):  # no Linux, or no such limit
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvail"))
        free = min(free, left_of(Path("/sys/fs/cgroup"), free))
    return free


def left_of(group: Path, free: int) -> int:
    """Bytes that a control group may still use, of those that are free; files it has read are."""
    limit = (group / "memory.max").read_text(encoding="ascii").strip()
    if not limit.isdigit():
        return free
    used = int((group / "memory.current").read_text(encoding="ascii"))
    lines = (group / "memory.stat").read_text(encoding="ascii").splitlines()
    files = sum(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
    return int(limit) - used + files


def release_cached_memory() -> None:
    """What nobody uses any more, on GPUs too, where torch keeps it and it counts as used."""
    gc.collect()
    torch.cuda.empty_cache()


def check_memory(cfg: DictConfig, samples: Tensor, slots: int) -> None:
    """Refuse a pack that memory cannot hold.

    Raises:
        UserError: what it would need, and what is there.
    """
    need, free = slots * required_bytes(cfg, samples), available_bytes(samples.device)
    if free is not None and need > free:
        most = free * slots // need
        raise UserError(
            f"a pack of {slots} would need about {need / GIB:.1f} GiB, and {free / GIB:.1f} GiB "
            f"are free ({samples.device.type})",
            fix=f"make it smaller, {most} at most, or set pack=auto" if most else "set pack=off",
        )


@contextmanager
def as_too_large(slots: int, device: torch.device) -> Iterator[None]:
    """What the device says of a pack that is too large for it, as a sentence.

    Raises:
        UserError: instead of torch's error.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        free = available_bytes(device) or 0
        raise UserError(
            f"a pack of {slots} is too large for the {device.type} device: "
            f"{' '.join(str(error).split())[:160]} ({free / GIB:.1f} GiB are free)",
            fix="make it smaller, or set pack=auto",
        ) from error
