"""Measure the coverage of confidence intervals.

Scores of n runs are sampled many times from a known distribution; the table shows how often the
95 % interval of the expected best of k runs contains the true value. One standard error of a share
p is sqrt(p (1 - p) / REPETITIONS). Takes about five minutes for 2,000 repetitions.
"""

import argparse
from itertools import product

import numpy as np
from scipy.stats import lognorm, norm, t, uniform

from bench.stats import best_interval, bootstrap_mean, improvement_interval

LEVEL, RESAMPLES = 0.95, 1000
DISTRIBUTIONS = {
    "normal": norm.ppf,
    "lognormal, sigma 0.5": lognorm(0.5).ppf,
    "lognormal, sigma 1": lognorm(1).ppf,
    "uniform": uniform.ppf,
    "Student, 3 degrees": t(3).ppf,
    "1 in 5 failed (5 times)": lambda u: np.where(u < 0.8, lognorm(0.3).ppf(u / 0.8), 5.0),
}
BUDGETS = (1, 2, 4, 5, 10, 20, 25, 50, 100)


def true_expected_best(quantile, k: int, *, points: int = 1_000_000) -> float:
    """E[min of k] = mean of F^-1(1 - (1 - v)^(1/k)) over v in (0, 1), by the midpoint rule."""
    v = (np.arange(points) + 0.5) / points
    return float(quantile(-np.expm1(np.log1p(-v) / k)).mean())


def best_coverage(quantile, n: int, ks, *, repetitions: int, generator) -> np.ndarray:
    """Return, for each k, the share of n-score samples whose interval contains E[min of k]."""
    truth = np.array([true_expected_best(quantile, k) for k in ks])
    covered = np.zeros(len(ks))
    for _ in range(repetitions):
        scores = quantile(generator.random(n))
        intervals = best_interval(scores, ks, level=LEVEL, resamples=RESAMPLES, generator=generator)
        low, high = np.array([(i.low, i.high) for i in intervals]).T
        covered += (low <= truth) & (truth <= high)
    return covered / repetitions


def mean_coverage(n: int, *, repetitions: int, generator) -> float:
    """Return the share of n normal scores' `bootstrap_mean` intervals that contain the mean."""
    covered = 0
    for _ in range(repetitions):
        _, low, high = bootstrap_mean(
            generator.normal(size=n), level=LEVEL, resamples=RESAMPLES, generator=generator
        )
        covered += low <= 0 <= high
    return covered / repetitions


def improvement_coverage(n: int, shift: float, *, repetitions: int, generator) -> float:
    """Return the coverage of `improvement_interval`: n normal scores against n shifted ones."""
    covered, truth = 0, norm.cdf(shift / np.sqrt(2))
    for _ in range(repetitions):
        ours, theirs = generator.normal(size=n), generator.normal(size=n) + shift
        interval = improvement_interval(
            ours, theirs, level=LEVEL, resamples=RESAMPLES, generator=generator
        )
        covered += interval.low <= truth <= interval.high
    return covered / repetitions


def main() -> None:
    """Print the tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("repetitions", nargs="?", type=int, default=2000)
    repetitions = options.parse_args().repetitions
    generator = np.random.Generator(np.random.PCG64(0))
    print(f"{repetitions} samples, {RESAMPLES} resamples: coverage of 95 % intervals\n")
    print("mean of n normal scores:")
    for n in (4, 6, 8, 10, 20):
        print(f"  n={n}: {mean_coverage(n, repetitions=repetitions, generator=generator):.3f}")
    print("\nprobability of improvement, n normal scores against n shifted ones:")
    for n, shift in product((5, 10, 20), (0, 1, 2)):
        share = improvement_coverage(n, shift, repetitions=repetitions, generator=generator)
        print(f"  n={n} shift={shift}: {share:.3f}")
    print("\nexpected best of k of n scores:")
    print(f"{'':>30}" + "".join(f"  k={k:<4}" for k in BUDGETS))
    for n in (10, 20, 50, 100):
        ks = [k for k in BUDGETS if k <= n]
        for name, quantile in DISTRIBUTIONS.items():
            shares = best_coverage(quantile, n, ks, repetitions=repetitions, generator=generator)
            print(
                f"{name:>24} n={n:<3}" + "".join(f"  {share:.3f} " for share in shares), flush=True
            )


if __name__ == "__main__":
    main()
