"""The digests of a run along its training: two machines compare them to find where they differ."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.core.files import read_json, write_json
from bench.runs.identity import canonical_json

N_POINTS = 8  # along the training, evenly spread, beside the initial weights
DIGITS = 32


def digest_steps(d_steps: int) -> tuple[int, ...]:
    """{ceil(d_steps n / N_POINTS), n = 1..N_POINTS}: steps after which weights are digested."""
    return tuple(sorted({-(-d_steps * n // N_POINTS) for n in range(1, N_POINTS + 1)}))


def read_digests(path: Path) -> dict[str, str]:
    """Read name -> digest, "step-0", "step-125", ..., "generator", "samples"; {} without a file.

    Raises:
        UserError: the file is damaged.
    """
    if not path.is_file():
        return {}
    content = read_json(path)
    if not isinstance(content, list) or not all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)
        for pair in content
    ):
        fix = "delete it; `bench verify` then has less to go by"
        raise UserError(f"{path} is damaged", fix=fix)
    return {name: digest for name, digest in content}


def write_digests(path: Path, digests: Mapping[str, str]) -> None:
    """Replace the file of digests, in the order of the mapping."""
    write_json(path, [[name, digest] for name, digest in digests.items()])


def step_of_digest(name: str) -> int | None:
    """Return N of "step-N"; None for "generator" and "samples", which come after training."""
    number = name.removeprefix("step-")
    return int(number) if number != name and number.isdigit() else None


def scores_digest(scores: Mapping[str, Any], details: Mapping[str, Any]) -> str:
    """Return the first 32 hex digits of SHA-256 over all digits of a row's numbers."""
    content = canonical_json({"scores": dict(scores), "details": dict(details)})
    return hashlib.sha256(content.encode()).hexdigest()[:DIGITS]
