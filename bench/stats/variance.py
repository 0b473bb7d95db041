"""Split a score's variance by its sources: hyperparameters, the seed of training, the evaluation.

Nested random effects, score = mean + configuration + seed + evaluation, estimated by equating
mean squares with their expectations: Searle, Casella and McCulloch 1992, Variance Components,
section 3.6. Bouthillier et al. 2021 (arXiv:2103.03098) split the variance of benchmarks so.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from bench.stats.checks import Values, finite

# The variance of n normal values is known to sqrt(2 / (n - 1)) of itself (one standard error):
# to a half from 9 values on, which is the least that tells a large component from a small one.
MIN_SPREAD_RUNS = 9


class VarianceSplit(NamedTuple):
    """Variances of a score by what causes them; None where there are too few values to tell."""

    hyperparameters: float | None
    seed: float | None
    evaluation: float | None


def variance_split(
    configurations: Values, repeated: Mapping[str, Values], evaluation: Values
) -> VarianceSplit:
    """Variances between configurations, between seeds of one, and between scorings of one run.

    evaluation = mean of the given ones; seed = MS_within - evaluation; hyperparameters = variance
    of the configurations - seed - evaluation; negative estimates are 0.

    Args:
        configurations: one score of each of m configurations, trained with one seed each, [m].
        repeated: configuration -> its scores with several seeds, [n_c] each. MS_within is pooled,
            sum_c (n_c - 1) s_c^2 / sum_c (n_c - 1), and taken to hold for all configurations;
            where it is a good one that was repeated, the seed's share is probably too small.
        evaluation: variance of each run's score under new latents, the square of `latent_sd`
            say, [runs]; on the scale of the scores: of log scores, sd^2 / score^2.

    Returns:
        Components, on the squared scale of the scores. Where none is 0 for being negative they
        add up to the variance of the configurations. Without an evaluation the seed's cannot be
        told from it, but what both leave to the hyperparameters can.

    Raises:
        ValueError: a score or variance that is not finite, or a negative variance.
    """
    noise = _mean_of(evaluation)
    within = _pooled(repeated)
    total = _variance(finite("configurations", configurations)) if len(configurations) else None
    seed = None if within is None or noise is None else max(0.0, within - noise)
    if within is None or total is None:
        return VarianceSplit(None, seed, noise)
    explained = within if noise is None else max(within, noise)
    return VarianceSplit(max(0.0, total - explained), seed, noise)


def _mean_of(variances: Values) -> float | None:
    if not len(variances):
        return None
    array = finite("evaluation", variances)
    if array.min() < 0:
        raise ValueError(f"evaluation: a variance is not negative, found {array.min()}")
    return float(array.mean())


def _pooled(repeated: Mapping[str, Values]) -> float | None:
    """Mean square within configurations; None without a configuration of two seeds."""
    runs = [finite(f"repeated, {name}", values) for name, values in repeated.items()]
    freedom = sum(len(x) - 1 for x in runs)
    if not freedom:
        return None
    return float(sum(np.square(x - x.mean()).sum() for x in runs) / freedom)


def _variance(values: np.ndarray) -> float | None:
    return float(values.var(ddof=1)) if len(values) > 1 else None
