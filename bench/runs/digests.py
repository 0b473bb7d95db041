"""The chain of digests of a run: what two machines compare to find where they begin to differ."""

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
    """Steps after which weights are digested: a function of the budget alone."""
    return tuple(sorted({-(-d_steps * n // N_POINTS) for n in range(1, N_POINTS + 1)}))


def read_digests(path: Path) -> dict[str, str]:
    """The chain in order: "step-0", "step-125", ..., "generator", "samples"; empty without a file.

    Raises:
        UserError: the file is damaged.
    """
    if not path.is_file():
        return {}
    content = read_json(path)
    if not isinstance(content, list) or not all(
        isinstance(link, list) and len(link) == 2 and all(isinstance(part, str) for part in link)
        for link in content
    ):
        raise UserError(
            f"{path} is damaged", fix="delete it; `bench verify` then has less to go by"
        )
    return {name: digest for name, digest in content}


def write_digests(path: Path, chain: Mapping[str, str]) -> None:
    """Replace the file, in the order of the mapping."""
    write_json(path, [[name, digest] for name, digest in chain.items()])


def step_of(name: str) -> int | None:
    """The step of a link of the training; None for what comes after it."""
    number = name.removeprefix("step-")
    return int(number) if number != name and number.isdigit() else None


def scores_digest(scores: Mapping[str, Any], details: Mapping[str, Any]) -> str:
    """Of all digits of a row's numbers."""
    content = canonical_json({"scores": dict(scores), "details": dict(details)})
    return hashlib.sha256(content.encode()).hexdigest()[:DIGITS]
