"""Statistics of a comparison: numpy and scipy; every draw from a generator of the caller."""

# ruff: noqa: F401  (the names that the package offers)

from bench.stats.blocks import (
    MIN_BLOCKS,
    blocks_needed,
    friedman,
    nemenyi_difference,
    nemenyi_groups,
)
from bench.stats.budget import best_quantile, expected_best, order_weights, resampled_best
from bench.stats.curves import best_interval, trusted_budget
from bench.stats.equivalence import DIFFERENT, EQUIVALENT, UNDECIDED, compare
from bench.stats.factorial import contrast
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
    t_interval,
)
from bench.stats.ranking import RankInterval, rank_intervals
from bench.stats.ranksum import MIN_RUNS, differences, groups, holm, mann_whitney, runs_needed
from bench.stats.shares import share_difference
from bench.stats.variance import MIN_SPREAD_RUNS, variance_split
