"""Runs of the suite that are scored by what a statement asks for, and by nothing more."""

import math
from typing import Any

from bench.theory.toolkit import suite_access

LEAN = (
    "~score.metrics.kernel",
    "score.noise_seeds=0",
)  # kernel's options stand in conf/score/quick


def scores(measures: str, *overrides: str) -> dict[str, float]:
    """Scores of a run's final generator, NaN-free; none where it diverged.

    Args:
        measures: entries of conf/metric, divided by commas.
        overrides: of the run, as on the command line.
    """
    chosen = f"metric@score.metrics=[{measures}]"
    status, found = suite_access.scores_of(*LEAN, chosen, *overrides)
    return found if status == "finished" else {}


def frechet(*overrides: str) -> float:
    """Squared Frechet distance of a run's generator; infinity where it diverged."""
    value = scores("frechet", *overrides).get("frechet", math.inf)
    return value if math.isfinite(value) else math.inf


def plain_log(axis: Any) -> None:
    """Decimal labels at 1, 2 and 5 of each decade on an axis that is logarithmic already."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:g}"))
