"""Read what metrics declare about their scores: direction, target, unit, title, table position.

The constants are literals, read from the modules' text without importing them: a report or
`bench status` needs neither the formulas nor numpy and scipy to name and sort scores.
"""

import ast
from functools import cache
from pathlib import Path
from typing import Any

CONSTANTS = ("DIRECTIONS", "TARGETS", "UNITS", "TITLES", "POSITIONS")


@cache
def read_declarations() -> dict[str, dict[str, Any]]:
    """Return constant -> score -> literal declared in this folder; ValueError for no literal."""
    declarations: dict[str, dict[str, Any]] = {constant: {} for constant in CONSTANTS}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        for node in ast.parse(path.read_bytes()).body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)]) if name in CONSTANTS:
                    declarations[name] |= ast.literal_eval(node.value)
    return declarations
