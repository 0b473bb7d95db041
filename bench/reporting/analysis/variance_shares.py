"""Divide the variance of a variant's log score among its sources, from two stages."""

from dataclasses import dataclass

import numpy as np

from bench import stats
from bench.reporting.tables.methods import Method
from bench.reporting.tables.search import Search, SearchedVariant
from bench.reporting.tables.summary import Table


@dataclass(frozen=True)
class VarianceShares:
    """Variance of a variant's natural logarithm of the score, by source.

    Args:
        hyperparameters, seed, evaluation: the variances. Where the evaluation's noise was not
            measured, `evaluation` is None and the seed's variance includes it.
    """

    variant: str
    hyperparameters: float
    seed: float
    evaluation: float | None

    @property
    def total(self) -> float:
        """Return the variance of the log score over configurations, if no part was cut at 0."""
        return self.hyperparameters + self.seed + (self.evaluation or 0.0)


def variance_shares(search: Search, table: Table) -> list[VarianceShares]:
    """Return the shares of the variants with enough runs of both stages, in the table's order.

    A variant that was searched twice has none: neither search is the one that was repeated.

    Args:
        search: configurations with one seed each.
        table: one configuration of each variant with several seeds.
    """
    variants = [one.variant for one in search.variants]
    searched = {one.variant: one for one in search.variants if variants.count(one.variant) == 1}
    methods = [row.method for row in table.rows if row.method.variant in searched]
    shares = [_shares(searched[m.variant], m, table.group.first) for m in methods]
    return [one for one in shares if one is not None]


def _shares(searched: SearchedVariant, method: Method, metric: str) -> VarianceShares | None:
    configurations = searched.sign * np.asarray(searched.costs)
    seeds = [value for value, _ in method.scored_runs(metric)]
    seeds += [searched.untrained] * method.counts["diverged"]
    few = min(len(configurations), len(seeds)) < stats.MIN_SPREAD_RUNS
    if few or min(configurations.min(), *seeds) <= 0:
        return None
    rows = [row for row in method.rows if metric in row.scores]
    sds = [(row.details.get(f"{metric}.latent_sd"), row.scores[metric]) for row in rows]
    noise = [(sd / score) ** 2 for sd, score in sds if sd is not None]
    split = stats.variance_split(np.log(configurations), {"chosen": np.log(seeds)}, noise)
    if split.hyperparameters is None:
        return None
    seed = float(np.var(np.log(seeds), ddof=1)) if split.seed is None else split.seed
    return VarianceShares(method.variant, split.hyperparameters, seed, split.evaluation)
