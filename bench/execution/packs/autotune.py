"""Choose the size of packs for this machine, by timing a few steps alone and in stacks."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from omegaconf import DictConfig

from bench.config import build
from bench.core.batch import Batch
from bench.core.errors import UserError
from bench.execution.packs.memory_check import as_too_large, check_memory
from bench.execution.packs.plain_loop import PlainLoop
from bench.vectorized.trainer import build_empty_stack, train_step

WARMUP_STEPS = 12  # not timed: both players have moved, everything that is traced is traced
BLOCK_STEPS = 10  # timed together: two rounds of five discriminator steps
BLOCKS = 3
BLOCK_SECONDS = 0.2  # a block is repeated until this much time has passed
MIN_SPEEDUP = 1.05  # over one run at a time, from which on runs are packed
GIVE_UP_RATIO = 0.9  # of the best speedup, below which larger packs are not tried


@dataclass(frozen=True)
class PackSize:
    """Hold the size of packs by which most runs end in a given time.

    Args:
        slots: slots of a pack; 0 for one run at a time.
        why: what was measured, in a sentence.
    """

    slots: int
    why: str


def best_pack_size(cfg: DictConfig, data: Batch, most: int) -> PackSize:
    """Return the number of slots by which most runs end per second and core, if packing pays.

    Powers of two are tried up to `most`, to what memory holds, or to where it gets slower again.

    Args:
        data: the training split, on the device that trains.
        most: how many runs there are for a pack.
    """
    single = PlainLoop(build.build_model(cfg), data, cfg.batch_size)
    for _ in range(WARMUP_STEPS if most >= 2 else 0):
        single.step()
    speedups: dict[int, float] = {}
    slots, limit = 2, "" if most >= 2 else "there are too few for every worker to have a pack"
    while slots <= most:
        try:
            check_memory(cfg, data, slots)
            with as_too_large(slots, data.samples.device):
                speedups[slots] = speedup(cfg, data, slots, single, most)
        except UserError as error:
            limit = error.message
            break
        if speedups[slots] < GIVE_UP_RATIO * max(speedups.values()):
            break
        slots *= 2
    best = max(speedups, key=lambda size: speedups[size], default=0)
    shown = ", ".join(f"{size} {ratio:.2f}" for size, ratio in speedups.items())
    measured = "; ".join(part for part in (shown and f"R={shown}", limit) if part)
    if best and speedups[best] >= MIN_SPEEDUP:
        why = f"packs of {best}, {speedups[best]:.2f} times one at a time ({measured})"
        return PackSize(best, why)
    return PackSize(0, f"one at a time, a pack is not clearly faster ({measured})")


def speedup(cfg: DictConfig, data: Batch, slots: int, single: PlainLoop, runs: int) -> float:
    """Return runs per second and core in packs of `slots`, over that of one run at a time.

    The two are timed in turn, since the machine may be doing other things. The time to build a pack
    counts; a slot that has to stay empty trains no run.

    Args:
        single: the run without a pack, warmed up.
        runs: how many runs would pass through the pack, one after another in each slot.
    """
    device = data.samples.device
    clock = _clock(device)
    started_at = clock()
    stack, odd_slots = build_empty_stack(build.build_model(cfg), slots, data, cfg.batch_size)
    for slot in set(range(slots)) - set(odd_slots):
        stack.insert(slot, build.build_model(cfg))
    train_step(stack)
    _synchronise(device)
    used = slots - len(odd_slots)
    setup_per_step = (clock() - started_at) * used / runs / cfg.d_steps
    for _ in range(WARMUP_STEPS):
        train_step(stack)
    steps = (single.step, partial(train_step, stack))
    times = [[_seconds_per_step(step, device) for step in steps] for _ in range(BLOCKS)]
    return used * statistics.median(one / (setup_per_step + packed) for one, packed in times)


def _seconds_per_step(step: Callable[[], None], device: torch.device) -> float:
    clock, steps = _clock(device), 0
    _synchronise(device)
    started_at = clock()
    while clock() - started_at < BLOCK_SECONDS:
        for _ in range(BLOCK_STEPS):
            step()
        _synchronise(device)
        steps += BLOCK_STEPS
    return (clock() - started_at) / steps


def _clock(device: torch.device) -> Callable[[], float]:
    """Return a clock in seconds; on the CPU it counts the time of this process alone."""
    return time.process_time if device.type == "cpu" else time.perf_counter


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
