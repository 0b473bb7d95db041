"""Read a stage's grid as a factorial experiment: log scores of cells, effects of factors."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from typing import NamedTuple

import numpy as np

from bench import stats
from bench.reporting.tables.methods import SeedRun, TableGroup
from bench.reporting.tables.summary import LEVEL
from bench.stats import Interval

CONFIGURATION = "configuration"  # factor of a grid that crosses several chosen configurations
CONSTANT = ("seed", "dataset")
ORDER = 2  # factors of the largest interactions that are listed


class Effect(NamedTuple):
    """The effect of one factor's level on the score, or of two levels together.

    Args:
        levels: factor -> level, of one factor or two.
        ratio: geometric mean of the score over that with the factor's first level, averaged over
            all other factors; of two factors: over what both would do if each did what it does
            alone. With its interval; below 1 is better where a lower score is.
    """

    levels: Mapping[str, str]
    ratio: Interval


@dataclass(frozen=True)
class Factorial:
    """The scores of a full factorial, in every cell as many seeds.

    Args:
        group: the table that it was read from.
        factors: factor -> levels; effects are against the first.
        seeds: those that have a score in every cell, N of them.
        incomplete: the other seeds, which are left out.
        logs: natural logarithm of the first metric, [levels of each factor ..., N].
        untrained: runs that diverged and count as the untrained generator.
    """

    group: TableGroup
    factors: Mapping[str, tuple[str, ...]]
    seeds: tuple[int, ...]
    incomplete: tuple[int, ...]
    logs: np.ndarray
    untrained: int

    def contrast(self, levels: Mapping[str, str]) -> np.ndarray:
        """Return the effect of levels on the logarithm of the score, by seed, [N]."""
        names = list(self.factors)
        places = {names.index(f): self.factors[f].index(level) for f, level in levels.items()}
        return stats.contrast(self.logs, places)

    def at(self, **levels: str) -> np.ndarray:
        """Return the logarithms where some factors have these levels, [other factors ..., N]."""
        return self.logs[
            tuple(
                names.index(levels[factor]) if factor in levels else slice(None)
                for factor, names in self.factors.items()
            )
        ]

    def mean_at(self, **levels: str) -> np.ndarray:
        """Return the logarithms at these levels, averaged over all other factors, [N]."""
        logs = self.at(**levels)
        return logs.reshape(-1, logs.shape[-1]).mean(0)

    @cached_property
    def effects(self) -> list[Effect]:
        """Return the main effects, then the interactions of two factors."""
        return [Effect(levels, ratio(self.contrast(levels))) for levels in self._all_levels()]

    def _all_levels(self) -> Iterator[dict[str, str]]:
        for order in range(1, ORDER + 1):
            for names in combinations(self.factors, order):
                if names != (CONFIGURATION,):  # two configurations differ by all that chose them
                    for levels in product(*(self.factors[name][1:] for name in names)):
                        yield dict(zip(names, levels, strict=True))


def ratio(logs: np.ndarray, level: float = LEVEL) -> Interval:
    """Return the geometric mean of ratios from their logarithms, with Student's interval."""
    return Interval(*(math.exp(bound) for bound in stats.t_interval(logs, level=level)))


def read_factorial(group: TableGroup) -> Factorial | None:
    """Read a table's runs as a factorial.

    Returns:
        None where the stage has no grid, fewer than two seeds have a score in every cell, or a
        score is not above 0.
    """
    if not group.factors:
        return None
    factors = {name: tuple(levels) for name, levels in group.factors.items()}
    settings = {run.run.run_id: _settings(run, factors) for run in group.runs}
    rests = list(dict.fromkeys(rest for _, rest in settings.values()))
    if len({(tuple(chosen.items()), rest) for chosen, rest in settings.values()}) > math.prod(
        len(levels) for levels in factors.values()
    ):  # some cell has several: they are no settings that go with a level
        factors = {CONFIGURATION: tuple(_name(rest, rests) for rest in rests), **factors}
    shape = tuple(len(levels) for levels in factors.values())
    seeds = sorted({run.run.seed for run in group.runs})
    scores, untrained = np.full((*shape, len(seeds)), np.nan), set()
    for run in group.runs:
        chosen, rest = settings[run.run.run_id]
        if CONFIGURATION in factors:
            chosen = {CONFIGURATION: _name(rest, rests), **chosen}
        if any(chosen.get(factor) not in levels for factor, levels in factors.items()):
            return None
        place = tuple(levels.index(chosen[factor]) for factor, levels in factors.items())
        score, is_untrained = _score(run, group.first)
        scores[(*place, seeds.index(run.run.seed))] = score
        untrained |= {(run.run.run_id, run.run.seed)} if is_untrained else set()
    whole = np.isfinite(scores).all(axis=tuple(range(len(shape))))
    kept = tuple(seed for seed, ok in zip(seeds, whole, strict=True) if ok)
    if len(kept) < 2 or not (scores[..., whole] > 0).all():
        return None
    left_out = tuple(seed for seed in seeds if seed not in kept)
    n_untrained = sum(seed in kept for _, seed in untrained)
    return Factorial(group, factors, kept, left_out, np.log(scores[..., whole]), n_untrained)


def _settings(
    run: SeedRun, factors: Mapping[str, object]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return a run's levels of the factors, and its other overrides but seed and data set."""
    pairs = dict(o.lstrip("+").partition("=")[::2] for o in run.run.overrides)
    chosen = {name: pairs[name] for name in factors if name in pairs}
    rest = (f"{k}={v}" for k, v in pairs.items() if k not in factors and k not in CONSTANT)
    return chosen, tuple(rest)


def _name(rest: tuple[str, ...], rests: Sequence[tuple[str, ...]]) -> str:
    """Return what sets a configuration apart: "loss=hinge, penalty=r1"."""
    return ", ".join(o for o in rest if not all(o in other for other in rests))


def _score(run: SeedRun, metric: str) -> tuple[float, bool]:
    """Return the score, of a diverged run the untrained generator's; and whether it is that."""
    row = run.row
    if row is None:
        return math.nan, False
    if row.status == "diverged":
        return row.details.get(f"untrained.{metric}", math.nan), True
    return row.scores.get(metric, math.nan), False
