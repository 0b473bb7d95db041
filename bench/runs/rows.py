"""Rows: one scored checkpoint each, a typed record in a file of its own."""

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.core.files import read_json, write_json
from bench.runs.identity import short_hash

SCHEMA = 2
STATUSES = ("finished", "diverged", "failed", "interrupted")
# Parts of a protocol that runs choose for themselves: no part of a comparison.
OWN_CHOICES = ("prior", "batch_norm", "ema", "latent_seed", "noise_seeds")
Setting = float | int | bool | str | None


@dataclass(frozen=True)
class Row:
    """One scored checkpoint.

    Args:
        status: of the run; a score that does not exist is absent beside "diverged" or "failed".
        checkpoint: "final", "best", "last-3" (the mean over the last three) or "step-1000".
        protocol: how the scores were made; rows of different protocols are never ranked together.
        hyperparameters: the config group of that name, flattened.
        scores: name -> value; the direction stands in `protocol["metrics"]`.
        details: what stands beside a score: "frechet.latent_sd", "memorised.held_out".

    Raises:
        ValueError: a field has another type, a status is unknown, a score is not finite.
    """

    run_id: str
    variant: str
    loss: str
    model: str
    network: str
    dataset: str
    seed: int
    d_steps: int
    g_steps: int
    images: int
    status: str
    cause: str
    checkpoint: str
    protocol: Mapping[str, Any]
    hyperparameters: Mapping[str, Setting]
    scores: Mapping[str, float]
    details: Mapping[str, float] = dataclasses.field(default_factory=dict)
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            wanted = field.type if field.type in (str, int) else Mapping
            value = getattr(self, field.name)
            if not isinstance(value, wanted) or isinstance(value, bool):
                raise ValueError(f"row field {field.name} is {value!r}, not {wanted.__name__}")
        if self.schema != SCHEMA:
            raise ValueError(f"row schema is {self.schema}; this version reads {SCHEMA}")
        if self.status not in STATUSES:
            raise ValueError(f"row status {self.status!r} is none of {', '.join(STATUSES)}")
        held = {**self.scores, **self.details}
        bad = {k: v for k, v in held.items() if not math.isfinite(v)}
        if bad:
            raise ValueError(f"scores {bad} are not finite; leave out a score that does not exist")

    def file_name(self) -> str:
        """<checkpoint>-<hash of the protocol>.json"""
        return f"{self.checkpoint}-{short_hash(self.protocol)}.json"


def file_names(rows: Iterable[Row]) -> list[str]:
    """Of many rows; a protocol that several share as one object is hashed once."""
    hashes: dict[int, str] = {}
    found = []
    for row in rows:
        if id(row.protocol) not in hashes:
            hashes[id(row.protocol)] = short_hash(row.protocol)
        found.append(f"{row.checkpoint}-{hashes[id(row.protocol)]}.json")
    return found


ORDER = (
    *("frechet", "precision", "recall", "coverage", "density", "memorised", "inception_score"),
    *("kernel", "kernel_blocks", "prd_f8", "prd_f1_8", "frechet_infinity", "ssim", "ms_ssim"),
    *("classes_covered", "class_reverse_kl", "modes_covered", "high_quality"),
    *("wasserstein_1", "wasserstein_2", "mmd", "polygon_f1", "polygon_precision"),
)


def in_order(scores: Mapping[str, Any]) -> dict[str, Any]:
    """Scores as they are shown: what most people look for first, the unknown last, by name."""
    known = {name: place for place, name in enumerate(ORDER)}
    return dict(sorted(scores.items(), key=lambda item: (known.get(item[0], len(known)), item[0])))


def write_row(runs_root: Path, row: Row) -> Path:
    """Write a row atomically into its run's folder; the same row again replaces itself."""
    path = runs_root / row.run_id / "rows" / row.file_name()
    write_json(path, dataclasses.asdict(row))
    return path


def read_row(path: Path) -> Row:
    """A row from its file.

    Raises:
        UserError: the file is damaged, or holds a field that the schema does not know.
    """
    content = read_json(path)
    if isinstance(content, dict) and content.get("schema") == 1:  # rows had no details then
        content |= {"schema": SCHEMA, "details": {}}
    try:
        return Row(**content)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"{path} is no row: {error}", fix="move the file away and score the run again"
        ) from error


def read_rows(runs_root: Path, run_ids: Iterable[str]) -> list[Row]:
    """All rows of the given runs, in the order of the runs, then of the files' names."""
    return [
        read_row(path)
        for run_id in run_ids
        for path in sorted((runs_root / run_id / "rows").glob("[!.]*.json"))
    ]
