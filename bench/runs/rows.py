"""Rows: the scores of one checkpoint under one protocol, each in a file of its own."""

import dataclasses
import math
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.core.files import find_misfit, read_json, write_json
from bench.core.number_checks import is_number
from bench.metrics.declarations import read_declarations
from bench.runs.folder import RunFolder
from bench.runs.identity import short_hash

SCHEMA = 3
STATUSES = ("finished", "diverged", "failed", "interrupted")
# Parts of a protocol that follow from the settings of a run; scores are comparable all the same.
RUN_SETTINGS = ("prior", "batch_norm", "ema", "latent_seed", "noise_seeds")
Setting = float | int | bool | str | None
# Fields that came later: config groups, "none" for the rows of runs that are older than them.
LATER_GROUPS = ("penalty", "normalisation", "augmentation", "consistency", "conditioning", "ema")
LARGEST = sys.float_info.max
MEASURE = {"scores": {str: str}, "request?": str, "arguments?": dict, "code?": dict}
SHAPES = {
    "protocol": {"name": str},
    "measures": {str: MEASURE},
    "hyperparameters": {str: Setting},
    "code": {str: str},
}


@dataclass(frozen=True)
class Row:
    """The scores of one checkpoint under one protocol.

    Args:
        status: status of the run; where it is "diverged" or "failed", scores are absent.
        checkpoint: "final", "best", "raw" (the last weights where "final" is a moving average),
            "last-3" (the mean over the last three) or "step-1000".
        protocol: what all scores depend on; rows of different protocols are never ranked together.
        measures: measure -> what its scores depend on beside the protocol, see
            `bench.scoring.score.describe_measures`.
        hyperparameters: the config group of that name, flattened.
        scores: name -> value.
        penalty, normalisation, augmentation, consistency, conditioning, ema: entries of the config
            groups; "none" too for rows older than the field.
        details: numbers beside a score: "frechet.latent_sd", "memorised.held_out".
        code: {file: hash} of the code outside the package that trained the run.

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
    measures: Mapping[str, Mapping[str, Any]]
    hyperparameters: Mapping[str, Setting]
    scores: Mapping[str, float]
    penalty: str = "none"
    normalisation: str = "none"
    augmentation: str = "none"
    consistency: str = "none"
    conditioning: str = "none"
    ema: str = "none"
    details: Mapping[str, float] = dataclasses.field(default_factory=dict)
    code: Mapping[str, str] = dataclasses.field(default_factory=dict)
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            expected: Any = field.type if field.type in (str, int) else Mapping
            value = getattr(self, field.name)
            if not isinstance(value, expected) or isinstance(value, bool):
                raise ValueError(f"row field {field.name} is {value!r}, not {expected.__name__}")
        if self.schema != SCHEMA:
            raise ValueError(f"row schema is {self.schema}; this version reads {SCHEMA}")
        for name, shape in SHAPES.items():
            if misfit := find_misfit(dict(getattr(self, name)), shape):
                raise ValueError(f"row field {name}: {misfit}")
        if self.status not in STATUSES:
            raise ValueError(f"row status {self.status!r} is none of {', '.join(STATUSES)}")
        numbers = {**self.scores, **self.details}
        if bad := {k: v for k, v in numbers.items() if not (is_number(v) and abs(v) <= LARGEST)}:
            raise ValueError(f"scores {bad} are not finite; leave out a score that does not exist")

    @property
    def name(self) -> str:
        """final-1a2b3c4d: checkpoint, and a hash of protocol and measures."""
        return f"{self.checkpoint}-{short_hash([self.protocol, self.measures])}"

    def file_name(self) -> str:
        """row-final-1a2b3c4d.json."""
        return f"row-{self.name}.json"

    @property
    def directions(self) -> dict[str, str]:
        """Return score -> "lower" or "higher" for the scores of all measures."""
        return directions_of(self.measures)

    def numbers_by_measure(self) -> dict[str, dict[str, float]]:
        """Return measure -> its scores and details; those of none, "limit.minutes" say, under "".

        A detail belongs to the score in its name: "frechet.latent_sd", "untrained.frechet".
        """
        owners = {score: name for name, m in self.measures.items() for score in m["scores"]}
        numbers: dict[str, dict[str, float]] = {name: {} for name in self.measures}
        for key, value in {**self.scores, **self.details}.items():
            measure = next((owners[part] for part in key.split(".") if part in owners), "")
            numbers.setdefault(measure, {})[key] = value
        return numbers

    def only(self, measures: Iterable[str]) -> "Row":
        """Return the row with the scores of some of its measures."""
        kept, numbers = {name: self.measures[name] for name in measures}, self.numbers_by_measure()
        names = {key for measure in ("", *kept) for key in numbers.get(measure, ())}
        scores, details = (
            {k: v for k, v in found.items() if k in names} for found in (self.scores, self.details)
        )
        return dataclasses.replace(self, measures=kept, scores=scores, details=details)


def directions_of(measures: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return score -> "lower" or "higher" for the scores of a row's measures."""
    return {k: way for m in measures.values() for k, way in m["scores"].items()}


