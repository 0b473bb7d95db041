"""Time the parts of a report on a study of some 50,000 rows.

The rows are random, not trained: four data sets, eight variants, 470 configurations each with one
seed, then one of them with fifty seeds, three checkpoints per run.
"""

import argparse
import dataclasses
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from made import PROTOCOL, measures_of, run

from bench.reporting import load, report
from bench.reporting.data.records import StageRecord
from bench.reporting.output import pages

VARIANTS = ("mm_gan", "ns_gan", "lsgan", "wgan", "wgan_gp", "dragan", "began", "vae")
DATASETS = ("mnist", "fashion_mnist", "cifar10", "celeba")
OTHERS = ("precision", "recall", "coverage", "density", "inception_score", "kernel")
METRICS = {"frechet": "lower", **dict.fromkeys(OTHERS, "higher")}
MEASURES = measures_of(METRICS)
BASE = PROTOCOL | {"extractor": "inception_2015", "n_fake": 10_000}
PROTOCOLS = {
    "final": BASE,
    "best": BASE | {"chosen": {"by": "frechet", "split": "validation"}},
    "last-3": BASE | {"chosen": {"every": 100}},
}


def random_run(generator, variant, dataset, sample, seed, spread):
    mean = 10.0 + 5 * VARIANTS.index(variant)
    score = mean * float(np.exp(abs(generator.normal(0, spread))))
    base = run(variant, score, seed=seed, sample=sample, dataset=dataset)
    settings = {
        "learning_rate": float(10 ** generator.uniform(-5, -2)),
        "beta1": float(generator.uniform()),
        "n_dis": int(generator.choice([1, 5])),
    }
    rows = tuple(
        dataclasses.replace(
            base.rows[0],
            checkpoint=checkpoint,
            protocol=protocol,
            measures=MEASURES,
            hyperparameters=settings,
            scores={
                "frechet": score * float(np.exp(generator.normal(0, 0.05))),
                **{name: float(generator.uniform()) for name in OTHERS},
            },
        )
        for checkpoint, protocol in PROTOCOLS.items()
    )
    facts = {"d_steps": 15_625, "wall_seconds": 100.0}
    return dataclasses.replace(base, rows=rows, facts=facts)


def random_stages(share):
    generator = np.random.Generator(np.random.PCG64(0))
    kinds = [(v, d) for d in DATASETS for v in VARIANTS]
    wide = [random_run(generator, *k, n, 0, 1.5) for k in kinds for n in range(int(470 * share))]
    seeds = [
        random_run(generator, *k, 7, n, 0.1) for k in kinds for n in range(1, 1 + int(50 * share))
    ]
    return [
        StageRecord("b", "c", "wide", tuple(wide), ()),
        StageRecord("b", "c", "seeds", tuple(seeds), ()),
    ]


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("share", nargs="?", type=float, default=1.0, help="0.1: a tenth of them")
    stages = random_stages(options.parse_args().share)
    parts = {"build_comparisons": report, "draw_sections": report, "assess_claims": report}
    parts |= {"build_study_files": report, "render_html": pages, "render_markdown": pages}
    seconds = dict.fromkeys(parts, 0.0)

    def timed(name, call):
        def wrapped(*arguments):
            started = time.perf_counter()
            try:
                return call(*arguments)
            finally:
                seconds[name] += time.perf_counter() - started

        return wrapped

    for name, module in parts.items():
        setattr(module, name, timed(name, getattr(module, name)))
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        report.write_report(stages, Path(folder))
        total = time.perf_counter() - started
        started = time.perf_counter()
        loaded = load(folder)
        loading = time.perf_counter() - started
    print(f"{len(loaded.rows):,} rows: {total:.1f} s to report, {loading:.1f} s to load")
    for name, value in seconds.items():
        print(f"  {name:<17} {value:5.1f} s  {value / total:4.0%}")


if __name__ == "__main__":
    main()
