"""A few steps of a model alone and in stacks: how fast a pack of R is on this machine."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from omegaconf import DictConfig
from torch import Tensor

from bench.config import build
from bench.core.errors import UserError
from bench.execution.packs.memory_check import as_too_large, check_memory
from bench.execution.packs.plain_loop import PlainLoop
from bench.vectorized.trainer import empty_stack, train_step

WARM = 12  # steps that are not counted: both players have moved, what is traced is traced
BLOCK = 10  # steps, two turns of five
BLOCKS = 3
BLOCK_SECONDS = 0.2  # a block is repeated until so much has passed
WORTH = 1.05  # times the pace of one at a time, from which on runs are packed
SLOWER = 0.9  # of the best pace, below which larger packs are not tried


@dataclass(frozen=True)
class PackSize:
    """How runs are best trained on this machine.

    Args:
        slots: of a pack; 0 for one at a time.
        why: what was measured, in a sentence.
    """

    slots: int
    why: str


def best_pack_size(cfg: DictConfig, samples: Tensor, most: int) -> PackSize:
    """The number of slots by which most runs end in a second on one core, if that pays.

    Powers of two are tried up to `most`, to what memory holds, or to where it gets slower again.

    Args:
        samples: of the training split, on the device that trains.
        most: how many runs there are for a pack.
    """
    alone = PlainLoop(build.build_model(cfg), samples, cfg.batch_size)
    for _ in range(WARM if most >= 2 else 0):
        alone.step()
    ratios: dict[int, float] = {}
    slots, limit = 2, "" if most >= 2 else "there are too few for every worker to have a pack"
    while slots <= most:
        try:
            check_memory(cfg, samples, slots)
            with as_too_large(slots, samples.device):
                ratios[slots] = speedup(cfg, samples, slots, alone, most)
        except UserError as error:
            limit = error.message
            break
        if ratios[slots] < SLOWER * max(ratios.values()):
            break
        slots *= 2
    best = max(ratios, key=lambda size: ratios[size], default=0)
    shown = ", ".join(f"{size} {ratio:.2f}" for size, ratio in ratios.items())
    said = "; ".join(part for part in (shown and f"R={shown}", limit) if part)
    if best and ratios[best] >= WORTH:
        return PackSize(best, f"packs of {best}, {ratios[best]:.2f} times one at a time ({said})")
    return PackSize(0, f"one at a time, a pack is not clearly faster ({said})")


def speedup(cfg: DictConfig, samples: Tensor, slots: int, alone: PlainLoop, runs: int) -> float:
    """How many times as many runs end, in a second on a core, in packs of `slots`.

    Both make steps in turn, since the machine may have other things to do. What it takes to begin a
    pack counts; a slot that has to stay empty does not.

    Args:
        alone: the run without a pack, warm.
        runs: that one pack after another would train.
    """
    device, clock = samples.device, _clock(samples.device)
    began = clock()
    stack, odd = empty_stack(build.build_model(cfg), slots, samples, cfg.batch_size)
    for slot in set(range(slots)) - set(odd):
        stack.insert(slot, build.build_model(cfg))
    train_step(stack)
    _wait(device)
    used = slots - len(odd)
    beginning = (clock() - began) * used / runs / cfg.d_steps  # a share for each step
    for _ in range(WARM):
        train_step(stack)
    paces = [
        (_seconds(alone.step, device), _seconds(partial(train_step, stack), device))
        for _ in range(BLOCKS)
    ]
    return used * statistics.median(one / (beginning + packed) for one, packed in paces)


def _seconds(step: Callable[[], None], device: torch.device) -> float:
    """Of one step."""
    clock, steps = _clock(device), 0
    _wait(device)
    began = clock()
    while clock() - began < BLOCK_SECONDS:
        for _ in range(BLOCK):
            step()
        _wait(device)
        steps += BLOCK
    return (clock() - began) / steps


def _clock(device: torch.device) -> Callable[[], float]:
    """On the CPU the time that counts is that of this process alone."""
    return time.process_time if device.type == "cpu" else time.perf_counter


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
