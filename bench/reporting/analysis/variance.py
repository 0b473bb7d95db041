"""Where the variance of a variant's log score comes from: two stages side by side."""

from dataclasses import dataclass

import numpy as np

from bench import stats
from bench.reporting.tables.methods import Method
from bench.reporting.tables.search import Search, Searched
from bench.reporting.tables.summary import Table


@dataclass(frozen=True)
class Shares:
    """Of one variant.

    Args:
        hyperparameters, seed, evaluation: variances of the natural logarithm of the score. Where
            no evaluation noise is known the seed's includes it and `evaluation` is None.
        configurations: of the search; those that diverged count as the untrained generator.
        seeds: of the chosen configuration.
    """

    variant: str
    hyperparameters: float
    seed: float
    evaluation: float | None
    configurations: int
    seeds: int

    @property
    def total(self) -> float:
        """Variance of the log score over configurations, where no part was cut at 0."""
        return self.hyperparameters + self.seed + (self.evaluation or 0.0)


def shares_of(search: Search, table: Table) -> list[Shares]:
    """Variants of the table that have enough of both, in its order; one search of each.

    Args:
        search: configurations with one seed each.
        table: one configuration of each variant with several seeds.
    """
    variants = [one.variant for one in search.variants]
    searched = {one.variant: one for one in search.variants if variants.count(one.variant) == 1}
    lines = [line for line in table.lines if line.contender.variant in searched]
    found = [
        _shares(searched[c.variant], c, table.group.first) for c in (x.contender for x in lines)
    ]
    return [shares for shares in found if shares is not None]


def _shares(searched: Searched, contender: Method, metric: str) -> Shares | None:
    configurations = searched.sign * np.asarray(searched.costs)
    seeds = [value for value, _ in contender.scored(metric)]
    seeds += [searched.untrained] * contender.counts["diverged"]
    if min(len(configurations), len(seeds)) < stats.MIN_SPREAD_RUNS:
        return None
    if min(configurations.min(), *seeds) <= 0:
        return None
    rows = [m.row for m in contender.members if m.row is not None and metric in m.row.scores]
    noise = [
        (row.details[f"{metric}.latent_sd"] / row.scores[metric]) ** 2
        for row in rows
        if f"{metric}.latent_sd" in row.details
    ]
    split = stats.variance_split(np.log(configurations), {"chosen": np.log(seeds)}, noise)
    within = float(np.var(np.log(seeds), ddof=1))
    if split.hyperparameters is None:
        return None
    return Shares(
        variant=contender.variant,
        hyperparameters=split.hyperparameters,
        seed=within if split.seed is None else split.seed,
        evaluation=split.evaluation,
        configurations=len(configurations),
        seeds=len(seeds),
    )
