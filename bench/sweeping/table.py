"""Configurations that a sweep lists instead of drawing them."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.sweeping.space import Value


def read_table(
    stage: str, given: Any, variants: Sequence[str]
) -> dict[str, list[dict[str, Value]]]:
    """A list of mappings, or a CSV file with a header; a column `variant` keeps a line to one.

    An empty cell leaves the variant's default.

    Raises:
        UserError: the file is missing, a line speaks of a stranger, a variant has no line.
    """
    lines = _lines(stage, given)
    found: dict[str, list[dict[str, Value]]] = {variant: [] for variant in variants}
    for number, line in enumerate(lines, start=1):
        whose = line.get("variant")
        if whose is not None and whose not in found:
            raise UserError(
                f"stage {stage!r}: line {number} of its table is of {whose!r}, no variant of it",
                fix=f"choose among {', '.join(variants)}",
            )
        values = {k: v for k, v in line.items() if k != "variant" and v is not None}
        for variant in variants if whose is None else [str(whose)]:
            if values in found[variant]:
                raise UserError(
                    f"stage {stage!r}: line {number} of its table repeats one before it",
                    fix="name each configuration once",
                )
            found[variant].append(values)
    without = [variant for variant, lines_ in found.items() if not lines_]
    if without:
        raise UserError(
            f"stage {stage!r}: its table has no line for {', '.join(without)}",
            fix="add one, or take the variant out of `variants`",
        )
    return found


def _lines(stage: str, given: Any) -> list[dict[str, Any]]:
    if isinstance(given, list | tuple) and all(isinstance(line, Mapping) for line in given):
        return [dict(line) for line in given]
    if not isinstance(given, str):
        raise UserError(
            f"stage {stage!r}: table is {given!r}", fix="list mappings, or name a CSV file"
        )
    try:
        with open(Path(given), encoding="utf-8", newline="") as content:
            rows = list(csv.DictReader(content, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"stage {stage!r}: table {given}: {error}", fix="check the file") from error
    if any(None in row or None in row.values() for row in rows):
        raise UserError(
            f"stage {stage!r}: table {given} has a line with more or fewer cells than its header",
            fix="give every line a cell for every column",
        )
    return [{name: _value(cell) for name, cell in row.items()} for row in rows]


def _value(cell: str) -> Value | None:
    """A cell as a number or a truth value where it reads as one; None where it is empty."""
    words: dict[str, Value | None] = {"": None, "true": True, "false": False}
    if cell.strip().lower() in words:
        return words[cell.strip().lower()]
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell.strip()
