"""What stands in one table: contenders, each with its runs, and the floor."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from bench.reporting.data.records import RunRecord, count_statuses
from bench.runs.rows import Row

DIRECTIONS = {"lower": 1, "higher": -1}  # times a score: smaller is better


class SeedRun(NamedTuple):
    """A run in a group, with its row where it has one."""

    run: RunRecord
    row: Row | None

    @property
    def status(self) -> str:
        """The run's, but "diverged" where its generator turned out so when it was scored."""
        diverged = self.row is not None and self.row.status == "diverged"
        return "diverged" if diverged else self.run.status


@dataclass(frozen=True)
class Method:
    """A variant with one choice of settings: the runs that differ by seed alone.

    Args:
        name: the variant, and the settings that set it apart where it occurs with several.
    """

    name: str
    variant: str
    members: tuple[SeedRun, ...]

    def scored(self, metric: str) -> list[tuple[float, RunRecord]]:
        """Scores of the finished runs that have this one, with their runs."""
        rows = [m for m in self.members if m.row is not None and m.row.status == "finished"]
        return [(m.row.scores[metric], m.run) for m in rows if m.row and metric in m.row.scores]

    @cached_property
    def counts(self) -> dict[str, int]:
        """finished, diverged, failed, unfinished and missing runs."""
        return count_statuses(member.status for member in self.members)


@dataclass(frozen=True)
class Group:
    """What may stand in one table.

    Args:
        slug: in names of files and links.
        protocol: shared by all rows, without the runs' own choices.
        metrics: name -> "lower" or "higher", in order; the first one orders the table.
        contenders: in the plan's order.
        floor: rows of real samples of another split under this protocol.
        bias: rows of real samples against others of the same split.
    """

    slug: str
    dataset: str
    checkpoint: str
    protocol: Mapping[str, Any]
    metrics: Mapping[str, str]
    contenders: tuple[Method, ...]
    floor: tuple[Row, ...]
    bias: tuple[Row, ...]

    @property
    def first(self) -> str:
        """The metric that orders the table."""
        return next(iter(self.metrics))

    @property
    def sign(self) -> int:
        """1 where the first metric is better lower, -1 where higher."""
        return DIRECTIONS[self.metrics[self.first]]

    @property
    def members(self) -> tuple[SeedRun, ...]:
        """All runs of all contenders."""
        return tuple(member for contender in self.contenders for member in contender.members)
