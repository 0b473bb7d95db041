"""Stages as they are declared, once they are known to be sound."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.sweeping.space import Value


@dataclass(frozen=True)
class Rule:
    """How configurations of an earlier stage are chosen: the lowest or highest score of each group.

    Args:
        name: "lowest" or "highest".
        score: of a row, or a detail: "frechet", "selection.frechet".
        checkpoint: of the rows: "final", "best" or "last-3".
    """

    name: str
    score: str
    checkpoint: str

    def words(self) -> str:
        """As it is recorded in a plan."""
        return (
            f"{self.name} {self.score} of the {self.checkpoint} checkpoint, for each variant and "
            "data set; of equals the earliest sample; runs without a score are never chosen"
        )


@dataclass(frozen=True)
class Stage:
    """One stage of a sweep.

    Args:
        name: of the stage.
        variants, datasets, seeds: what is combined.
        configurations: variant -> values of each of its samples; {} are its defaults. None where
            they come from an earlier stage.
        settings: overrides of all runs.
        of_variant, of_dataset: overrides of one variant's or data set's runs.
        after: the earlier stage, if any.
        rule: that chooses from it.
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


def full_name(parameter: str) -> str:
    """A word alone is a hyperparameter; everything else is an override's own name."""
    return parameter if "." in parameter or "/" in parameter else f"hyperparameters.{parameter}"
