"""Runs per hour of packs over runs one at a time, in one run, as ratios.

In every process at once, one kind after the other: Lightning's loop as a run has it, a bare PyTorch
loop (which reuses the discriminator's samples: a pass less), and stacks of R replicas. Blocks
alternate; a ratio is the median of the rounds' ratios. "Floor" is the share that is reached of the
slower of two floors: the products' arithmetic at the pace of one large product, and weights,
gradients and Adam's moments moved once at the pace of a copy.
"""

import argparse
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode
from training import bare, case_of, suite

from bench import build
from bench.packed import Stack

NARROW = ["network.dense=64", "network.deep=16", "network.shallow=8"]
ON_CPU = {  # name: overrides, discriminator steps of a run, steps of a block
    "digits": (["sweeps=quick"], 1500, 24),
    "digits, a quarter as wide": (["sweeps=quick", *NARROW], 1500, 96),
    "digits, wgan_gp": (["sweeps=quick", "variant=wgan_gp"], 1500, 16),
    "ring": (["dataset=ring", "hyperparameters.d_batch_norm=false"], 20000, 160),
}
ON_GPU = {
    "28x28": (["dataset.shape=[1,28,28]"], 15625, 256),
    "28x28, wgan_gp": (["dataset.shape=[1,28,28]", "variant=wgan_gp"], 15625, 128),
    "digits": (["sweeps=quick"], 1500, 256),
}
SINGLE = ("lightning", "bare")


