"""Published runs: how each was made, and the digests that a repetition must give."""

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

MACHINE_KEYS = ("runs_root", "dataset.root", "expected_run_id", "logger", "trainer.progress")


@dataclass(frozen=True)
class PublishedRun:
    """A run as it is published beside its rows; the fields are the keys of runs.jsonl.

    Args:
        overrides: as typed, without those that belong to one machine.
        status: "finished", "diverged" or "failed".
        chain: digests of weights along the training, and of samples, by name.
        rows: file name of each row -> digest of its scores; empty where it was not scored.
        environment: content of environment.json; empty where there is no file.
        sample: number of its configuration among those of its variant; 0 is the defaults.
        cause: why it diverged or failed; else empty.
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


def portable_overrides(overrides: Iterable[str]) -> tuple[str, ...]:
    """Drop overrides that belong to one machine: paths, loggers, the progress bar."""
    return tuple(o for o in overrides if o.lstrip("+").partition("=")[0] not in MACHINE_KEYS)


def describe_run(folder: RunFolder, overrides: Sequence[str]) -> PublishedRun:
    """Collect from a run's folder what is published of it.

    Args:
        overrides: how the run was asked for.

    Raises:
        UserError: a file of it is damaged or missing; it has no row yet.
    """
    rows = read_rows(folder.root, [folder.run_id])
    if not rows:
        fix = "let it end: the command that began it resumes it"
        raise UserError(f"run {folder.run_id} has no row", fix=fix)
    status = folder.read_status() or {"status": rows[0].status}
    return PublishedRun(
        run_id=folder.run_id,
        overrides=portable_overrides(overrides),
        variant=rows[0].variant,
        dataset=rows[0].dataset,
        seed=rows[0].seed,
        status=str(status["status"]),
        chain=read_digests(folder.digests),
        rows={row.file_name(): scores_digest(row.scores, row.details) for row in rows},
        environment=read_json(folder.path / "environment.json"),
    )


def write_published_runs(folder: Path, runs: Sequence[PublishedRun]) -> None:
    """Write runs.jsonl, a line for each run, and environments.json, each environment once."""
    for name, content in render_published_runs(runs).items():
        write_text(folder / name, content)


def render_published_runs(runs: Iterable[PublishedRun]) -> dict[str, str]:
    """Return the files of published runs: name -> text of runs.jsonl and environments.json."""
    index_by_environment: dict[str, int] = {}  # keys are JSON
    lines = []
    for run in runs:
        environment = json.dumps(run.environment, sort_keys=True, allow_nan=False)
        index = index_by_environment.setdefault(environment, len(index_by_environment))
        lines.append(json.dumps({**vars(run), "environment": index}, allow_nan=False))
    environments = [json.loads(environment) for environment in index_by_environment]
    return {
        "runs.jsonl": "".join(f"{line}\n" for line in lines),
        "environments.json": json.dumps(environments, indent=2, ensure_ascii=False) + "\n",
    }


def read_published_runs(folder: Path) -> list[PublishedRun]:
    """Read the published runs of a folder, in the order of runs.jsonl.

    Raises:
        UserError: the folder has none, or a line is damaged.
    """
    path = folder / "runs.jsonl"
    if not path.is_file():
        present = sorted(p.name for p in folder.glob("*")) if folder.is_dir() else []
        names = ", ".join(present[:8]) or "nothing"
        message = f"no published runs in {folder}: no file {path.name} (present: {names})"
        fix = "name a folder of results/, or write one: `bench report SWEEP --to FOLDER`"
        raise UserError(message, fix=fix)
    environments = read_json(folder / "environments.json")
    runs = []
    for number, line in enumerate(_read_text(path).splitlines(), start=1):
        try:
            content = json.loads(line)
            environment = environments[content.pop("environment")]
            overrides = tuple(content.pop("overrides"))
            run = PublishedRun(**content, overrides=overrides, environment=environment)
            _check_types(run)
            runs.append(run)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            message = f"{path}, line {number}, is no run: {error}"
            raise UserError(message, fix="restore the file") from error
    return runs


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}", fix="restore the file") from error


def _check_types(run: PublishedRun) -> None:
    """Refuse a field of a wrong type here; else it would fail only where it is shown."""
    texts = (run.run_id, run.variant, run.dataset, run.status, run.cause)
    expected = (
        (str, (*texts, *run.overrides)),
        (int, (run.seed, run.sample)),
        (Mapping, (run.chain, run.rows, run.environment, run.facts)),
        ((int, float), tuple(run.facts.values()) if isinstance(run.facts, Mapping) else ()),
    )
    for types, values in expected:
        if wrong := [value for value in values if not isinstance(value, types)]:
            raise TypeError(f"a field is {wrong[0]!r}")


def read_overrides(folder: RunFolder) -> tuple[str, ...]:
    """Read the overrides by which a stored run was asked for.

    Raises:
        UserError: the run is from a version of the suite that did not store them.
    """
    path = folder.path / "overrides.json"
    if path.is_file():
        return portable_overrides(str(o) for o in read_json(path))
    fix = "its config.yaml has all its settings"
    raise UserError(f"run {folder.run_id} has no file overrides.json", fix=fix)