def measure_identity(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a measure's scores depend on beside the protocol: its arguments and code."""
    return {key: entry[key] for key in ("arguments", "code") if key in entry}


def merge_rows(rows: Iterable[Row]) -> list[Row]:
    """Merge rows that differ in their measures alone; a measure of two kinds keeps two rows."""
    merged: list[Row] = []
    for row in rows:
        for index, earlier in enumerate(merged):
            common = earlier.measures.keys() & row.measures.keys()
            if _same_samples(earlier, row) and all(
                measure_identity(earlier.measures[name]) == measure_identity(row.measures[name])
                for name in common
            ):
                joint: dict[str, Any] = {
                    field: {**getattr(earlier, field), **getattr(row, field)}
                    for field in ("measures", "scores", "details")
                }
                merged[index] = dataclasses.replace(earlier, **joint)
                break
        else:
            merged.append(row)
    return merged


def requested_rows(rows: Iterable[Row], requests: Collection[str]) -> list[Row]:
    """Merge rows with those of their measures that are asked for; leave out rows with none.

    Args:
        requests: hashes, see `bench.scoring.score.requests`.
    """
    parts = (
        row.only(name for name, m in row.measures.items() if m.get("request") in requests)
        for row in rows
    )
    return merge_rows(row for row in parts if row.measures)


def _same_samples(first: Row, second: Row) -> bool:
    fields = ("run_id", "variant", "checkpoint", "status", "protocol")
    return all(getattr(first, field) == getattr(second, field) for field in fields)


def sort_for_display(scores: Mapping[str, Any]) -> dict[str, Any]:
    """Sort scores as tables show them: by declared position, the undeclared last, by name."""
    positions = read_declarations()["POSITIONS"]
    return dict(sorted(scores.items(), key=lambda s: (positions.get(s[0], math.inf), s[0])))


def baseline_folder(row: Row) -> str:
    """Return the folder name of the baselines of a row's protocol and data set."""
    protocol = {k: v for k, v in row.protocol.items() if k not in (*RUN_SETTINGS, "chosen")}
    return f"real-{short_hash({'dataset': row.dataset, **protocol})}"


def write_row(runs_root: Path, row: Row) -> Path:
    """Write a row atomically into its run's folder, replacing the file of the same name."""
    path = runs_root / row.run_id / row.file_name()
    write_json(path, dataclasses.asdict(row))
    return path


def read_row(path: Path) -> Row:
    """Read a row from its file.

    Raises:
        UserError: the file is damaged, or has a field that the schema does not have.
    """
    fix = "move the file away and score the run again"
    content = read_json(path, dict, fix)
    try:
        return Row(**content)
    except (TypeError, ValueError) as error:
        raise UserError(f"{path} is not a row: {error}", fix=fix) from error


def read_rows(runs_root: Path, run_ids: Iterable[str]) -> list[Row]:
    """Read all rows of runs, in the order of the runs, then of the names of files."""
    return [
        read_row(path) for run_id in run_ids for path in RunFolder(runs_root, run_id).row_files()
    ]
