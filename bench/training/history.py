"""Read and write history.csv: losses over steps, in a file that is complete at any moment."""

import csv
import io
from pathlib import Path

from bench.core.errors import UserError
from bench.core.files import write_text

Reading = dict[str, float]


def read_history(path: Path) -> list[Reading]:
    """Read all rows of a history file, if there is one; empty cells are absent keys.

    Raises:
        UserError: the file is damaged.
    """
    if not path.is_file():
        return []
    try:
        with open(path, encoding="utf-8", newline="") as lines:
            readings = [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(lines)]
        if not all("step" in reading for reading in readings):
            raise ValueError("a line without a step")
    except (ValueError, TypeError, csv.Error) as error:
        fix = "delete it; the weights do not depend on it"
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
