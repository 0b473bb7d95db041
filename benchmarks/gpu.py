"""Measure and check on one GPU what only a GPU can show, the most important first.

    python benchmarks/gpu.py --minutes 7 --to gpu.jsonl

Each result is appended to the file as one line of JSON as soon as it exists, and all of them are
printed as a Markdown table at the end. A check that fails is reported in one sentence and the next
one goes on; one that no longer fits into the time is listed as not reached. Without a GPU the
same checks run on the CPU at small sizes, except those that need a GPU's own functions.
"""

import argparse
import gc
import json
import math
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import torch
from counters import LiveBytes, count_waits, cuda_launches, cuda_waits, default_dtype, state_bytes
from loops import load_case, synchronize
from packed import (
    NARROW,
    ON_CPU,
    ON_GPU,
    WARM,
    CaseTimer,
    call_in_process,
    count_work,
    measure_in_processes,
    measure_peak_rates,
    peak_memory_mib,
)

from bench.config import build
from bench.core.batch import Batch
from bench.core.determinism import deterministic_algorithms
from bench.core.errors import UserError
from bench.core.text import shorten
from bench.data.batches import as_float, pick, training_data
from bench.execution.packs.memory_check import required_bytes
from bench.execution.packs.plain_loop import PlainLoop
from bench.execution.run import execute
from bench.models.base import PRECISIONS, GenerativeModel
from bench.training.job import prepare_job
from bench.vectorized.stack import ReplicaStack
from bench.vectorized.stack import state_bytes as bits_of
from bench.vectorized.trainer import build_empty_stack, train_on_batch, train_step

SMALL = ["sweeps=quick", *NARROW]  # of the checks that ask for equality, not for speed
EPS = ["optimizer.generator.eps=1e-4", "optimizer.discriminator.eps=1e-4"]
TOLERANCE = 1e-9  # of float64 after EQUAL_STEPS steps; float32 would be off by a million times that
EQUAL_STEPS, SAME_STEPS = 6, 20
REPLICAS = 4
MIB = 2**20


@dataclass(frozen=True)
class Setup:
    """What a machine measures.

    Args:
        device: the device that trains.
        variants: those of the checks at small size.
        case: overrides, discriminator steps of a run and of a block, as in `packed.ON_GPU`.
        sizes: values of R in turn; on a GPU it ends where memory does.
        rounds: blocks of which the median is taken.
        processes: number of processes that train at the same time, beside one.
        score_steps, score_seeds: discriminator steps of the runs that are scored, and their seeds.
    """

    device: torch.device
    variants: Sequence[str]
    case: tuple[list[str], int, int]
    sizes: Sequence[int]
    rounds: int
    processes: int
    score_steps: int
    score_seeds: int


CPU = Setup(
    device=torch.device("cpu"),
    variants=("ns_gan",),
    case=ON_CPU["ring"],
    sizes=(1, 4),
    rounds=1,
    processes=2,
    score_steps=20,
    score_seeds=1,
)
CUDA = Setup(
    device=torch.device("cuda"),
    variants=("ns_gan", "wgan_gp"),
    case=ON_GPU["28x28"],
    sizes=tuple(2**n for n in range(13)),
    rounds=3,
    processes=4,
    score_steps=1500,
    score_seeds=3,
)


@dataclass(frozen=True)
class Result:
    """Hold one number.

    Args:
        what: what was measured.
        value: the number; None where there is only a remark.
        unit: its unit; empty for a ratio.
        holds: whether a check holds; None where nothing was expected.
        remark: a sentence.
    """

    what: str
    value: float | None = None
    unit: str = ""
    holds: bool | None = None
    remark: str = ""


@dataclass(frozen=True)
class Check:
    """Hold a measurement, with the seconds that it needs on a GPU and on a CPU at least.

    Args:
        measure: yields results as they come.
        cpu_seconds: None where it needs a GPU.
    """

    name: str
    measure: Callable[[Setup], Iterator[Result]]
    gpu_seconds: float
    cpu_seconds: float | None

    def seconds(self, device: torch.device) -> float:
        """Return the seconds that it needs; 0 where it cannot run."""
        return self.gpu_seconds if device.type == "cuda" else self.cpu_seconds or 0.0


