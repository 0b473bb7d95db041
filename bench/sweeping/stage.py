"""Stages of a sweep, as they are declared and checked."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.sweeping.space import Value


@dataclass(frozen=True)
class Rule:
    """How a later stage chooses configurations: the lowest or highest score of each group.

    Args:
        name: "lowest" or "highest".
        score: a score or detail of a row: "frechet", "selection.frechet".
        checkpoint: the rows' checkpoint: "final", "best" or "last-3".
    """

    name: str
    score: str
    checkpoint: str

    def describe(self) -> str:
        """Return the rule as a plan records it."""
        score = f"{self.name} {self.score} of the {self.checkpoint} checkpoint"
        ties = "of equals the earliest sample; runs without a score are never chosen"
        return f"{score}, for each variant and data set; {ties}"


@dataclass(frozen=True)
class Stage:
    """One stage of a sweep.

    Args:
        variants, datasets, seeds: every combination of them is run.
        configurations: variant -> values of each of its samples; {} are its defaults. None where
            they come from an earlier stage.
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


def override_key(parameter: str) -> str:
    """beta1 -> hyperparameters.beta1; a name with a dot or slash is an override's key already."""
    return parameter if "." in parameter or "/" in parameter else f"hyperparameters.{parameter}"
