"""Compare the scores of packed and unpacked runs, paired by variant and seed.

The runs of a pair have the same config except for `packed`, so they differ in bits and in scores.
Printed for each variant and for all pairs: the mean ratio with a 95 % bootstrap interval, and the
exact Wilcoxon signed-rank test of the log differences, with Holm's correction over the variants.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.stats import wilcoxon

from bench.core.seeds import numpy_generator
from bench.runs.rows import Row, read_rows
from bench.stats import bootstrap_mean, holm

SCORE = "frechet"


def final_rows(root: Path) -> dict[tuple[str, int], Row]:
    """Return the final rows under a runs root, by variant and seed."""
    rows = read_rows(root, [path.name for path in root.iterdir()])
    trained = [r for r in rows if r.d_steps > 0 and r.checkpoint == "final" and SCORE in r.scores]
    return {(r.variant, r.seed): r for r in trained}


def main() -> None:
    """Print one line per variant, and one for all pairs."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("unpacked", type=Path, help="runs root of the unpacked runs")
    options.add_argument("packed", type=Path, help="runs root of the packed runs")
    arguments = options.parse_args()
    first, second = final_rows(arguments.unpacked), final_rows(arguments.packed)
    pairs = sorted(first.keys() & second.keys())
    unpaired = len(first) + len(second) - 2 * len(pairs)
    logs = {key: np.log(second[key].scores[SCORE] / first[key].scores[SCORE]) for key in pairs}
    n_equal = sum(value == 0 for value in logs.values())
    print(f"{len(pairs)} pairs, {unpaired} unpaired runs, {n_equal} pairs with equal scores")
    variants = sorted({variant for variant, _ in pairs})
    groups = {v: np.array([logs[key] for key in pairs if key[0] == v]) for v in variants}
    p_values = [float(wilcoxon(values).pvalue) for values in groups.values()]
    corrected = holm(p_values)
    print(f"{'variant':<20} pairs  mean ratio      95 % interval       p  Holm's p")
    for (variant, values), p, q in zip(groups.items(), p_values, corrected, strict=True):
        print(format_line(variant, values, p) + f"{q:>10.3f}")
    all_logs = np.concatenate(list(groups.values()))
    print(format_line("all", all_logs, float(wilcoxon(all_logs).pvalue)))


def format_line(name: str, values: np.ndarray, p: float) -> str:
    """Format the geometric mean of the ratios, its interval and the p-value."""
    generator = numpy_generator(0, "score")
    interval = bootstrap_mean(values, level=0.95, resamples=10_000, generator=generator)
    mean, low, high = np.exp([values.mean(), interval.low, interval.high])
    return f"{name:<20}{len(values):>6}{mean:>12.3f}   {low:>8.3f} to {high:<6.3f}{p:>8.3f}"


if __name__ == "__main__":
    main()
