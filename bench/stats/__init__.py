"""The statistics of a comparison: numpy and scipy, every draw from a generator that is given."""

from bench.stats.intervals import (
    INTERVAL_RUNS,
    Interval,
    bootstrap_mean,
    interquartile_mean,
    stratified_bootstrap,
)
from bench.stats.ranksum import MIN_RUNS, differences, groups, holm, mann_whitney, runs_needed
from bench.stats.shares import share_difference

__all__ = [
    "INTERVAL_RUNS",
    "MIN_RUNS",
    "Interval",
    "bootstrap_mean",
    "differences",
    "groups",
    "holm",
    "interquartile_mean",
    "mann_whitney",
    "runs_needed",
    "share_difference",
    "stratified_bootstrap",
]
