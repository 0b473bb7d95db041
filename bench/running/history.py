"""Losses over steps, as a CSV file that is whole at any moment."""

import csv
import io
from pathlib import Path

from bench.files import write_text

Reading = dict[str, float]


def read_history(path: Path) -> list[Reading]:
    """All readings of a history file; none where there is no file. Empty cells are absent keys."""
    if not path.is_file():
        return []
    with open(path, encoding="utf-8", newline="") as lines:
        return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(lines)]


def write_history(path: Path, readings: list[Reading]) -> None:
    """Replace the file; "step" and "g_step" come first, a value that is absent is an empty cell."""
    names = dict.fromkeys(["step", "g_step", *(k for reading in readings for k in sorted(reading))])
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(names), lineterminator="\n")
    writer.writeheader()
    for reading in readings:
        writer.writerow({k: _short(v) for k, v in reading.items()})
    write_text(path, buffer.getvalue())


def _short(value: float) -> str:
    """Whole numbers without a point; 9 digits hold any float32."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else f"{value:.9g}"
