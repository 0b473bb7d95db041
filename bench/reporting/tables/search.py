"""A search as numbers: for each variant its configurations, with what each came to."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from bench.reporting.tables.methods import Method, SeedRun
from bench.reporting.tables.summary import Table
from bench.runs.rows import Setting


@dataclass(frozen=True)
class Config:
    """One configuration of a variant.

    Args:
        sample: its number; 0 are the variant's defaults.
        run_id: of its first run.
        hyperparameters: as its rows tell them; empty where it has no row.
        score: mean of the table's first metric over its finished runs; None for none.
        chosen_by: the same of what selects, on the split that is not reported; `score` where
            nothing else was recorded.
        diverged: how many of its runs diverged, of all that ended.
        ended: runs that finished or diverged.
    """

    sample: int
    run_id: str
    hyperparameters: Mapping[str, Setting]
    score: float | None
    chosen_by: float | None
    diverged: int
    ended: int


@dataclass(frozen=True)
class Searched:
    """A variant and its configurations, by sample.

    Args:
        name: of the contender: the variant, and what sets it apart from its like.
        configs: those of which a run ended.
        open: configurations of which none has.
        untrained: what a configuration without a score counts as.
        sign: 1 where lower is better, -1 where higher.
    """

    name: str
    variant: str
    configs: tuple[Config, ...]
    open: int
    untrained: float
    sign: int

    @cached_property
    def costs(self) -> list[float]:
        """Scores turned so that lower is better, the untrained generator's for what diverged."""
        return [self.sign * (self.untrained if c.score is None else c.score) for c in self.configs]

    @cached_property
    def selection(self) -> list[float]:
        """What configurations are chosen by, turned and filled likewise."""
        worst = self.sign * self.untrained
        return [worst if c.chosen_by is None else self.sign * c.chosen_by for c in self.configs]

    @property
    def best(self) -> Config | None:
        """The one that would be chosen: lowest by `selection`, the earliest of equals."""
        scored = [c for c in self.configs if c.chosen_by is not None]
        return min(scored, key=lambda c: (self.sign * (c.chosen_by or 0.0), c.sample), default=None)

    @property
    def default(self) -> Config | None:
        """The defaults, where they were among the configurations."""
        return next((c for c in self.configs if c.sample == 0), None)


@dataclass(frozen=True)
class Search:
    """All variants of a search.

    Args:
        variants: in the table's order by what is chosen, the best first.
        untrained: score of the untrained generator.
        guessed: whether the untrained generator was not scored, so that the worst score of the
            table stands for it.
    """

    table: Table
    variants: tuple[Searched, ...]
    untrained: float
    guessed: bool


def search_of(table: Table) -> Search:
    """The search behind a table of a stage that `searches`."""
    metric, sign = table.group.first, table.group.sign
    untrained, guessed = _untrained(table)
    found = [_searched(c, metric, sign, untrained) for c in table.group.contenders]

    def place(one: Searched) -> tuple[bool, float, str]:
        score = one.best.score if one.best else None
        return (score is None, 0.0 if score is None else sign * score, one.name)

    return Search(table, tuple(sorted(found, key=place)), untrained, guessed)


def _untrained(table: Table) -> tuple[float, bool]:
    """Score of the untrained generator as diverged rows tell it; else the worst score there is."""
    metric, sign = table.group.first, table.group.sign
    rows = [m.row for m in table.group.members if m.row is not None]
    told = [r.details[f"untrained.{metric}"] for r in rows if f"untrained.{metric}" in r.details]
    if told:
        return sum(told) / len(told), False
    scores = [r.scores[metric] for r in rows if metric in r.scores]
    return (sign * max((sign * s for s in scores), default=0.0)), True


def _searched(contender: Method, metric: str, sign: int, untrained: float) -> Searched:
    members: dict[int, list[SeedRun]] = {}
    for member in contender.members:
        members.setdefault(member.run.sample, []).append(member)
    configs = [_config(sample, runs, metric) for sample, runs in sorted(members.items())]
    ended = tuple(c for c in configs if c.ended)
    return Searched(
        contender.name, contender.variant, ended, len(configs) - len(ended), untrained, sign
    )


def _config(sample: int, members: list[SeedRun], metric: str) -> Config:
    rows = [m.row for m in members if m.row is not None]
    scored = [r for r in rows if r.status == "finished" and metric in r.scores]
    chosen = [r.details.get(f"selection.{metric}", r.scores[metric]) for r in scored]
    statuses = [m.status for m in members]
    return Config(
        sample=sample,
        run_id=members[0].run.run_id,
        hyperparameters=rows[0].hyperparameters if rows else {},
        score=_mean([r.scores[metric] for r in scored]),
        chosen_by=_mean(chosen),
        diverged=statuses.count("diverged"),
        ended=statuses.count("diverged") + statuses.count("finished"),
    )


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
