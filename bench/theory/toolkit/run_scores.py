"""Train runs of the suite and score them by one metric only."""

import math

from bench.theory.toolkit import suite_access

MINIMAL_SCORING = (
    "~score.metrics.kernel",  # its options stand in conf/score/quick
    "score.noise_seeds=0",
)


def score_run(metrics: str, *overrides: str) -> dict[str, float]:
    """Return the scores of a run's final generator, none of them NaN; {} where it diverged.

    Args:
        metrics: entries of conf/metric, divided by commas.
        overrides: of the run, as on the command line.
    """
    metric_override = f"metric@score.metrics=[{metrics}]"
    status, scores = suite_access.train_and_score(*MINIMAL_SCORING, metric_override, *overrides)
    return scores if status == "finished" else {}


def frechet_of_run(*overrides: str) -> float:
    """Squared Frechet distance of a run's final generator; infinity where it diverged."""
    value = score_run("frechet", *overrides).get("frechet", math.inf)
    return value if math.isfinite(value) else math.inf
