"""Methods with their runs, and the groups of methods that one table compares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from bench.reporting.data.records import RunRecord, count_statuses
from bench.runs.rows import Row

DIRECTIONS = {"lower": 1, "higher": -1}  # times a score: smaller is better


class SeedRun(NamedTuple):
    """A run of a table group, with its row if it has one there."""

    run: RunRecord
    row: Row | None

    @property
    def status(self) -> str:
        """Return the run's status, or "diverged" if scoring found that the generator diverged."""
        diverged = self.row is not None and self.row.status == "diverged"
        return "diverged" if diverged else self.run.status


@dataclass(frozen=True)
class Method:
    """A variant with one choice of settings: the runs that differ by seed alone.

    Args:
        name: the variant, with its settings where the variant occurs with several.
    """

    name: str
    variant: str
    runs: tuple[SeedRun, ...]

    @property
    def rows(self) -> list[Row]:
        """Return the rows of the runs that have one."""
        return [row for _, row in self.runs if row is not None]

    def scored_runs(self, metric: str) -> list[tuple[float, RunRecord]]:
        """Return (score, run) of every finished run that has this metric."""
        rows = [(run, row) for run, row in self.runs if row and row.status == "finished"]
        return [(row.scores[metric], run) for run, row in rows if metric in row.scores]

    @cached_property
    def counts(self) -> dict[str, int]:
        """Count the finished, diverged, failed, unfinished and missing runs."""
        return count_statuses(seed_run.status for seed_run in self.runs)


@dataclass(frozen=True)
class TableGroup:
    """The runs that one table compares: one data set, one protocol, one checkpoint.

    Args:
        slug: name of the table in files and links.
        protocol: fields of the protocol that all rows share, without the runs' own choices.
        metrics: name -> "lower" or "higher", in order; the first one orders the table.
        methods: in the plan's order.
        real_baseline: rows of real samples of another split, scored under this protocol.
        split_half: rows of one half of a split of real samples scored against the other half.
        real_picture: PNG of real images; None where there is none.
        factors: of a stage with a grid: override -> its levels.
    """

    slug: str
    dataset: str
    checkpoint: str
    protocol: Mapping[str, Any]
    metrics: Mapping[str, str]
    methods: tuple[Method, ...]
    real_baseline: tuple[Row, ...]
    split_half: tuple[Row, ...]
    real_picture: bytes | None = None
    factors: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def first(self) -> str:
        """Return the first metric, which orders the table."""
        return next(iter(self.metrics))

    @property
    def conditional(self) -> bool:
        """Return whether the samples are of classes that were asked for."""
        return bool(self.protocol.get("conditional"))

    @property
    def sign(self) -> int:
        """Return 1 if a lower first metric is better, -1 if a higher one is."""
        return DIRECTIONS[self.metrics[self.first]]

    @property
    def runs(self) -> tuple[SeedRun, ...]:
        """Return the runs of all methods."""
        return tuple(seed_run for method in self.methods for seed_run in method.runs)

    @property
    def rows(self) -> list[Row]:
        """Return the rows of all methods."""
        return [row for method in self.methods for row in method.rows]

    def details(self, name: str) -> list[float]:
        """Return a detail of the rows that have it, "frechet.latent_sd" say."""
        return [row.details[name] for row in self.rows if name in row.details]
