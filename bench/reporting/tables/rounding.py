"""Numbers as text: as many digits as a column needs, no more."""

import math
from collections.abc import Iterable
from statistics import median

from bench.reporting.tables.summary import Cell, Table

DASH, PLUS_MINUS = "\u2013", "\u00b1"


def decimals(values: Iterable[float]) -> int:
    """Decimals that give the median of a column three digits, four decimals at most."""
    sizes = [abs(value) for value in values if value]
    return min(4, max(0, 2 - math.floor(math.log10(median(sizes))))) if sizes else 1


def number(value: float, places: int) -> str:
    """A number of a column; one that the column's decimals would hide shows two digits."""
    if abs(value) >= 1e6 or 0 < abs(value) < 0.5 * 10.0**-places:
        return f"{value:.2g}"
    return f"{value:,.{places}f}"


def significant(value: float) -> str:
    """Two digits of a spread."""
    return f"{value:.2g}" if value < 100 else f"{value:,.0f}"


def _deviation(value: float, places: int) -> str:
    """A spread is rounded like its mean, to nothing if need be."""
    return number(value, places) if value >= 1 else f"{value:.{places}f}"


def spread(cell: Cell, places: int) -> str:
    """12.3 +/- 0.8; a single run has no spread."""
    mean = number(cell.mean, places)
    return mean if cell.sd is None else f"{mean} {PLUS_MINUS} {_deviation(cell.sd, places)}"


def places_of(table: Table) -> dict[str, int]:
    """Decimals of each score's column."""
    return {
        m: decimals(line.cells[m].mean for line in table.lines if m in line.cells)
        for m in table.group.metrics
    }


def floor_places(table: Table, metric: str) -> int:
    """Decimals of the floor: of the column, or more where that would hide it."""
    return max(places_of(table)[metric], decimals([table.floor[metric].mean]))


def floor_number(table: Table, metric: str) -> str:
    """The floor's score in figures and sentences."""
    return number(table.floor[metric].mean, floor_places(table, metric))


def fact(value: float | None, places: int = 0) -> str:
    """A count or a cost; a dash where it is not known."""
    return DASH if value is None else f"{value:,.{places}f}"
