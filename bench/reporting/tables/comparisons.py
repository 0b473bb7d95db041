"""What belongs side by side: one data set under one protocol, a table for each checkpoint."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bench.reporting.data.protocols import sibling
from bench.reporting.data.records import StageRecord
from bench.reporting.tables import rounding
from bench.reporting.tables.groups import group_rows
from bench.reporting.tables.search import Search, search_of
from bench.reporting.tables.summary import Table, summarise

CHECKPOINTS = ("best", "final", "last")  # the main one first


@dataclass(frozen=True)
class Comparison:
    """Contenders of a stage on one data set under one protocol.

    Args:
        stage: of the sweep; where it `searches`, contenders are variants with all configurations.
        tables: by checkpoint, the main one first: "best", else "final".
    """

    stage: StageRecord
    tables: tuple[Table, ...]

    @property
    def main(self) -> Table:
        """The table that orders the contenders and whose figures are drawn."""
        return self.tables[0]


def comparisons_of(stages: Iterable[StageRecord]) -> tuple[Comparison, ...]:
    """All of a study: the last stage first, for that is what it ends in; then in order.

    Raises:
        UserError: a row's protocol does not name its extractor and the directions of its scores.
    """
    stages = list(stages)
    return tuple(c for stage in (*stages[-1:], *stages[:-1]) for c in _of_stage(stage))


def search_behind(comparison: Comparison, study: Sequence[Comparison]) -> Search | None:
    """The search on the same data set, protocol and checkpoint; None where there is none."""
    group = comparison.main.group
    key = (group.dataset, group.checkpoint, group.protocol)
    for one in study:
        other = one.main.group
        if one.stage.searches and (other.dataset, other.checkpoint, other.protocol) == key:
            return search_of(one.main)
    return None


def _of_stage(stage: StageRecord) -> Iterable[Comparison]:
    found: dict[tuple[str, str], list[Table]] = {}
    for group in group_rows(stage):
        table = summarise(group, tested=not stage.searches)
        found.setdefault((group.dataset, sibling(group.protocol)), []).append(table)
    return [Comparison(stage, tuple(sorted(tables, key=_place))) for tables in found.values()]


def _place(table: Table) -> tuple[int, str]:
    kind = table.group.checkpoint.partition("-")[0]
    return (CHECKPOINTS.index(kind) if kind in CHECKPOINTS else len(CHECKPOINTS), table.group.slug)


class CheckpointRow(NamedTuple):
    """A contender's first metric at each checkpoint, mean and spread as text."""

    name: str
    cells: tuple[str, ...]


def checkpoint_names(comparison: Comparison) -> list[str]:
    """Heads of the columns; none where there is one checkpoint alone."""
    names = [table.group.checkpoint for table in comparison.tables]
    return names if len(names) > 1 else []


def checkpoint_rows(comparison: Comparison) -> list[CheckpointRow]:
    """In the order of the main table."""
    places = rounding.places_of(comparison.main)[comparison.main.group.first]
    return [
        CheckpointRow(
            line.name, tuple(_cell(table, line.name, places) for table in comparison.tables)
        )
        for line in comparison.main.lines
    ]


def _cell(table: Table, name: str, places: int) -> str:
    cells = next((line.cells for line in table.lines if line.name == name), {})
    cell = cells.get(table.group.first)
    return rounding.DASH if cell is None else rounding.spread(cell, places)
