"""What is published of a run beside its rows: how it was made, and what must come out again."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.core.files import read_json, write_text
from bench.runs.digests import read_digests, scores_digest
from bench.runs.folder import RunFolder
from bench.runs.rows import read_rows

LOCAL = ("runs_root", "dataset.root", "expected_run_id", "logger", "trainer.progress")


@dataclass(frozen=True)
class Record:
    """A run as it is published.

    Args:
        overrides: as typed, without what belongs to one machine.
        status: "finished", "diverged" or "failed".
        chain: digests along the way.
        rows: file name of each row -> digest of its scores; none where it was not scored.
        environment: `environment.json`; empty where there is none.
        sample: which configuration of its variant; 0 are its defaults.
        cause: of a divergence or failure.
        facts: counts, seconds, memory.
    """

    run_id: str
    overrides: tuple[str, ...]
    variant: str
    dataset: str
    seed: int
    status: str
    chain: Mapping[str, str]
    rows: Mapping[str, str]
    environment: Mapping[str, Any]
    sample: int = 0
    cause: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def portable(overrides: Iterable[str]) -> tuple[str, ...]:
    """Without paths, loggers and what only shows something."""
    return tuple(o for o in overrides if o.lstrip("+").partition("=")[0] not in LOCAL)


def record_of(folder: RunFolder, overrides: Sequence[str]) -> Record:
    """From a run's folder.

    Raises:
        UserError: a file of it is damaged or missing.
    """
    rows = read_rows(folder.root, [folder.run_id])
    if not rows:
        raise UserError(
            f"run {folder.run_id} has no row", fix="let it end: `python -m bench.train` goes on"
        )
    status = folder.status() or {"status": rows[0].status}
    return Record(
        run_id=folder.run_id,
        overrides=portable(overrides),
        variant=rows[0].variant,
        dataset=rows[0].dataset,
        seed=rows[0].seed,
        status=str(status["status"]),
        chain=read_digests(folder.chain),
        rows={row.file_name(): scores_digest(row.scores, row.details) for row in rows},
        environment=read_json(folder.path / "environment.json"),
    )


def write_records(folder: Path, records: Sequence[Record]) -> None:
    """runs.jsonl, a line each, and environments.json, each once."""
    for name, content in record_files(records).items():
        write_text(folder / name, content)


def record_files(records: Iterable[Record]) -> dict[str, str]:
    """What `write_records` writes."""
    environments: dict[str, int] = {}  # JSON -> place
    lines = []
    for record in records:
        where = json.dumps(record.environment, sort_keys=True, allow_nan=False)
        place = environments.setdefault(where, len(environments))
        lines.append(json.dumps({**vars(record), "environment": place}, allow_nan=False))
    return {
        "runs.jsonl": "".join(f"{line}\n" for line in lines),
        "environments.json": json.dumps(
            [json.loads(where) for where in environments], indent=2, ensure_ascii=False
        )
        + "\n",
    }


def read_records(folder: Path) -> list[Record]:
    """As `write_records` wrote them.

    Raises:
        UserError: there are none, or a line is damaged.
    """
    path = folder / "runs.jsonl"
    if not path.is_file():
        present = sorted(p.name for p in folder.glob("*")) if folder.is_dir() else []
        raise UserError(
            f"no published runs in {folder}: no file {path.name} "
            f"(present: {', '.join(present[:8]) or 'nothing'})",
            fix="name a folder of results/, or write one: `bench report SWEEP --to FOLDER`",
        )
    environments = read_json(folder / "environments.json")
    records = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        try:
            content = json.loads(line)
            environment = environments[content.pop("environment")]
            overrides = tuple(content.pop("overrides"))
            record = Record(**content, overrides=overrides, environment=environment)
            _check(record)
            records.append(record)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            raise UserError(
                f"{path}, line {number}, is no run: {error}", fix="restore the file"
            ) from error
    return records


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}", fix="restore the file") from error


def _check(record: Record) -> None:
    """Refuse fields of another type than theirs, which only fail where they are shown."""
    texts = (record.run_id, record.variant, record.dataset, record.status, record.cause)
    maps = (record.chain, record.rows, record.environment, record.facts)
    kinds = (
        (str, (*texts, *record.overrides)),
        (int, (record.seed, record.sample)),
        (Mapping, maps),
        ((int, float), tuple(record.facts.values()) if isinstance(record.facts, Mapping) else ()),
    )
    for kind, values in kinds:
        wrong = [value for value in values if not isinstance(value, kind)]
        if wrong:
            raise TypeError(f"a field is {wrong[0]!r}")


def overrides_of(folder: RunFolder) -> tuple[str, ...]:
    """How a stored run was asked for.

    Raises:
        UserError: it was left by a version that did not keep that.
    """
    path = folder.path / "overrides.json"
    if path.is_file():
        return portable(str(o) for o in read_json(path))
    raise UserError(
        f"run {folder.run_id} keeps no overrides", fix="its config.yaml has all its settings"
    )