def build_models(overrides: Sequence[str], count: int) -> tuple[Any, list[GenerativeModel], Batch]:
    """Return a config, models of seeds 0 to `count` - 1, and training data on the CPU."""
    cfg, splits = load_case([*overrides, "model.reuse_samples=false"], EQUAL_STEPS)
    models = []
    for seed in range(count):
        cfg.seed = seed
        models.append(build.build_model(cfg, splits["train"]))
    return cfg, models, training_data(splits["train"])


def check_equality(setup: Setup) -> Iterator[Result]:
    """Compare replicas with the same models trained alone, in float64."""
    for variant in setup.variants:
        overrides = [*SMALL, *EPS, f"variant={variant}"]
        with default_dtype(torch.float64), deterministic_algorithms():
            cfg, alone, data = build_models(overrides, REPLICAS)
            samples = as_float(data.samples).double().to(setup.device)
            _, packed, _ = build_models(overrides, REPLICAS)
            stack = ReplicaStack([m.double() for m in packed], samples, cfg.batch_size)
            loops = [PlainLoop(model.double(), samples, cfg.batch_size) for model in alone]
            for _ in range(EQUAL_STEPS):
                train_step(stack)
                for loop in loops:
                    loop.step()
        worst = largest_difference(packed, alone)
        what = f"{variant}, replica against alone, {EQUAL_STEPS} steps in float64"
        yield Result(what, worst, "largest |a - b| / (1 + |b|)", worst <= TOLERANCE)


def largest_difference(models: Sequence[Any], others: Sequence[Any]) -> float:
    """Return the largest |a - b| / (1 + |b|) over the entries of models' states; NaN if one is."""
    differences = []
    for model, other in zip(models, others, strict=True):
        state = model.state_dict()
        for name, b in other.state_dict().items():
            differences.append(((state[name] - b).abs() / (1 + b.abs())).max().double())
    return torch.stack(differences).max().item()


def check_determinism(setup: Setup) -> Iterator[Result]:
    """Train each model twice, alone and in a stack, and compare the bits."""
    for variant in setup.variants:
        for kind in ("alone", "packed"):
            first, second = (train_bits([*SMALL, f"variant={variant}"], kind, setup) for _ in "12")
            holds = first == second
            what = f"{variant}, {kind}: two trainings of {SAME_STEPS} steps have the same bits"
            yield Result(what, float(holds), "1 for yes", holds)
    cfg, models, data = build_models(SMALL, 1)
    slots = max(size for size in setup.sizes if size <= 64)
    with deterministic_algorithms():
        samples = data.samples.to(setup.device)
        _, odd = build_empty_stack(models[0], slots, samples, cfg.batch_size)
    yield Result(f"slots of {slots} that round otherwise and stay empty", len(odd), "slots")


def train_bits(overrides: Sequence[str], kind: str, setup: Setup) -> list[bytes]:
    """Return the bits of models after SAME_STEPS steps; `kind` is "alone" or "packed"."""
    cfg, models, data = build_models(overrides, 1 if kind == "alone" else REPLICAS)
    with deterministic_algorithms():
        step = make_step(kind, models, data.samples.to(setup.device), cfg.batch_size)
        for _ in range(SAME_STEPS):
            step()
    return [bits_of(model) for model in models]


def make_step(
    kind: str, models: list[GenerativeModel], samples: torch.Tensor, batch_size: int
) -> Callable[[], None]:
    """Return what makes a step of one model alone, or of all in a stack."""
    if kind == "alone":
        return PlainLoop(models[0], samples, batch_size).step
    stack = ReplicaStack(models, samples, batch_size)
    return lambda: train_step(stack)


def compare_precisions(setup: Setup) -> Iterator[Result]:
    """Train and score runs that differ in precision alone, seed by seed."""
    distances: dict[str, list[float]] = {precision: [] for precision in PRECISIONS}
    accelerator = "gpu" if setup.device.type == "cuda" else "cpu"
    with tempfile.TemporaryDirectory() as root:
        for seed in range(setup.score_seeds):
            for precision, found in distances.items():
                run = [f"precision='{precision}'", f"seed={seed}", f"d_steps={setup.score_steps}"]
                quiet = ["trainer.progress=false", "trainer.pictures=0", f"runs_root={root}"]
                machine = [f"trainer.accelerator={accelerator}"]
                cfg = build.compose_config([*SMALL, *run, *quiet, *machine])
                outcome = execute(prepare_job(cfg))
                if outcome.status != "finished" or outcome.row is None:
                    yield Result(f"{precision}, seed {seed}", remark=f"the run {outcome.status}")
                    continue
                found.append(outcome.row.scores["frechet"])
                what = f"Frechet distance of ns_gan, precision={precision}, seed {seed}"
                yield Result(what, found[-1])
    for precision in PRECISIONS[1:]:
        if len(distances[precision]) == len(distances["32"]) == setup.score_seeds:
            logs = [math.log(d) for d in distances[precision]]
            ratio = math.exp(
                statistics.mean(logs) - statistics.mean(map(math.log, distances["32"]))
            )
            yield Result(f"geometric mean of {precision}'s distances over those of 32", ratio)


