"""Compare time and memory of scoring with those of the textbook formulas.

Both sides alternate and medians are compared, after one warm-up round. Read the ratios: seconds
depend on the machine and its other load. The parts:

  frechet     `frechet_distance` against `scipy.linalg.sqrtm(C1 @ C2)`
  neighbours  `prdc` against full distance matrices; time and memory, in fresh processes (Linux)
  kernel      `kernel_blocks` against torch-fidelity's KID, and both against float64
  inception   images per second of `features=inception_2015` against torch-fidelity's own forward
  digits      seconds of every metric of `score=quick` on 10,000 noisy copies of digits
"""

import argparse
import multiprocessing
import re
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from textbook import random_weights, textbook_distance, textbook_prdc

from bench.metrics.frechet import frechet_distance, moments
from bench.metrics.prdc import prdc

WIDTH = 2048
N_SAMPLES = 10_000
clock = time.perf_counter


def random_features(seed: int, count: int) -> np.ndarray:
    """Draw float32 features [count, WIDTH] with variances that fall as 1/i, all different."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((count, WIDTH), dtype=np.float32)
    features *= np.arange(1, WIDTH + 1, dtype=np.float32) ** -0.5
    return features


def time_alternately(ours: Callable, theirs: Callable, rounds: int) -> tuple[float, float, float]:
    """Return the median seconds of both, and the median of theirs over ours."""
    times: list[tuple[float, float]] = []
    for _ in range(rounds + 1):
        times.append((seconds(ours), seconds(theirs)))
    times = times[1:]  # the first round warms up
    our_seconds, their_seconds = zip(*times, strict=True)
    ratio = statistics.median(b / a for a, b in times)
    return statistics.median(our_seconds), statistics.median(their_seconds), ratio


def seconds(work: Callable) -> float:
    started = clock()
    work()
    return clock() - started


def time_frechet(rounds: int) -> None:
    """Time 2048 features at full rank (10,000 samples) and rank-deficient (1,000 samples)."""
    print(f"frechet: {WIDTH} features, {rounds} rounds")
    for name, count in (("full rank", N_SAMPLES), ("rank 999", 1000)):
        pair = (*moments(random_features(0, count)), *moments(1.1 * random_features(1, count)))
        with warnings.catch_warnings(action="ignore"):  # SciPy warns about singular matrices
            difference = abs(frechet_distance(*pair) / textbook_distance(*pair) - 1)
            ours, theirs, ratio = time_alternately(
                lambda pair=pair: frechet_distance(*pair),
                lambda pair=pair: textbook_distance(*pair),
                rounds,
            )
        print(
            f"  {name:<10} ours {ours:6.2f} s  sqrtm {theirs:6.2f} s  {ratio:5.1f} times as fast"
            f"  (values differ by {difference:.0e})",
            flush=True,
        )


def memory_gib(key: str) -> float:
    """Return VmRSS (current) or VmHWM (peak memory) of this process, in GiB."""
    match = re.search(rf"{key}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert match
    return int(match[1]) / 2**20


def neighbours_once(kind: str, count: int, cpu: bool) -> tuple[float, float, dict[str, float]]:
    """Return seconds, extra GiB and scores; called in a fresh process."""
    real, fake = random_features(0, count), random_features(1, count)
    fake[:, :10] *= 0.8
    work = {
        "ours": lambda: prdc(real, fake, k=5, strict=False, max_bytes=2**28),
        "dense float64": lambda: textbook_prdc(
            real.astype(np.float64), fake.astype(np.float64), k=5
        ),
        "dense float32": lambda: textbook_prdc(real, fake, k=5),
    }[kind]
    clock, before = time.process_time if cpu else time.perf_counter, memory_gib("VmRSS")
    started = clock()
    scores = work()
    return clock() - started, memory_gib("VmHWM") - before, scores


def time_neighbours(rounds: int) -> None:
    """Time `prdc` and the dense formula in both precisions."""
    print(f"neighbours: {N_SAMPLES} x {N_SAMPLES} of {WIDTH} features, {rounds} rounds")
    kinds = ("ours", "dense float64", "dense float32")
    results: dict[str, list[tuple[float, float, dict[str, float]]]] = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind in kinds:
            spawn = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=spawn) as pool:
                results[kind].append(
                    pool.submit(
                        neighbours_once, kind, N_SAMPLES, clock is time.process_time
                    ).result()
                )
    for kind in kinds:
        took = [row[0] for row in results[kind]]
        ratio = statistics.median(t / row[0] for t, row in zip(took, results["ours"], strict=True))
        scores = " ".join(f"{value:.4f}" for value in results[kind][0][2].values())
        print(
            f"  {kind:<13} {statistics.median(took):6.1f} s  {ratio:5.2f} of ours  "
            f"{max(row[1] for row in results[kind]):5.2f} GiB extra  {scores}",
            flush=True,
        )


def time_kernel(rounds: int) -> None:
    """Time both on ten subsets of 1,000 out of 10,000 samples, drawn as torch-fidelity draws."""
    import torch

    from bench.features.fidelity import import_torch_fidelity
    from bench.metrics.kernel import kernel_blocks

    kid = import_torch_fidelity("benchmark", "metric_kid")
    real, fake = random_features(0, N_SAMPLES), 1.1 * random_features(1, N_SAMPLES)
    draws, sizes = np.random.RandomState(0), (len(real), len(fake))
    drawn = [[draws.choice(n, 1000, replace=False) for n in sizes] for _ in range(10)]
    subsets = list(zip(*drawn, strict=True))
    options = {"kid_subsets": 10, "kid_subset_size": 1000, "rng_seed": 0, "verbose": False}
    tensors = [torch.from_numpy(side) for side in (real, fake)]

    def theirs() -> float:
        return kid.kid_features_to_metric(*tensors, **options)[kid.KEY_METRIC_KID_MEAN]

    exact, _ = kernel_blocks(real.astype(np.float64), fake.astype(np.float64), *subsets)
    errors = [value / exact - 1 for value in (kernel_blocks(real, fake, *subsets)[0], theirs())]
    a, b, ratio = time_alternately(lambda: kernel_blocks(real, fake, *subsets), theirs, rounds)
    print(
        f"kernel: {WIDTH} features, {rounds} rounds\n  ours {a:.2f} s, off by {errors[0]:.0e}  "
        f"torch-fidelity {b:.2f} s, off by {errors[1]:.0e}  {ratio:.2f} times as fast",
        flush=True,
    )


def time_inception(rounds: int) -> None:
    """Time both networks on equal batches of 16 images of 32x32, with equal random weights."""
    import torch

    from bench.features.fidelity import import_torch_fidelity
    from bench.features.inception import Inception2015

    network = import_torch_fidelity("benchmark", "feature_extractor_inceptionv3")
    batch = torch.randint(256, (16, 3, 32, 32), dtype=torch.uint8)
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        path = Path(folder) / "random.pth"
        torch.save(random_weights(network), path)
        layers = ["2048", "logits_unbiased"]
        theirs = network.FeatureExtractorInceptionV3(
            "benchmark", layers, feature_extractor_weights_path=str(path)
        )
        ours = Inception2015("benchmark", path, None)
        for value, expected in zip(ours(batch.float() / 255), theirs(batch), strict=True):
            torch.testing.assert_close(value, expected, rtol=1e-5, atol=1e-6)
        a, b, ratio = time_alternately(
            lambda: ours(batch.float().div_(255)), lambda: theirs(batch), rounds
        )
    print(
        f"inception: {rounds} rounds\n  ours {len(batch) / a:6.2f} images/s  torch-fidelity "
        f"{len(batch) / b:6.2f} images/s  ratio {ratio:5.3f}",
        flush=True,
    )


def time_digits(rounds: int) -> None:
    """Time reference, features and each metric once; `rounds` is ignored."""
    import torch

    from bench.config import build, validate
    from bench.evaluation.evaluator import build_evaluator, digest_splits
    from bench.scoring.features import extract, iter_batches, shuffle_features
    from bench.scoring.score import applicable

    cfg = build.compose_config(["dataset=digits", "score=quick", f"score.n_fake={N_SAMPLES}"])
    validate.validate_config(cfg)
    source, splits = build.build_splits(cfg)
    device, images, rng = torch.device("cpu"), splits["train"].samples, np.random.default_rng(0)
    copies = images[rng.integers(len(images), size=N_SAMPLES)] / np.float32(255)
    noise = 0.1 * rng.standard_normal(copies.shape, dtype=np.float32)
    fake = (copies + noise).clip(0, 1).astype(np.float32)

    took, started = {}, clock()
    evaluator = build_evaluator(cfg, source, digest_splits(splits), splits, device, None)
    evaluator = evaluator.for_samples(conditional=False)
    settings, reference = evaluator.settings, evaluator.reference
    took["reference"], started = clock() - started, clock()
    batches = iter_batches(fake, settings.batch_size)
    fake_features = extract(
        evaluator.extractor, batches, quantise=True, device=device, n_images=settings.n_images
    )
    fake_features = shuffle_features(fake_features)
    took["features"], started = clock() - started, clock()
    for name, metric in applicable(settings, reference).items():
        metric(reference, fake_features)
        took[name], started = clock() - started, clock()
    print(f"digits: {N_SAMPLES} samples, {len(reference.real)} real, {sum(took.values()):.1f} s")
    print("  " + ", ".join(f"{name} {value:.1f}" for name, value in took.items()), flush=True)


PARTS = {
    "frechet": time_frechet,
    "neighbours": time_neighbours,
    "kernel": time_kernel,
    "inception": time_inception,
    "digits": time_digits,
}


def main() -> None:
    """Run the parts named on the command line."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; default: all"
    )
    options.add_argument("--rounds", type=int, default=3, help="alternating rounds of each")
    options.add_argument(
        "--threads", type=int, default=1, help="threads of PyTorch; see also OMP_NUM_THREADS"
    )
    options.add_argument(
        "--cpu", action="store_true", help="measure CPU seconds, for a busy machine"
    )
    arguments = options.parse_args()
    if arguments.cpu:
        global clock
        clock = time.process_time
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        options.error(f"no part {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    import torch

    torch.set_num_threads(arguments.threads)
    for name in arguments.parts or PARTS:
        PARTS[name](arguments.rounds)


if __name__ == "__main__":
    main()
