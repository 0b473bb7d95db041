"""Train runs of the suite and score them by one metric only."""

from collections.abc import Iterable

import numpy as np

from bench.theory.toolkit import suite_access

MINIMAL_SCORING = (
    "~score.metrics.kernel",  # its options stand in conf/score/quick
    "score.noise_seeds=0",
)
# equal for all variants, as in sweeps/quick, where these work
COMMON = [
    "hyperparameters.learning_rate=1e-3",
    "hyperparameters.beta1=0.5",
    "hyperparameters.n_dis=1",
]


def score_run(metrics: str, *overrides: str) -> dict[str, float]:
    """Return the scores of a run's final generator, none of them NaN; {} where it diverged.

    Args:
        metrics: entries of conf/metric, divided by commas.
        overrides: of the run, as on the command line.
    """
    metric_override = f"metric@score.metrics=[{metrics}]"
    status, scores = suite_access.train_and_score(*MINIMAL_SCORING, metric_override, *overrides)
    return scores if status == "finished" else {}


def frechet_over_seeds(overrides: Iterable[str], seeds: Iterable[int]) -> np.ndarray:
    """Squared Frechet distances of final generators, [seeds]; infinity where a run diverged."""
    scores = [score_run("frechet", *overrides, f"seed={seed}") for seed in seeds]
    distances = np.array([run.get("frechet", np.inf) for run in scores])
    return np.where(np.isfinite(distances), distances, np.inf)
