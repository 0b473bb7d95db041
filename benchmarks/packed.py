"""Compare runs per hour in packs with runs one at a time, as ratios.

All processes time the same kinds in turn: a run's own Lightning loop, a bare PyTorch loop (which
reuses the discriminator's samples and so saves a pass), and stacks of R replicas. Blocks alternate;
a ratio is the median over rounds. The column "floor" is the shortest possible time of a step over
its measured time; the former is the larger of two: the arithmetic at the rate of one large matrix
product, and moving weights, gradients and Adam's moments once at the rate of a copy.
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
from loops import bare_seconds, load_case, suite_seconds, synchronize
from torch.utils.flop_counter import FlopCounterMode

from bench.config import build
from bench.core.determinism import deterministic_algorithms
from bench.data.batches import as_contiguous_tensor
from bench.vectorized.stack import ReplicaStack
from bench.vectorized.trainer import train_step

NARROW = ["network.dense=64", "network.deep=16", "network.shallow=8"]
ON_CPU = {  # name: overrides, discriminator steps of a run, steps of a block
    "digits": (["sweeps=quick"], 1500, 24),
    "digits, a quarter as wide": (["sweeps=quick", *NARROW], 1500, 96),
    "digits, wgan_gp": (["sweeps=quick", "variant=wgan_gp"], 1500, 16),
    "ring": (["preset=study", "dataset=ring", "hyperparameters.d_batch_norm=false"], 20000, 160),
}
ON_GPU = {
    "28x28": (["preset=study", "dataset.shape=[1,28,28]"], 15625, 256),
    "28x28, wgan_gp": (["preset=study", "dataset.shape=[1,28,28]", "variant=wgan_gp"], 15625, 128),
    "digits": (["sweeps=quick"], 1500, 256),
}
SINGLE = ("lightning", "bare")
WARM = 7  # warm-up steps: both players have moved, also with n_dis = 5
TIMEOUT = 3600  # seconds for a process


class CaseTimer:
    """Time the three ways to train a case; at most one stack exists at a time.

    Args:
        overrides, steps: overrides and block length of a case in `ON_CPU` or `ON_GPU`.
        device: "cpu" or "cuda".
    """

    def __init__(self, overrides: list[str], steps: int, device: str) -> None:
        self.device, self.steps = torch.device(device), steps
        accelerator = {"cuda": "gpu"}.get(device, device)
        self.cfg, self.splits = load_case(
            [*overrides, "model.reuse_samples=false"], steps, accelerator
        )
        self.samples = as_contiguous_tensor(self.splits["train"].samples).to(self.device)
        self.folder = tempfile.TemporaryDirectory()
        self.stack: ReplicaStack | None = None

    def build(self, size: int) -> None:
        """Replace the stack by a warmed-up one of `size` replicas; None if memory is too small."""
        self.stack = None
        models = []
        for seed in range(size):
            self.cfg.seed = seed
            models.append(build.build_model(self.cfg))
        try:
            self.stack = ReplicaStack(models, self.samples, self.cfg.batch_size)
            with deterministic_algorithms():
                for _ in range(WARM):
                    train_step(self.stack)
        except torch.OutOfMemoryError:
            self.stack = None

    def rate(self, kind: str | int) -> float:
        """Return replica steps per second, summed over replicas; NaN if memory is too small."""
        if kind == "lightning":
            folder = Path(self.folder.name)
            case = self.cfg, self.splits, self.steps, folder
            return self.steps / suite_seconds(*case, time.perf_counter)
        if kind == "bare":
            loop = self.cfg, self.samples, self.steps
            return self.steps / bare_seconds(*loop, two_passes=False, clock=time.perf_counter)
        if self.stack is None:
            return math.nan
        count = max(2, self.steps // len(self.stack.models))
        synchronize(self.device)
        started = time.perf_counter()
        with deterministic_algorithms():  # as a run trains
            for _ in range(count):
                train_step(self.stack)
        synchronize(self.device)
        return count * len(self.stack.models) / (time.perf_counter() - started)


def measure_rates(
    barrier: Any,
    results: Any,
    case: tuple,
    kinds: list[str],
    sizes: list[int],
    rounds: int,
    device: str,
) -> None:
    """Measure each size and kind in turn, in step with the other processes; put the rates."""
    torch.set_num_threads(1)
    overrides, _, steps = case
    rates_by_size: dict[int, dict[str, list[float]]] = {}
    try:
        timer = CaseTimer(overrides, steps, device)
        for size in sizes:
            timer.build(size)
            rates: dict[str, list[float]] = {kind: [] for kind in kinds}
            for _ in range(rounds + 1):
                for kind, values in rates.items():
                    barrier.wait()
                    values.append(timer.rate(kind))
            # the first round warms up
            rates_by_size[size] = {kind: values[1:] for kind, values in rates.items()}
    except BaseException:
        barrier.abort()
        results.put({})
        raise
    results.put(rates_by_size)


def measure_in_processes(n_processes: int, *arguments: Any) -> dict[int, dict[str, list[float]]]:
    """Return rates by size, kind and round, summed over processes that work at the same time."""
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(n_processes), context.Queue()
    processes = [
        context.Process(target=measure_rates, args=(barrier, results, *arguments), daemon=True)
        for _ in range(n_processes)
    ]
    try:
        for process in processes:
            process.start()
        rates = [results.get(timeout=TIMEOUT) for _ in processes]
    finally:
        stop(processes)
    if not all(rates):
        raise RuntimeError("a process failed, see its traceback above")
    return {
        size: {
            kind: [sum(round_) for round_ in zip(*(r[size][kind] for r in rates), strict=True)]
            for kind in rates[0][size]
        }
        for size in rates[0]
    }


def measure_memory(result: Any, overrides: list[str], steps: int, size: int, device: str) -> None:
    """Put the peak memory that a stack adds, in MiB."""
    torch.set_num_threads(1)
    timer = CaseTimer(overrides, steps, device)
    before = peak_memory_mib(device)
    timer.build(size)
    result.put(peak_memory_mib(device) - before)


def count_work(result: Any, overrides: list[str], steps: int, device: str) -> None:
    """Put FLOP and bytes of one replica's step, averaged over n_dis steps."""
    torch.set_num_threads(1)
    timer = CaseTimer(overrides, steps, device)
    timer.build(1)  # with more replicas, torch counts grouped convolutions as ungrouped ones
    assert timer.stack is not None
    objective = timer.stack.template.objective
    n_dis = objective.update_order.n_dis
    with FlopCounterMode(display=False) as counter:
        for _ in range(n_dis):
            train_step(timer.stack)
    # read weight, gradient and two moments, write gradient, weight and moments: 8 floats per weight
    g, d = (rows.shape[1] for rows in timer.stack.rows)
    result.put((counter.get_total_flops() / n_dis, 8 * 4 * (d + g / n_dis)))


