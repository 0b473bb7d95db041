"""Checkpoints of a run that were scored while it trained, and which of them is the best."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.core.files import read_json

KEYS = {"d_steps", "g_steps", "frechet"}


@dataclass(frozen=True)
class CandidateList:
    """What is known of a run's checkpoints.

    Args:
        choice: how they were scored; None where there are none.
        steps: in order: d_steps, g_steps, frechet (None where it did not exist).
    """

    choice: dict[str, Any] | None
    steps: tuple[dict[str, Any], ...]


def read_candidates(file: Path) -> CandidateList:
    """The checkpoints of a run.

    Raises:
        UserError: the file is damaged.
    """
    if not file.is_file():
        return CandidateList(None, ())
    content = read_json(file)
    whole = isinstance(content, dict) and isinstance(content.get("choice"), dict)
    steps = content.get("steps") if whole else None
    if not isinstance(steps, list) or not all(
        isinstance(step, dict) and step.keys() >= KEYS for step in steps
    ):
        raise UserError(f"{file} is damaged", fix="delete the run's folder and train it again")
    return CandidateList(content["choice"], tuple(steps))


def best_candidate(steps: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The one with the lowest distance, the earliest of equals; None where none has one."""
    scored = [c for c in steps if c["frechet"] is not None and math.isfinite(c["frechet"])]
    return min(scored, key=lambda c: (c["frechet"], c["d_steps"])) if scored else None