class Contestants:
    """Everything of a case that trains, set up once in a process.

    Args:
        overrides, steps: of a case of `ON_CPU` or `ON_GPU`.
        sizes: R of each stack.
    """

    def __init__(self, overrides: list[str], steps: int, sizes: list[int], device: str) -> None:
        self.device, self.steps = torch.device(device), steps
        where = {"cuda": "gpu"}.get(device, device)
        fixed = [*overrides, f"trainer.accelerator={where}", "model.reuse_samples=false"]
        self.cfg, self.splits = case_of(fixed, steps)
        self.samples = torch.from_numpy(self.splits["train"].samples).to(self.device)
        self.stacks = {size: self.stack_of(size) for size in sizes}
        self.folder = tempfile.TemporaryDirectory()

    def stack_of(self, size: int) -> Stack:
        """A stack that has traced what it runs."""
        models = []
        for seed in range(size):
            self.cfg.seed = seed
            models.append(build.build_model(self.cfg))
        stack = Stack(models, self.samples, self.cfg.batch_size)
        for _ in range(2):
            stack.step()
        return stack

    def rate(self, kind: str | int) -> float:
        """Steps of one replica per second, all replicas taken together."""
        if kind == "lightning":
            return suite(self.cfg, self.splits, self.steps, Path(self.folder.name))
        if kind == "bare":
            return bare(self.cfg, self.samples, self.steps)
        assert isinstance(kind, int)
        count = max(2, self.steps // kind)
        self.wait()
        began = time.perf_counter()
        for _ in range(count):
            self.stacks[kind].step()
        self.wait()
        return count * kind / (time.perf_counter() - began)

    def wait(self) -> None:
        """For the device."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def work(
    barrier: Any, told: Any, case: tuple, kinds: list[str | int], rounds: int, device: str
) -> None:
    """One of the processes: every kind in turn, all processes at the same one."""
    torch.set_num_threads(1)
    overrides, _, steps = case
    found: dict[str | int, list[float]] = {kind: [] for kind in kinds}
    try:
        ours = Contestants(overrides, steps, [k for k in kinds if isinstance(k, int)], device)
        for _ in range(rounds + 1):
            for kind in kinds:
                barrier.wait()
                found[kind].append(ours.rate(kind))
    except BaseException:
        barrier.abort()
        told.put({})
        raise
    told.put({kind: rates[1:] for kind, rates in found.items()})  # the first round warms up


def together(processes: int, *given: Any) -> dict[str | int, list[float]]:
    """Rates of each kind and round, summed over processes that work at the same time."""
    context = multiprocessing.get_context("spawn")
    barrier, told = context.Barrier(processes), context.Queue()
    started = [context.Process(target=work, args=(barrier, told, *given)) for _ in range(processes)]
    for process in started:
        process.start()
    each = [told.get() for _ in started]
    for process in started:
        process.join()
    if not all(each):
        sys.exit("a process failed, see above")
    return {kind: [sum(r) for r in zip(*(o[kind] for o in each), strict=True)] for kind in each[0]}


def costs(told: Any, overrides: list[str], steps: int, size: int, device: str) -> None:
    """Peak memory that a stack adds (MiB), and FLOP and bytes of a replica's step."""
    torch.set_num_threads(1)
    empty = Contestants(overrides, steps, [1], device)
    before = peak(device)
    stack = empty.stack_of(size)
    memory = peak(device) - before
    with FlopCounterMode(display=False) as counter:
        stack.step()
    # read weight, gradient and two moments, write gradient, weight and moments: 8 floats of each
    moved = 8 * 4 * sum(rows[0].numel() for rows in stack.rows)
    told.put((memory, counter.get_total_flops() / size, moved))


def peak(device: str) -> float:
    """MiB, of the device or of the process."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 2**10


def apart(function: Callable[..., None], *given: Any) -> Any:
    """What a function tells from a process of its own."""
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    process = context.Process(target=function, args=(told, *given))
    process.start()
    found = told.get()
    process.join()
    return found


def paces(told: Any, device: str) -> None:
    """FLOP and bytes a second of this device, of one large product and one large copy."""
    torch.set_num_threads(1)
    side, size = (8192, 2**28) if device == "cuda" else (768, 2**24)
    a, b = torch.randn(2, side, side, device=device)
    source, target = torch.randn(2, size, device=device)
    seconds = []
    for act in (lambda: torch.mm(a, b), lambda: target.copy_(source)):
        took = []
        for _ in range(7):
            if device == "cuda":
                torch.cuda.synchronize()
            began = time.perf_counter()
            act()
            if device == "cuda":
                torch.cuda.synchronize()
            took.append(time.perf_counter() - began)
        seconds.append(min(took))
    told.put((2 * side**3 / seconds[0], 8 * size / seconds[1]))


def show(
    name: str, case: tuple, sizes: list[int], options: argparse.Namespace, device: str
) -> None:
    """A table of one case."""
    overrides, d_steps, steps = case
    plain = not any(override.startswith("variant=") for override in overrides)
    kinds = [*(SINGLE if plain else SINGLE[:1]), *sizes]  # the bare loop is written for one loss
    flops_pace, bytes_pace = apart(paces, device)
    print(f"\n{name}, {d_steps} steps a run, on {device}")
    head = "processes   kind        runs/hour   over lightning   over bare   MiB a pack   floor"
    print(head, flush=True)
    for processes in options.processes:
        found = together(processes, case, kinds, options.rounds, device)
        for kind in kinds:
            rate = statistics.median(found[kind])
            over = [
                statistics.median(a / b for a, b in zip(found[kind], found[one], strict=True))
                if one in found
                else float("nan")
                for one in SINGLE
            ]
            line = f"{processes:>9}   {kind if isinstance(kind, str) else f'R = {kind}':<9}"
            line += f"{3600 * rate / d_steps:>12.1f}{over[0]:>17.2f}{over[1]:>12.2f}"
            if isinstance(kind, int) and processes == 1:
                memory, flops, moved = apart(costs, overrides, steps, kind, device)
                floor = max(flops / flops_pace, moved / bytes_pace)
                line += f"{memory:>13.0f}{floor * rate:>8.2f}"
            print(line, flush=True)


def main() -> None:
    """The CPU's part, and the GPU's where there is one."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5, help="blocks of each, alternating")
    options.add_argument("--sizes", type=int, nargs="+", help="R; default 2 to 16, on a GPU to 512")
    options.add_argument("--processes", type=int, nargs="+", default=[1, os.cpu_count() or 1])
    options.add_argument("--cases", nargs="+", help="names of cases; default all")
    arguments = options.parse_args()
    parts = [("cpu", ON_CPU, [2, 4, 8, 16])]
    if torch.cuda.is_available():
        parts.append(("cuda", ON_GPU, [2**n for n in range(1, 10)]))
    for device, cases, sizes in parts:
        for name, case in cases.items():
            if arguments.cases is None or name in arguments.cases:
                show(name, case, arguments.sizes or sizes, arguments, device)
    if len(parts) == 1:
        print("\nno GPU here: its part was not measured")


if __name__ == "__main__":
    main()
