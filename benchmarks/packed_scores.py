"""Whether packed runs score otherwise than the same runs unpacked: pairs of one variant and seed.

    python benchmarks/packed_scores.py RUNS_ROOT_OF_ONE RUNS_ROOT_OF_THE_OTHER

The two of a pair have the same config but for `packed`: other bits, so other numbers. Wilcoxon's
signed-rank test, exact, of the logarithms' differences, for each variant and for all pairs; Holm's
correction over the variants; the mean ratio with a 95 % bootstrap interval.
"""

import sys
from pathlib import Path

import numpy as np
from scipy.stats import wilcoxon

from bench.core.seeds import numpy_generator
from bench.runs.rows import Row, read_rows
from bench.stats import bootstrap_mean, holm

SCORE = "frechet"


def finished(root: Path) -> dict[tuple[str, int], Row]:
    """The final rows under a root, by variant and seed."""
    rows = read_rows(root, [path.name for path in root.iterdir()])
    trained = [r for r in rows if r.d_steps > 0 and r.checkpoint == "final" and SCORE in r.scores]
    return {(r.variant, r.seed): r for r in trained}


def main() -> None:
    """One line a variant, and one for all."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    first, second = (finished(Path(root)) for root in sys.argv[1:])
    both = sorted(first.keys() & second.keys())
    unpaired = len(first) + len(second) - 2 * len(both)
    logs = {key: np.log(second[key].scores[SCORE] / first[key].scores[SCORE]) for key in both}
    same = sum(value == 0 for value in logs.values())
    print(f"{len(both)} pairs, {unpaired} runs without one, {same} pairs with equal scores")
    variants = sorted({variant for variant, _ in both})
    groups = {v: np.array([logs[key] for key in both if key[0] == v]) for v in variants}
    p_values = [float(wilcoxon(values).pvalue) for values in groups.values()]
    corrected = holm(p_values)
    print(f"{'variant':<20} pairs  mean ratio      95 % interval       p  Holm's p")
    for (variant, values), p, q in zip(groups.items(), p_values, corrected, strict=True):
        print(line(variant, values, p) + f"{q:>10.3f}")
    everything = np.concatenate(list(groups.values()))
    print(line("all", everything, float(wilcoxon(everything).pvalue)))


def line(name: str, values: np.ndarray, p: float) -> str:
    """Mean ratio, its interval and p."""
    drawn = numpy_generator(0, "score")
    found = bootstrap_mean(values, level=0.95, resamples=10_000, generator=drawn)
    mean, low, high = np.exp([values.mean(), found.low, found.high])
    return f"{name:<20}{len(values):>6}{mean:>12.3f}   {low:>8.3f} to {high:<6.3f}{p:>8.3f}"


if __name__ == "__main__":
    main()
