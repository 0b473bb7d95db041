"""Summarise a hyperparameter search: the score of each configuration of each variant."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from bench.reporting.tables.methods import Method, SeedRun
from bench.reporting.tables.summary import Table
from bench.runs.rows import Setting


@dataclass(frozen=True)
class Configuration:
    """One configuration of a variant.

    Args:
        sample: its number; 0 are the variant's defaults.
        hyperparameters: as recorded in its rows; empty if it has no row.
        score: mean of the table's first metric over its finished runs; None if none finished.
        selection_score: mean score on the split that selects; `score` if none was recorded.
        diverged: how many of its runs diverged, of those in `ended`.
        ended: how many of its runs finished or diverged.
    """

    sample: int
    hyperparameters: Mapping[str, Setting]
    score: float | None
    selection_score: float | None
    diverged: int
    ended: int


@dataclass(frozen=True)
class SearchedVariant:
    """A variant and its configurations, by sample.

    Args:
        name: the method's: the variant, with its settings where the variant occurs with several.
        configs: configurations of which a run ended.
        n_unended: how many configurations have no run that ended.
        untrained: score of the untrained generator, which stands for a missing score.
        sign: 1 if lower is better, -1 if higher.
    """

    name: str
    variant: str
    configs: tuple[Configuration, ...]
    n_unended: int
    untrained: float
    sign: int

    @cached_property
    def costs(self) -> list[float]:
        """Return sign * score, lower is better; a diverged one gets the untrained generator's."""
        return [self.sign * (self.untrained if c.score is None else c.score) for c in self.configs]

    @cached_property
    def selection(self) -> list[float]:
        """Return sign * selection score, lower is better, filled in as in `costs`."""
        scores = (c.selection_score for c in self.configs)
        return [self.sign * (self.untrained if s is None else s) for s in scores]

    @property
    def best(self) -> Configuration | None:
        """Return the configuration that selection picks: the earliest of the lowest."""
        scored = ((c.selection_score, c) for c in self.configs if c.selection_score is not None)
        return min(scored, key=lambda s: (self.sign * s[0], s[1].sample), default=(0, None))[1]

    @property
    def default(self) -> Configuration | None:
        """Return the defaults, if they are among the configurations."""
        return next((c for c in self.configs if c.sample == 0), None)


@dataclass(frozen=True)
class Search:
    """All variants of a search.

    Args:
        variants: by the score of the selected configuration, the best first.
        untrained: score of the untrained generator.
        untrained_estimated: whether it was not scored, and the table's worst score stands for it.
    """

    table: Table
    variants: tuple[SearchedVariant, ...]
    untrained: float
    untrained_estimated: bool


def summarise_search(table: Table) -> Search:
    """Summarise the configurations behind a table of a search stage."""
    metric, sign = table.group.first, table.group.sign
    untrained, estimated = _untrained_score(table)
    variants = [_summarise_variant(m, metric, sign, untrained) for m in table.group.methods]

    def sort_key(searched: SearchedVariant) -> tuple[bool, float, str]:
        score = searched.best.score if searched.best else None
        return (score is None, 0.0 if score is None else sign * score, searched.name)

    return Search(table, tuple(sorted(variants, key=sort_key)), untrained, estimated)


def _untrained_score(table: Table) -> tuple[float, bool]:
    """Return the score that diverged rows record, or else (the table's worst score, True)."""
    metric, sign = table.group.first, table.group.sign
    if recorded := table.group.details(f"untrained.{metric}"):
        return sum(recorded) / len(recorded), False
    costs = (sign * r.scores[metric] for r in table.group.rows if metric in r.scores)
    return sign * max(costs, default=0.0), True


def _summarise_variant(method: Method, metric: str, sign: int, untrained: float) -> SearchedVariant:
    samples: dict[int, list[SeedRun]] = {}
    for seed_run in method.runs:
        samples.setdefault(seed_run.run.sample, []).append(seed_run)
    configs = [_summarise_configuration(s, runs, metric) for s, runs in sorted(samples.items())]
    ended = tuple(c for c in configs if c.ended)
    n_unended = len(configs) - len(ended)
    return SearchedVariant(method.name, method.variant, ended, n_unended, untrained, sign)


def _summarise_configuration(sample: int, runs: list[SeedRun], metric: str) -> Configuration:
    rows = [m.row for m in runs if m.row is not None]
    scored = [r for r in rows if r.status == "finished" and metric in r.scores]
    selection = [r.details.get(f"selection.{metric}", r.scores[metric]) for r in scored]
    statuses = [m.status for m in runs]
    return Configuration(
        sample=sample,
        hyperparameters=rows[0].hyperparameters if rows else {},
        score=_mean([r.scores[metric] for r in scored]),
        selection_score=_mean(selection),
        diverged=statuses.count("diverged"),
        ended=statuses.count("diverged") + statuses.count("finished"),
    )


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
