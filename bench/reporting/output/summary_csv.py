"""Write the numbers of a table as CSV, with all digits."""

from typing import Any

from bench.reporting.archive.row_table import format_csv
from bench.reporting.tables.summary import Table
from bench.reporting.text import words

SUMMARY_COLUMNS = (
    "variant", "score", "direction", "n", "mean", "sd", "min", "max", "interval_low",
    "interval_high", "planned", "finished", "diverged", "failed", "unfinished",
)  # fmt: skip


def format_summary_csv(table: Table) -> str:
    """Format one line for each method and metric, in the table's order; real samples last."""
    records = []
    methods = [(row.name, row.cells, row.method.counts) for row in table.rows]
    no_counts: dict[str, int] = {}
    methods.append(("real", table.real_baseline, no_counts))
    methods.append(("real_halves", table.split_half, no_counts))
    for name, cells, counts in methods:
        for metric, direction in table.group.metrics.items():
            side = words.better_side(metric, direction)
            record: dict[str, Any] = {"variant": name, "score": metric, "direction": side}
            record |= {"n": 0, **counts}
            cell = cells.get(metric)
            if cell is not None:
                low, high = cell.interval or (None, None)
                record |= {"n": cell.n, "mean": cell.mean, "sd": cell.sd}
                record |= {"min": cell.low, "max": cell.high}
                record |= {"interval_low": low, "interval_high": high}
            if counts or cell is not None:
                records.append(record | ({"planned": sum(counts.values())} if counts else {}))
    return format_csv(SUMMARY_COLUMNS, records)
