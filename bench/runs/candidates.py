"""Checkpoints of a run that were scored while it trained, and which of them is the best."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core.files import NUMBER, find_json

CANDIDATES = {
    "choice": {"split": str, "every": int | None},
    "steps": [{"d_steps": int, "g_steps": int, "frechet": NUMBER | None}],
}


@dataclass(frozen=True)
class CandidateList:
    """The checkpoints of a run among which `best` and `last-N` are selected.

    Args:
        protocol: how they were scored; None where there are none.
        checkpoints: in order of d_steps: d_steps, g_steps, frechet (None where it did not exist).
    """

    protocol: dict[str, Any] | None
    checkpoints: tuple[dict[str, Any], ...]


def read_candidates(file: Path) -> CandidateList:
    """Read the scored checkpoints of a run; an empty list where the file does not exist.

    Raises:
        UserError: the file is damaged.
    """
    content = find_json(file, CANDIDATES, "delete the run's folder and train it again")
    if content is None:
        return CandidateList(None, ())
    return CandidateList(content["choice"], tuple(content["steps"]))


def best_candidate(checkpoints: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the checkpoint with the lowest Frechet distance, the earliest of equals, or None."""
    scored = [c for c in checkpoints if c["frechet"] is not None and math.isfinite(c["frechet"])]
    return min(scored, key=lambda c: (c["frechet"], c["d_steps"])) if scored else None
