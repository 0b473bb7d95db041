"""Format numbers as text: as many digits as a column needs, no more."""

import math
from collections.abc import Iterable
from statistics import median

from bench.core.text import format_duration
from bench.reporting.tables.summary import Cell, Table

DASH, PLUS_MINUS = "\u2013", "\u00b1"


def column_decimals(values: Iterable[float]) -> int:
    """Return the decimals that give a column's median three digits, four decimals at most."""
    sizes = [abs(value) for value in values if value]
    return min(4, max(0, 2 - math.floor(math.log10(median(sizes))))) if sizes else 1


def format_number(value: float, places: int) -> str:
    """Format a number of a column; one that the decimals would round to zero shows two digits."""
    if abs(value) >= 1e6 or 0 < abs(value) < 0.5 * 10.0**-places:
        return f"{value:.2g}"
    return f"{value:,.{places}f}"


def format_two_digits(value: float) -> str:
    """Format a standard deviation with two significant digits."""
    return f"{value:.2g}" if value < 100 else f"{value:,.0f}"


def format_mean_sd(cell: Cell | None, places: int) -> str:
    """Return 12.3 +/- 0.8, whose sd may round to zero; 12.3 for one run, a dash for no cell."""
    if cell is None:
        return DASH
    mean, sd = format_number(cell.mean, places), cell.sd
    if sd is None:
        return mean
    return f"{mean} {PLUS_MINUS} {format_number(sd, places) if sd >= 1 else f'{sd:.{places}f}'}"


def decimals_by_metric(table: Table) -> dict[str, int]:
    """Return the decimals of each metric's column."""
    return {
        m: column_decimals(row.cells[m].mean for row in table.rows if m in row.cells)
        for m in table.group.metrics
    }


def format_baseline(table: Table, metric: str) -> str:
    """Format the real baseline's score, with more decimals than the column if these hide it."""
    mean = table.real_baseline[metric].mean
    return format_number(mean, max(decimals_by_metric(table)[metric], column_decimals([mean])))


def format_time(seconds: float | None) -> str:
    """Format a training time; a dash if it was not recorded."""
    return DASH if seconds is None else format_duration(seconds)


def format_fact(value: float | None, places: int = 0) -> str:
    """Format a count or a cost; a dash if it was not recorded."""
    return DASH if value is None else f"{value:,.{places}f}"
