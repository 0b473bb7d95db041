"""Stages of a sweep, as they are declared and checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product

from bench.sweeping.space import Value


@dataclass(frozen=True)
class Rule:
    """How a later stage chooses configurations: the lowest or highest score of each group.

    Args:
        name: "lowest" or "highest".
        score: a score or detail of a row: "frechet", "selection.frechet".
        checkpoint: the rows' checkpoint: "final", "best" or "last-3".
        count: how many configurations of each group are chosen, the best first.
    """

    name: str
    score: str
    checkpoint: str
    count: int = 1

    def describe(self) -> str:
        """Return the rule as a plan records it."""
        best = self.name if self.count == 1 else f"{self.count} {self.name}"
        score = f"{best} {self.score} of the {self.checkpoint} checkpoint"
        ties = "of equals the earliest sample; runs without a score are never chosen"
        return f"{score}, for each variant and data set; {ties}"


@dataclass(frozen=True)
class Stage:
    """One stage of a sweep.

    Args:
        variants, datasets, seeds: every combination of them is run.
        configurations: variant -> values of each of its samples; {} are its defaults. None where
            they come from an earlier stage.
        grid: factor -> its levels, values of that override, each with further settings that go
            with it; every combination is run, of each configuration from an earlier stage.
        factors: keys of this grid and of those of the stages before it.
        settings: overrides of all runs.
        of_variant, of_dataset: overrides of one variant's or data set's runs.
        after: name of the earlier stage; None for the first.
    """

    name: str
    variants: tuple[str, ...]
    datasets: tuple[str, ...]
    seeds: tuple[int, ...]
    configurations: Mapping[str, list[dict[str, Value]]] | None
    settings: Mapping[str, Value]
    of_variant: Mapping[str, Mapping[str, Value]]
    of_dataset: Mapping[str, Mapping[str, Value]]
    after: str | None
    rule: Rule | None
    grid: Mapping[str, Mapping[Value, Mapping[str, Value]]] = field(default_factory=dict)
    factors: frozenset[str] = frozenset()

    def cells(self) -> list[dict[str, Value]]:
        """Return every combination of the grid's levels; one empty one where there is no grid."""
        cells = []
        for levels in product(*self.grid.values()):
            chosen = dict(zip(self.grid, levels, strict=True))
            settings = [self.grid[factor][level] for factor, level in chosen.items()]
            cells.append({**chosen, **{k: v for each in settings for k, v in each.items()}})
        return cells


def override_key(parameter: str) -> str:
    """beta1 -> hyperparameters.beta1; a name with a dot or slash is an override's key already."""
    return parameter if "." in parameter or "/" in parameter else f"hyperparameters.{parameter}"
