"""Rows: the scores of one checkpoint under one protocol, each in a file of its own."""

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.core.files import read_json, write_json
from bench.metrics.declarations import read_declarations
from bench.runs.identity import short_hash

SCHEMA = 2
STATUSES = ("finished", "diverged", "failed", "interrupted")
# Parts of a protocol that follow from the settings of a run; scores are comparable all the same.
RUN_SETTINGS = ("prior", "batch_norm", "ema", "latent_seed", "noise_seeds")
Setting = float | int | bool | str | None


@dataclass(frozen=True)
class Row:
    """The scores of one checkpoint under one protocol.

    Args:
        status: status of the run; where it is "diverged" or "failed", scores are absent.
        checkpoint: "final", "best", "last-3" (the mean over the last three) or "step-1000".
        protocol: how the scores were made; rows of different protocols are never ranked together.
        hyperparameters: the config group of that name, flattened.
        scores: name -> value; `protocol["metrics"]` holds the better side.
        details: numbers beside a score: "frechet.latent_sd", "memorised.held_out".

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
            expected: Any = field.type if field.type in (str, int) else Mapping
            value = getattr(self, field.name)
            if not isinstance(value, expected) or isinstance(value, bool):
                raise ValueError(f"row field {field.name} is {value!r}, not {expected.__name__}")
        if self.schema != SCHEMA:
            raise ValueError(f"row schema is {self.schema}; this version reads {SCHEMA}")
        if self.status not in STATUSES:
            raise ValueError(f"row status {self.status!r} is none of {', '.join(STATUSES)}")
        numbers = {**self.scores, **self.details}
        if bad := {k: v for k, v in numbers.items() if not math.isfinite(v)}:
            raise ValueError(f"scores {bad} are not finite; leave out a score that does not exist")

    def file_name(self) -> str:
        """final-1a2b3c4d.json: checkpoint, and a hash of the protocol."""
        return f"{self.checkpoint}-{short_hash(self.protocol)}.json"


def row_file_names(rows: Iterable[Row]) -> list[str]:
    """Return `file_name` of many rows; a protocol that rows share as one object is hashed once."""
    rows = list(rows)
    protocols = {id(row.protocol): row.protocol for row in rows}
    hashes = {key: short_hash(protocol) for key, protocol in protocols.items()}
    return [f"{row.checkpoint}-{hashes[id(row.protocol)]}.json" for row in rows]


def sort_for_display(scores: Mapping[str, Any]) -> dict[str, Any]:
    """Sort scores as tables show them: by declared position, the undeclared last, by name."""
    positions = read_declarations()["POSITIONS"]
    return dict(sorted(scores.items(), key=lambda s: (positions.get(s[0], math.inf), s[0])))


def write_row(runs_root: Path, row: Row) -> Path:
    """Write a row atomically into its run's folder, replacing the file of the same name."""
    path = runs_root / row.run_id / "rows" / row.file_name()
    write_json(path, dataclasses.asdict(row))
    return path


def read_row(path: Path) -> Row:
    """Read a row from its file.

    Raises:
        UserError: the file is damaged, or has a field that the schema does not have.
    """
    content = read_json(path)
    if isinstance(content, dict) and content.get("schema") == 1:  # rows had no details then
        content |= {"schema": SCHEMA, "details": {}}
    try:
        return Row(**content)
    except (TypeError, ValueError) as error:
        fix = "move the file away and score the run again"
        raise UserError(f"{path} is not a row: {error}", fix=fix) from error


def read_rows(runs_root: Path, run_ids: Iterable[str]) -> list[Row]:
    """Read all rows of runs, in the order of the runs, then of the names of files."""
    return [
        read_row(path)
        for run_id in run_ids
        for path in sorted((runs_root / run_id / "rows").glob("[!.]*.json"))
    ]