def count_step(setup: Setup) -> Iterator[Result]:
    """Count operations, launches, and waits of the host in a step, alone and in a stack."""
    for variant in setup.variants:
        for kind in ("alone", "packed", "packed, half of the generators move"):
            some_move = ["hyperparameters.n_dis=2"] if kind.endswith("move") else []
            cfg, models, data = build_models([*SMALL, f"variant={variant}", *some_move], REPLICAS)
            for model in models[1::2] if some_move else ():
                model.d_steps = 1
            with deterministic_algorithms():
                step = make_step(kind, models, data.samples.to(setup.device), cfg.batch_size)
                for _ in range(WARM):
                    step()
                operations, waits = count_waits(step)
                name = f"{variant}, {kind}" + f", R = {REPLICAS}" * (kind != "alone")
                yield Result(f"{name}: operations", operations, "a step")
                if setup.device.type == "cuda":
                    yield Result(f"{name}: launches", cuda_launches(step), "a step")
                    count, seen = cuda_waits(step), "as torch warns of them"
                else:
                    count, seen = sum(waits.values()), describe(waits)
                yield Result(f"{name}: waits of the host", count, "a step", count == 0, seen)


def describe(waits: dict[str, int]) -> str:
    """Return counts by name as "2 item, 1 to"."""
    return ", ".join(f"{count} {name}" for name, count in sorted(waits.items()))


def capture_graph(setup: Setup) -> Iterator[Result]:
    """Capture a stack's step as a CUDA graph; compare its results and time with the step's own."""
    captured, eager = (build_capturable(setup) for _ in "12")
    indices = torch.arange(captured.batch_size, device=setup.device).expand(REPLICAS, -1)
    real = pick(captured.data, indices)
    with deterministic_algorithms():
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM):
                train_on_batch(captured, real)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        for model in captured.models:
            for stream in model.streams.values():
                graph.register_generator_state(stream)
        with torch.cuda.graph(graph):
            train_on_batch(captured, real)
        for _ in range(SAME_STEPS):
            graph.replay()
        for _ in range(WARM + SAME_STEPS):
            train_on_batch(eager, real)
        worst = largest_difference(captured.models, eager.models)
        what = f"captured step of R = {REPLICAS} against its own, {SAME_STEPS} steps"
        yield Result(what, worst, "largest |a - b| / (1 + |b|)", worst == 0)
        steps = graph.replay, lambda: train_on_batch(eager, real)
        times = [[seconds_a_step(step, setup) for step in steps] for _ in range(setup.rounds)]
    ratio = statistics.median(own / replayed for replayed, own in times)
    yield Result(f"steps a second, captured over not, R = {REPLICAS}", ratio)


def build_capturable(setup: Setup) -> ReplicaStack:
    """Return a stack whose optimizers may be captured, on the device."""
    cfg, models, data = build_models(SMALL, REPLICAS)
    stack = ReplicaStack(models, data.samples.to(setup.device), cfg.batch_size)
    for optimizer in (each for slot in stack.optimizers for each in slot):
        for group in optimizer.param_groups:
            group["capturable"] = True
    return stack


def seconds_a_step(step: Callable[[], Any], setup: Setup, steps: int = 50) -> float:
    """Return the seconds of a step, over a block of them."""
    synchronize(setup.device)
    started_at = time.perf_counter()
    for _ in range(steps):
        step()
    synchronize(setup.device)
    return (time.perf_counter() - started_at) / steps


