"""Time and memory of scoring over those of the textbook formulas, in one run.

Both sides alternate and medians are compared, after one round that warms them up. Read the
ratios: seconds depend on the machine and on what else it does. Parts are chosen by name:

  frechet     `frechet_distance` against `scipy.linalg.sqrtm(C1 @ C2)`
  neighbours  `prdc` against whole distance matrices; time and memory, in fresh processes (Linux)
  inception   images per second of `features=inception_2015` against torch-fidelity's own forward
  digits      seconds of every measure of `score=quick` on 10,000 noisy copies of digits
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
from textbook import dense, random_weights, textbook_distance

from bench.metrics.frechet import frechet_distance, moments
from bench.metrics.prdc import prdc

WIDTH = 2048
N_SAMPLES = 10_000
clock = time.perf_counter


def samples(seed: int, count: int) -> np.ndarray:
    """Features [count, WIDTH] in float32 whose variances fall as 1/i: no two directions alike."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((count, WIDTH), dtype=np.float32)
    features *= np.arange(1, WIDTH + 1, dtype=np.float32) ** -0.5
    return features


def alternating(ours: Callable, theirs: Callable, rounds: int) -> tuple[float, float, float]:
    """Median seconds of both, and the median of theirs over ours."""
    found: list[tuple[float, float]] = []
    for _ in range(rounds + 1):
        found.append((seconds(ours), seconds(theirs)))
    found = found[1:]
    first, second = zip(*found, strict=True)
    ratio = statistics.median(b / a for a, b in found)
    return statistics.median(first), statistics.median(second), ratio


def seconds(work: Callable) -> float:
    started = clock()
    work()
    return clock() - started


def frechet(rounds: int) -> None:
    """Full rank (10,000 samples) and rank-deficient (1,000), of 2048 features."""
    print(f"frechet: {WIDTH} features, {rounds} rounds")
    for name, count in (("full rank", N_SAMPLES), ("rank 999", 1000)):
        pair = (*moments(samples(0, count)), *moments(1.1 * samples(1, count)))
        with warnings.catch_warnings(action="ignore"):  # SciPy warns of singular matrices
            apart = abs(frechet_distance(*pair) / textbook_distance(*pair) - 1)
            ours, theirs, ratio = alternating(
                lambda pair=pair: frechet_distance(*pair),
                lambda pair=pair: textbook_distance(*pair),
                rounds,
            )
        print(
            f"  {name:<10} ours {ours:6.2f} s  sqrtm {theirs:6.2f} s  {ratio:5.1f} times as fast"
            f"  (values differ by {apart:.0e})",
            flush=True,
        )


def memory(key: str) -> float:
    """VmRSS (now) or VmHWM (highest) of this process, in GiB."""
    found = re.search(rf"{key}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 2**20


def neighbours_once(kind: str, count: int, cpu: bool) -> tuple[float, float, dict[str, float]]:
    """Seconds, extra GiB and scores, in a process of its own."""
    real, fake = samples(0, count), samples(1, count)
    fake[:, :10] *= 0.8
    work = {
        "ours": lambda: prdc(real, fake, k=5, strict=False, max_bytes=2**28),
        "dense float64": lambda: dense(real.astype(np.float64), fake.astype(np.float64), k=5),
        "dense float32": lambda: dense(real, fake, k=5),
    }[kind]
    clock, before = time.process_time if cpu else time.perf_counter, memory("VmRSS")
    started = clock()
    scores = work()
    return clock() - started, memory("VmHWM") - before, scores


def neighbours(rounds: int) -> None:
    """Ours, and the dense formula in both precisions."""
    print(f"neighbours: {N_SAMPLES} x {N_SAMPLES} of {WIDTH} features, {rounds} rounds")
    kinds = ("ours", "dense float64", "dense float32")
    found: dict[str, list[tuple[float, float, dict[str, float]]]] = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind in kinds:
            spawn = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=spawn) as pool:
                found[kind].append(
                    pool.submit(
                        neighbours_once, kind, N_SAMPLES, clock is time.process_time
                    ).result()
                )
    for kind in kinds:
        took = [row[0] for row in found[kind]]
        ratio = statistics.median(t / row[0] for t, row in zip(took, found["ours"], strict=True))
        scores = " ".join(f"{value:.4f}" for value in found[kind][0][2].values())
        print(
            f"  {kind:<13} {statistics.median(took):6.1f} s  {ratio:5.2f} of ours  "
            f"{max(row[1] for row in found[kind]):5.2f} GiB extra  {scores}",
            flush=True,
        )


def inception(rounds: int) -> None:
    """The same batches of 16 images of 32x32 through both, random weights."""
    import torch

    from bench.features.fidelity import torch_fidelity
    from bench.features.inception import Inception2015

    network = torch_fidelity("benchmark", "feature_extractor_inceptionv3")
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
        a, b, ratio = alternating(
            lambda: ours(batch.float().div_(255)), lambda: theirs(batch), rounds
        )
    print(
        f"inception: {rounds} rounds\n  ours {len(batch) / a:6.2f} images/s  torch-fidelity "
        f"{len(batch) / b:6.2f} images/s  ratio {ratio:5.3f}",
        flush=True,
    )


def digits(rounds: int) -> None:
    """Reference, features and each measure, once; the number of rounds does not matter."""
    import torch

    from bench.config import build, validate
    from bench.evaluation.evaluator import build_evaluator, split_digests
    from bench.scoring.features import batches_of, extract, shuffled
    from bench.scoring.score import applicable

    cfg = build.compose_config(["dataset=digits", "score=quick", f"score.n_fake={N_SAMPLES}"])
    validate.validate_config(cfg)
    source, splits = build.build_splits(cfg)
    device, images, rng = torch.device("cpu"), splits["train"].samples, np.random.default_rng(0)
    copies = images[rng.integers(len(images), size=N_SAMPLES)] / np.float32(255)
    noise = 0.1 * rng.standard_normal(copies.shape, dtype=np.float32)
    fake = (copies + noise).clip(0, 1).astype(np.float32)

    took, started = {}, clock()
    evaluator = build_evaluator(cfg, source, split_digests(splits), splits, device, None)
    settings, reference = evaluator.settings, evaluator.reference
    took["reference"], started = clock() - started, clock()
    batches = batches_of(fake, settings.batch_size)
    keep = settings.n_images
    seen = extract(evaluator.extractor, batches, quantise=True, device=device, keep=keep)
    seen = shuffled(seen)
    took["features"], started = clock() - started, clock()
    for name, measure in applicable(settings, reference).items():
        measure(reference, seen)
        took[name], started = clock() - started, clock()
    print(f"digits: {N_SAMPLES} samples, {len(reference.real)} real, {sum(took.values()):.1f} s")
    print("  " + ", ".join(f"{name} {value:.1f}" for name, value in took.items()), flush=True)


PARTS = {"frechet": frechet, "neighbours": neighbours, "inception": inception, "digits": digits}


def main() -> None:
    """Run the parts asked for."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all")
    options.add_argument("--rounds", type=int, default=3, help="of each, alternating")
    options.add_argument("--threads", type=int, default=1, help="of PyTorch; see OMP_NUM_THREADS")
    options.add_argument(
        "--cpu", action="store_true", help="CPU seconds, where the machine does other things too"
    )
    arguments = options.parse_args()
    if arguments.cpu:
        global clock
        clock = time.process_time
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        options.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    import torch

    torch.set_num_threads(arguments.threads)
    for name in arguments.parts or PARTS:
        PARTS[name](arguments.rounds)


if __name__ == "__main__":
    main()
