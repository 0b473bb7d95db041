"""Numbers of the tables as CSV, with full digits."""

from bench.reporting.archive.row_table import csv_text
from bench.reporting.tables.summary import Table

SUMMARY_COLUMNS = (
    "variant", "score", "direction", "n", "mean", "sd", "min", "max", "interval_low",
    "interval_high", "planned", "finished", "diverged", "failed", "unfinished",
)  # fmt: skip


def summary_csv(table: Table) -> str:
    """One line for each variant and score, in the table's order; those of real samples last."""
    lines = []
    cells = [(line.name, line.cells, line.contender.counts) for line in table.lines]
    real = [("real", table.floor, {}), ("real_halves", table.bias, {})]
    for name, scores, counts in [*cells, *real]:
        for metric, direction in table.group.metrics.items():
            line = {"variant": name, "score": metric, "direction": direction, "n": 0, **counts}
            cell = scores.get(metric)
            if cell is not None:
                low, high = cell.interval or (None, None)
                line |= {"n": cell.n, "mean": cell.mean, "sd": cell.sd}
                line |= {"min": cell.low, "max": cell.high}
                line |= {"interval_low": low, "interval_high": high}
            if counts or cell is not None:
                lines.append(line | ({"planned": sum(counts.values())} if counts else {}))
    return csv_text(SUMMARY_COLUMNS, lines)
