"""Checkpoints of a run that were scored while it trained, and which of them is the best."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.errors import UserError
from bench.files import read_json

KEYS = {"d_steps", "g_steps", "frechet"}


def read_candidates(file: Path) -> list[dict[str, Any]]:
    """In order of the steps: d_steps, g_steps, frechet (None where it did not exist).

    Raises:
        UserError: the file is damaged.
    """
    if not file.is_file():
        return []
    known = read_json(file)
    if not (
        isinstance(known, list) and all(isinstance(c, dict) and c.keys() >= KEYS for c in known)
    ):
        raise UserError(f"{file} is damaged", fix="delete the run's folder and train it again")
    return known


def best(known: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The one with the lowest distance, the earliest of equals; None where none has one."""
    scored = [c for c in known if c["frechet"] is not None and math.isfinite(c["frechet"])]
    return min(scored, key=lambda c: (c["frechet"], c["d_steps"])) if scored else None
