"""Statistics of a comparison: numpy and scipy; every draw from a generator of the caller."""

from bench.stats.blocks import (
    MIN_BLOCKS,
    Friedman,
    blocks_needed,
    friedman,
    nemenyi_difference,
    nemenyi_groups,
)
from bench.stats.budget import (
    Resampled,
    best_quantile,
    expected_best,
    order_weights,
    resampled_best,
)
from bench.stats.curves import best_interval, trusted_budget
from bench.stats.improvement import (
    improvement_interval,
    mean_improvement,
    probability_of_improvement,
)
from bench.stats.intervals import (
    INTERVAL_RUNS,
    Interval,
    bootstrap_mean,
    interquartile_mean,
    stratified_bootstrap,
)
from bench.stats.ranking import RankInterval, rank_intervals
from bench.stats.ranksum import MIN_RUNS, differences, groups, holm, mann_whitney, runs_needed
from bench.stats.shares import share_difference
from bench.stats.variance import MIN_SPREAD_RUNS, VarianceSplit, variance_split

__all__ = [
    "INTERVAL_RUNS",
    "MIN_BLOCKS",
    "MIN_RUNS",
    "MIN_SPREAD_RUNS",
    "Friedman",
    "Interval",
    "RankInterval",
    "Resampled",
    "VarianceSplit",
    "best_interval",
    "best_quantile",
    "blocks_needed",
    "bootstrap_mean",
    "differences",
    "expected_best",
    "friedman",
    "groups",
    "holm",
    "improvement_interval",
    "interquartile_mean",
    "mann_whitney",
    "mean_improvement",
    "nemenyi_difference",
    "nemenyi_groups",
    "order_weights",
    "probability_of_improvement",
    "rank_intervals",
    "resampled_best",
    "runs_needed",
    "share_difference",
    "stratified_bootstrap",
    "trusted_budget",
    "variance_split",
]
