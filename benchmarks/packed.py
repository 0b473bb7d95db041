"""Runs per hour of packs over runs one at a time, in one run, as ratios.

In every process at once, one kind after the other: Lightning's loop as a run has it, a bare PyTorch
loop (which reuses the discriminator's samples: a pass less), and stacks of R replicas. Blocks
alternate; a ratio is the median of the rounds' ratios. "Floor" is the share that is reached of the
slower of two floors: the products' arithmetic at the pace of one large product, and weights,
gradients and Adam's moments moved once at the pace of a copy.
"""

import argparse
import math
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

from bench.config import build
from bench.data.batches import as_contiguous_tensor
from bench.vectorized.stack import ReplicaStack
from bench.vectorized.trainer import train_step

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
WARM = 7  # steps: both players have moved, at n_dis = 5 too
PATIENCE = 3600  # seconds for a process


class Contestants:
    """Everything of a case that trains, set up once in a process; one stack at a time.

    Args:
        overrides, steps: of a case of `ON_CPU` or `ON_GPU`.
    """

    def __init__(self, overrides: list[str], steps: int, device: str) -> None:
        self.device, self.steps = torch.device(device), steps
        where = {"cuda": "gpu"}.get(device, device)
        fixed = [*overrides, f"trainer.accelerator={where}", "model.reuse_samples=false"]
        self.cfg, self.splits = case_of(fixed, steps)
        self.samples = as_contiguous_tensor(self.splits["train"].samples).to(self.device)
        self.folder = tempfile.TemporaryDirectory()
        self.stack: ReplicaStack | None = None

    def build(self, size: int) -> None:
        """A warm stack in place of the one before; none if it is too large."""
        self.stack = None
        models = []
        for seed in range(size):
            self.cfg.seed = seed
            models.append(build.build_model(self.cfg))
        try:
            self.stack = ReplicaStack(models, self.samples, self.cfg.batch_size)
            for _ in range(WARM):
                train_step(self.stack)
        except torch.OutOfMemoryError:
            self.stack = None

    def rate(self, kind: str | int) -> float:
        """Steps of one replica per second, all replicas taken together; NaN where memory ends."""
        if kind == "lightning":
            return suite(self.cfg, self.splits, self.steps, Path(self.folder.name))
        if kind == "bare":
            return bare(self.cfg, self.samples, self.steps)
        if self.stack is None:
            return math.nan
        count = max(2, self.steps // len(self.stack.models))
        self.wait()
        began = time.perf_counter()
        for _ in range(count):
            train_step(self.stack)
        self.wait()
        return count * len(self.stack.models) / (time.perf_counter() - began)

    def wait(self) -> None:
        """For the device."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def work(
    barrier: Any,
    told: Any,
    case: tuple,
    kinds: list[str],
    sizes: list[int],
    rounds: int,
    device: str,
) -> None:
    """One of the processes: for each size every kind in turn, all processes at the same one."""
    torch.set_num_threads(1)
    overrides, _, steps = case
    found: dict[int, dict[str, list[float]]] = {}
    try:
        ours = Contestants(overrides, steps, device)
        for size in sizes:
            ours.build(size)
            rates: dict[str, list[float]] = {kind: [] for kind in kinds}
            for _ in range(rounds + 1):
                for kind, some in rates.items():
                    barrier.wait()
                    some.append(ours.rate(kind))
            found[size] = {kind: some[1:] for kind, some in rates.items()}  # the first warms up
    except BaseException:
        barrier.abort()
        told.put({})
        raise
    told.put(found)


def together(processes: int, *given: Any) -> dict[int, dict[str, list[float]]]:
    """Rates of each size, kind and round, summed over processes that work at the same time."""
    context = multiprocessing.get_context("spawn")
    barrier, told = context.Barrier(processes), context.Queue()
    started = [context.Process(target=work, args=(barrier, told, *given)) for _ in range(processes)]
    for process in started:
        process.start()
    each = [told.get(timeout=PATIENCE) for _ in started]
    for process in started:
        process.join()
    if not all(each):
        sys.exit("a process failed, see above")
    return {
        size: {
            kind: [sum(round_) for round_ in zip(*(one[size][kind] for one in each), strict=True)]
            for kind in each[0][size]
        }
        for size in each[0]
    }


def memory_of(told: Any, overrides: list[str], steps: int, size: int, device: str) -> None:
    """Peak memory that a stack adds, in MiB."""
    torch.set_num_threads(1)
    ours = Contestants(overrides, steps, device)
    before = peak(device)
    ours.build(size)
    told.put(peak(device) - before)


def work_of(told: Any, overrides: list[str], steps: int, device: str) -> None:
    """FLOP and bytes of one replica's step, the mean over n_dis of them."""
    torch.set_num_threads(1)
    ours = Contestants(overrides, steps, device)
    ours.build(1)  # of more, torch would count grouped convolutions as if they were not
    assert ours.stack is not None
    rules = ours.stack.template.objective
    with FlopCounterMode(display=False) as counter:
        for _ in range(rules.n_dis):
            train_step(ours.stack)
    # read weight, gradient and two moments, write gradient, weight and moments: 8 floats of each
    g, d = (rows.shape[1] for rows in ours.stack.rows)
    told.put((counter.get_total_flops() / rules.n_dis, 8 * 4 * (d + g / rules.n_dis)))


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
    found = told.get(timeout=PATIENCE)
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
    singles = SINGLE if plain else SINGLE[:1]  # the bare loop is written for one loss
    flops_pace, bytes_pace = apart(paces, device)
    flops, moved = apart(work_of, overrides, steps, device)
    floors = flops / flops_pace, moved / bytes_pace
    print(
        f"\n{name}, {d_steps} steps a run, on {device}: {flops / 1e6:.0f} MFLOP and "
        f"{moved / 2**20:.1f} MiB a step, "
        f"floors {1e6 * floors[0]:.0f} and {1e6 * floors[1]:.0f} us "
        f"({flops_pace / 1e9:.0f} GFLOP/s, {bytes_pace / 2**30:.0f} GiB/s)"
    )
    head = "processes   kind        runs/hour   over lightning   over bare   MiB a pack   floor"
    print(head, flush=True)
    for processes in options.processes:
        found = together(processes, case, [*singles, "packed"], sizes, options.rounds, device)
        first = found[sizes[0]]
        lines = [(kind, first[kind], first) for kind in singles]
        lines += [(f"R = {size}", rates["packed"], rates) for size, rates in found.items()]
        for label, rates, beside in lines:
            rate = statistics.median(rates)
            line = f"{processes:>9}   {label:<9}{3600 * rate / d_steps:>12.1f}"
            for one, width in zip(SINGLE, (17, 12), strict=True):
                pairs = zip(rates, beside.get(one, []), strict=False)
                ratios = [a / b for a, b in pairs]
                line += f"{statistics.median(ratios):>{width}.2f}" if ratios else f"{'-':>{width}}"
            if processes == 1 and label not in SINGLE and rate == rate:
                memory = apart(memory_of, overrides, steps, int(label[4:]), device)
                line += f"{memory:>13.0f}{max(floors) * rate:>8.2f}"
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
