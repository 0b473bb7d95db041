"""Best, final and mean of the last few checkpoints side by side."""

from typing import NamedTuple

from bench.reporting import rounding
from bench.reporting.comparisons import Comparison
from bench.reporting.summary import Table


class Beside(NamedTuple):
    """A contender's first metric at each checkpoint, mean and spread as text."""

    name: str
    cells: tuple[str, ...]


def checkpoint_names(comparison: Comparison) -> list[str]:
    """Heads of the columns; none where there is one checkpoint alone."""
    names = [table.group.checkpoint for table in comparison.tables]
    return names if len(names) > 1 else []


def checkpoint_lines(comparison: Comparison) -> list[Beside]:
    """In the order of the main table."""
    places = rounding.places_of(comparison.main)[comparison.main.group.first]
    return [
        Beside(line.name, tuple(_cell(table, line.name, places) for table in comparison.tables))
        for line in comparison.main.lines
    ]


def _cell(table: Table, name: str, places: int) -> str:
    cells = next((line.cells for line in table.lines if line.name == name), {})
    cell = cells.get(table.group.first)
    return rounding.DASH if cell is None else rounding.spread(cell, places)
