"""Read and write history.csv: losses over steps, in a file that is complete at any moment."""

import csv
import io
import math
import os
from pathlib import Path

from bench.core.errors import UserError
from bench.core.files import read_text, write_text

Reading = dict[str, float]


def read_history(path: Path) -> list[Reading]:
    """Read all rows of a history file, if there is one; empty cells are absent keys.

    Raises:
        UserError: the file is damaged.
    """
    if not os.path.lexists(path):
        return []
    fix = "delete it; the weights do not depend on it"
    try:
        lines = io.StringIO(read_text(path, fix), newline="")
        readings = [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(lines)]
        if not all("step" in reading for reading in readings):
            raise ValueError("a line without a step")
        if not all(math.isfinite(v) for reading in readings for v in reading.values()):
            raise ValueError("a value that is not finite")
    except (ValueError, TypeError, csv.Error) as error:
        raise UserError(f"{path} is damaged: {error}", fix=fix) from error
    return readings


def write_history(path: Path, readings: list[Reading]) -> None:
    """Replace the file; "step" and "g_step" come first, a value that is absent is an empty cell."""
    names = dict.fromkeys(["step", "g_step", *(k for reading in readings for k in sorted(reading))])
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(names), lineterminator="\n")
    writer.writeheader()
    for reading in readings:
        writer.writerow({k: _format_number(v) for k, v in reading.items()})
    write_text(path, buffer.getvalue())


def _format_number(value: float) -> str:
    """Format whole numbers without a point; 9 digits hold any float32."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else f"{value:.9g}"
