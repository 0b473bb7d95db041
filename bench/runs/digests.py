"""The digests of a run along its training: two machines compare them to find where they differ."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from bench.core.errors import UserError
from bench.core.files import find_json, write_json
from bench.runs.identity import canonical_json, hash_text, short_hash
from bench.runs.rows import Row, measure_identity

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
    fix = "delete it; `bench verify` then has less to go by"
    pairs = find_json(path, [[str]], fix) or []
    if any(len(pair) != 2 for pair in pairs):
        raise UserError(f"{path} is damaged: not all are pairs of name and digest", fix=fix)
    return {name: digest for name, digest in pairs}


def write_digests(path: Path, digests: Mapping[str, str]) -> None:
    """Replace the file of digests, in the order of the mapping."""
    write_json(path, [[name, digest] for name, digest in digests.items()])


def step_of_digest(name: str) -> int | None:
    """Return N of "step-N"; None for "generator" and "samples", which come after training."""
    number = name.removeprefix("step-")
    return int(number) if number != name and number.isdigit() else None


def score_digests(rows: Iterable[Row]) -> dict[str, str]:
    """Return name -> digest of all digits of the numbers of `numbers_by_protocol`."""
    found = numbers_by_protocol(rows)
    return {name: hash_text(canonical_json(numbers)) for name, numbers in found.items()}


def numbers_by_protocol(rows: Iterable[Row]) -> dict[str, dict[str, float]]:
    """Return "final/frechet-1a2b3c4d" -> scores and details of a measure, of all rows of a run.

    The name holds checkpoint, measure and a hash of all that its scores depend on beside the run.
    What belongs to no measure has the name "run".
    """
    named = {}
    for row in rows:
        shared = json.dumps(row.protocol, sort_keys=True)
        for measure, numbers in row.numbers_by_measure().items():
            own = measure_identity(row.measures[measure]) if measure else {}
            label = _protocol_label(measure or "run", shared, json.dumps(own, sort_keys=True))
            if numbers:
                named[f"{row.checkpoint}/{label}"] = numbers
    return named


@cache
def _protocol_label(measure: str, shared: str, own: str) -> str:
    """Return "frechet-1a2b3c4d", remembered: the rows of a study share a few protocols."""
    return f"{measure}-{short_hash([json.loads(shared), json.loads(own)])}"
