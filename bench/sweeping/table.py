"""Tables of configurations, which a sweep lists instead of drawing them."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.core.files import read_text
from bench.sweeping.space import Value

Configurations = dict[str, list[dict[str, Value]]]  # variant -> values of each


def read_table(stage: str, table: Any, variants: Sequence[str]) -> Configurations:
    """Read the configurations of a stage's variants from its table.

    Args:
        table: a list of mappings, or the name of a CSV file with a header. A line is for the
            variant in its column `variant`, else for all; an empty cell leaves the default.

    Raises:
        UserError: the file is missing, a line has another variant, a variant has no line.
    """
    configurations: Configurations = {variant: [] for variant in variants}
    source = f"table {table}" if isinstance(table, str) else "its table"
    for number, line in enumerate(_read_lines(stage, table), start=1):
        only, place = line.get("variant"), f"stage {stage!r}: line {number} of {source}"
        if only is not None and only not in configurations:
            message = f"{place} has the variant {only!r}, which the stage has not"
            raise UserError(message, fix=f"choose among {', '.join(variants)}")
        values = {k: v for k, v in line.items() if k != "variant" and v is not None}
        for variant in variants if only is None else [str(only)]:
            if values in configurations[variant]:
                fix = "name each configuration once"
                raise UserError(f"{place} repeats one before it", fix=fix)
            configurations[variant].append(values)
    if without := [variant for variant, values in configurations.items() if not values]:
        fix = "add one, or take the variant out of `variants`"
        raise UserError(f"stage {stage!r}: {source} has no line for {', '.join(without)}", fix=fix)
    return configurations


def _read_lines(stage: str, table: Any) -> list[dict[str, Any]]:
    if isinstance(table, list | tuple) and all(isinstance(line, Mapping) for line in table):
        return [dict(line) for line in table]
    if not isinstance(table, str):
        fix = "list mappings, or name a CSV file"
        raise UserError(f"stage {stage!r}: table is {table!r}", fix=fix)
    try:
        text = read_text(Path(table), "check the file").removeprefix("\ufeff")
        lines = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise UserError(f"stage {stage!r}: table {table}: {error}", fix="check the file") from error
    if any(None in line or None in line.values() for line in lines):
        cells = "a line with more or fewer cells than its header"
        fix = "give every line a cell for every column"
        raise UserError(f"stage {stage!r}: table {table} has {cells}", fix=fix)
    parsed = [{name: _parse_cell(cell) for name, cell in line.items()} for line in lines]
    for number, line in enumerate(parsed, start=1):
        if endless := [k for k, v in line.items() if isinstance(v, float) and not math.isfinite(v)]:
            message = f"stage {stage!r}: table {table}: line {number}: {endless[0]} is not finite"
            raise UserError(message, fix="give a number")
    return parsed


def _parse_cell(cell: str) -> Value | None:
    """Return a number or truth value where the cell reads as one; None where it is empty."""
    words: dict[str, Value | None] = {"": None, "true": True, "false": False}
    if cell.strip().lower() in words:
        return words[cell.strip().lower()]
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell.strip()