def peak_memory_mib(device: str) -> float:
    """Return the peak memory of the GPU or of the process, in MiB."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 2**10


def call_in_process(function: Callable[..., None], *arguments: Any) -> Any:
    """Call a function in a fresh process and return what it puts into the queue."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=function, args=(queue, *arguments), daemon=True)
    try:
        process.start()
        return queue.get(timeout=TIMEOUT)
    finally:
        stop([process])


def stop(processes: list[Any]) -> None:
    """Wait for processes whose results are there, or end them where an error left them behind."""
    for process in processes:
        if process.pid is not None:
            if sys.exc_info()[0] is not None:
                process.terminate()
            process.join()


def measure_peak_rates(result: Any, device: str) -> None:
    """Put the FLOP per second of a large matrix product and the bytes per second of a copy."""
    torch.set_num_threads(1)
    side, size = (8192, 2**28) if device == "cuda" else (768, 2**24)
    a, b = torch.randn(2, side, side, device=device)
    source, target = torch.randn(2, size, device=device)
    seconds = []
    for operation in (lambda: torch.mm(a, b), lambda: target.copy_(source)):
        times = []
        for _ in range(7):
            if device == "cuda":
                torch.cuda.synchronize()
            started = time.perf_counter()
            operation()
            if device == "cuda":
                torch.cuda.synchronize()
            times.append(time.perf_counter() - started)
        seconds.append(min(times))
    result.put((2 * side**3 / seconds[0], 8 * size / seconds[1]))