def predict_memory(setup: Setup) -> Iterator[Result]:
    """Predict the bytes of a replica from its state and a step's tensors, and measure them."""
    overrides, _, steps = setup.case
    cfg, models, data = build_models(overrides, 2)
    samples = Batch(data.samples.to(setup.device))
    kept = state_bytes(models[0])
    yield Result("state of a replica, predicted", kept / MIB, "MiB")
    peaks = []
    for size in (1, 2):
        stack = ReplicaStack(build_models(overrides, size)[1], samples, cfg.batch_size)
        for _ in range(WARM):
            train_step(stack)
        with LiveBytes() as live:
            train_step(stack)
        peaks.append(live.peak)
    order = 8 * len(data.samples)  # an epoch's permutation, int64
    predicted = kept + order + peaks[1] - peaks[0]
    what = "state, order of batches and step of a replica, predicted"
    yield Result(what, predicted / MIB, "MiB")
    checked = required_bytes(cfg, samples)
    yield Result("a replica, as pack= allows for it", checked / MIB, "MiB")
    few, many = (2, 34) if setup.device.type == "cuda" else (2, 10)
    measured = call_in_process(measure_growth, overrides, steps, few, many, setup.device.type)
    yield Result("a replica, measured", measured, "MiB", remark=f"R = {few} and {many}")
    yield Result("measured over predicted", measured * MIB / predicted)
    if setup.device.type == "cuda":
        free = torch.cuda.mem_get_info(setup.device)[0]
        yield Result("replicas that fit, predicted", free // predicted, "replicas")


def measure_growth(
    result: Any, overrides: list[str], steps: int, few: int, many: int, device: str
) -> None:
    """Put the peak memory that one more replica adds, in MiB, from stacks of two sizes."""
    torch.set_num_threads(1)
    timer, peaks = CaseTimer(overrides, steps, device), []
    for size in (few, few, many):  # the first one also pays for what is loaded once
        timer.build(size)
        peaks.append(peak_memory_mib(device))
        timer.stack = None
        gc.collect()
    result.put((peaks[-1] - peaks[-2]) / (many - few))


def put_value(function: Callable[..., None], *arguments: Any) -> Any:
    """Call in this process what puts its value into a queue, and return the value."""
    queue: SimpleQueue[Any] = SimpleQueue()
    function(queue, *arguments)
    return queue.get()


def measure_sizes(setup: Setup) -> Iterator[Result]:
    """Measure steps a second and the share of the floor for one stack after another."""
    overrides, _, steps = setup.case
    device = setup.device.type
    flops_rate, bytes_rate = put_value(measure_peak_rates, device)
    flops, n_bytes = put_value(count_work, overrides, steps, device)
    floors = {"arithmetic": flops / flops_rate, "memory": n_bytes / bytes_rate}
    for name, seconds in floors.items():
        yield Result(f"floor of a step, {name}", 1e6 * seconds, "us")
    timer = CaseTimer(overrides, steps, device)
    for size in setup.sizes:
        timer.build(size)
        if timer.stack is None:
            yield Result(f"R = {size}", remark="it does not fit into memory")
            return
        rate = statistics.median(timer.rate("packed") for _ in range(setup.rounds))
        yield Result(f"R = {size}: steps a second, all replicas", rate)
        for name, seconds in floors.items():
            yield Result(f"R = {size}: share of the floor of {name}", seconds * rate)


def compare_processes(setup: Setup) -> Iterator[Result]:
    """Compare runs an hour in a pack with one at a time, and with several processes."""
    d_steps = setup.case[1]
    pack = max(size for size in setup.sizes if size <= 64)
    rates: dict[str, float] = {}
    for count, kinds, size in (
        (1, ["lightning", "packed"], pack),
        (setup.processes, ["lightning"], 1),
    ):
        device = setup.device.type
        measured = measure_in_processes(count, setup.case, kinds, [size], setup.rounds, device)[
            size
        ]
        for kind in kinds:
            how = f"pack of {size}" if kind == "packed" else "one at a time"
            name = how if count == 1 else f"{count} processes, {how}"
            rates[name] = statistics.median(measured[kind])
            yield Result(name, 3600 * rates[name] / d_steps, "runs an hour")
    packed = rates[f"pack of {pack}"]
    for name, rate in rates.items():
        if not name.startswith("pack"):
            yield Result(f"pack of {pack} over {name}", packed / rate)


CHECKS = (
    Check("equality", check_equality, 30, 4),
    Check("determinism", check_determinism, 30, 5),
    Check("precision", compare_precisions, 60, 5),
    Check("host waits", count_step, 20, 4),
    Check("CUDA graph", capture_graph, 15, None),
    Check("memory", predict_memory, 40, 14),
    Check("sizes and floors", measure_sizes, 60, 6),
    Check("runs an hour", compare_processes, 60, 15),
)


class OutOfTime(BaseException):
    """End a check at the end of its time: nobody's `except Exception` takes it for a failure."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise OutOfTime in the block after some seconds, and every 5 s after; in the main thread."""

    def expire(number: int, frame: Any) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds, 5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def run_checks(
    setup: Setup, checks: Sequence[Check], seconds: float, write: Callable[[str, Result], None]
) -> None:
    """Run checks in order within some seconds; hand each result to `write` with its check's name.

    A check may use what is left beyond the least that the checks after it need.
    """
    ends_at = time.monotonic() + seconds
    for place, check in enumerate(checks):
        if setup.device.type != "cuda" and check.cpu_seconds is None:
            write(check.name, Result("not run", remark="it needs a GPU"))
            continue
        left, needed = ends_at - time.monotonic(), check.seconds(setup.device)
        if left < 0.8 * needed:  # estimates are rough, and ending a check takes a moment
            write(check.name, Result("not reached", remark=f"{left:.0f} of {needed:.0f} s left"))
            continue
        later = sum(other.seconds(setup.device) for other in checks[place + 1 :])
        try:
            with time_limit(min(left, max(needed, left - later))):
                for result in check.measure(setup):
                    write(check.name, result)
        except OutOfTime:
            write(check.name, Result("stopped", remark="the time for this check is over"))
        except Exception as error:  # one failing check leaves the others their time
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            write(check.name, Result("failed", holds=False, remark=shorten(reason, 200)))
        if setup.device.type == "cuda":
            torch.cuda.empty_cache()


def markdown_row(name: str, result: Result) -> str:
    """Return a result as a row of a Markdown table."""
    value = "" if result.value is None else f"{result.value:.4g}"
    verdict = {True: "holds", False: "**does not hold**", None: ""}[result.holds]
    cells = name, result.what, value, result.unit, verdict, result.remark
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def choose_setup(device: str) -> Setup:
    """Return the setup of "cuda" or "cpu"; a UserError where there is no GPU."""
    if device == "cuda" and not torch.cuda.is_available():
        fix = "leave out --device, or set it to cpu"
        raise UserError("--device is cuda, and torch sees no GPU", fix=fix)
    return CUDA if device == "cuda" else CPU


def run(device: str, minutes: float, to: Path) -> None:
    """Run all checks, append each result to a file, and print the table."""
    setup = choose_setup(device)
    if not (math.isfinite(minutes) and minutes > 0):
        raise UserError(f"--minutes is {minutes}", fix="set it above 0")
    if not to.parent.is_dir():
        raise UserError(f"the folder of --to does not exist: {to.parent}", fix="make it first")
    name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    print(f"{name}, torch {torch.__version__}", file=sys.stderr)
    rows, started_at = [], time.monotonic()
    with to.open("a", encoding="utf-8") as file:

        def write(check: str, result: Result) -> None:
            if result.value is not None and not math.isfinite(result.value):
                result = replace(result, value=None, remark=f"the value is {result.value}")
            seconds = round(time.monotonic() - started_at, 1)
            line = {"check": check, **asdict(result), "device": name, "at_seconds": seconds}
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
            rows.append(markdown_row(check, result))
            print(rows[-1], file=sys.stderr)

        run_checks(setup, CHECKS, 60 * minutes, write)
    print("| check | what | value | unit | verdict | remark |\n|---|---|---|---|---|---|")
    print("\n".join(rows))


def main() -> None:
    """Read the command line and run the checks."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--minutes", type=float, default=7, help="time for all checks together")
    options.add_argument("--to", type=Path, default=Path("gpu.jsonl"), help="file of results")
    default = "cuda" if torch.cuda.is_available() else "cpu"
    options.add_argument("--device", choices=["cuda", "cpu"], default=default)
    arguments = options.parse_args()
    torch.set_num_threads(1)
    try:
        run(arguments.device, arguments.minutes, arguments.to)
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