def print_case(
    name: str, case: tuple, sizes: list[int], options: argparse.Namespace, device: str
) -> None:
    """Measure one case and print its table."""
    overrides, d_steps, steps = case
    default_loss = not any(override.startswith("variant=") for override in overrides)
    singles = (
        SINGLE if default_loss else SINGLE[:1]
    )  # the bare loop implements only the default loss
    flops_rate, bytes_rate = call_in_process(measure_peak_rates, device)
    flops, n_bytes = call_in_process(count_work, overrides, steps, device)
    floors = flops / flops_rate, n_bytes / bytes_rate
    print(
        f"\n{name}, {d_steps} steps per run, on {device}: {flops / 1e6:.0f} MFLOP and "
        f"{n_bytes / 2**20:.1f} MiB per step, "
        f"floors {1e6 * floors[0]:.0f} and {1e6 * floors[1]:.0f} us "
        f"({flops_rate / 1e9:.0f} GFLOP/s, {bytes_rate / 2**30:.0f} GiB/s)"
    )
    head = "processes   kind        runs/hour   over lightning   over bare   MiB/pack     floor"
    print(head, flush=True)
    for processes in options.processes:
        rates_by_size = measure_in_processes(
            processes, case, [*singles, "packed"], sizes, options.rounds, device
        )
        first = rates_by_size[sizes[0]]
        lines = [(kind, first[kind], first) for kind in singles]
        lines += [(f"R = {size}", rates["packed"], rates) for size, rates in rates_by_size.items()]
        for label, rates, round_rates in lines:
            rate = statistics.median(rates)
            line = f"{processes:>9}   {label:<9}{3600 * rate / d_steps:>12.1f}"
            for single, width in zip(SINGLE, (17, 12), strict=True):
                pairs = zip(rates, round_rates.get(single, []), strict=False)
                ratios = [a / b for a, b in pairs]
                line += f"{statistics.median(ratios):>{width}.2f}" if ratios else f"{'-':>{width}}"
            if processes == 1 and label not in SINGLE and rate == rate:
                memory = call_in_process(measure_memory, overrides, steps, int(label[4:]), device)
                line += f"{memory:>13.0f}{max(floors) * rate:>8.2f}"
            print(line, flush=True)


def main() -> None:
    """Run the cases for the CPU and, if there is a GPU, those for the GPU."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5, help="alternating blocks of each")
    options.add_argument(
        "--sizes", type=int, nargs="+", help="values of R; default 2 to 16, on a GPU 2 to 512"
    )
    options.add_argument("--processes", type=int, nargs="+", default=[1, os.cpu_count() or 1])
    options.add_argument("--cases", nargs="+", help="names of cases; default: all")
    arguments = options.parse_args()
    parts = [("cpu", ON_CPU, [2, 4, 8, 16])]
    if torch.cuda.is_available():
        parts.append(("cuda", ON_GPU, [2**n for n in range(1, 10)]))
    for device, cases, sizes in parts:
        for name, case in cases.items():
            if arguments.cases is None or name in arguments.cases:
                print_case(name, case, arguments.sizes or sizes, arguments, device)
    if len(parts) == 1:
        print("\nno GPU found: the GPU cases were not measured")


if __name__ == "__main__":
    main()
