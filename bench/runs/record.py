"""Published runs: how each was made, and the digests that a repetition must give."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.core.files import (
    NUMBER,
    find_misfit,
    parse_json,
    read_json,
    read_text,
    write_text,
)
from bench.runs.digests import read_digests, score_digests
from bench.runs.folder import ENVIRONMENT, RunFolder
from bench.runs.identity import other_version
from bench.runs.rows import read_rows

MACHINE_KEYS = (
    "runs_root", "dataset.root", "expected_run_id", "logger", "trainer.progress", "force",
)  # fmt: skip
PUBLISHED = {  # a line of runs.jsonl
    **dict.fromkeys(("run_id", "variant", "dataset", "status", "cause?"), str),
    **dict.fromkeys(("seed", "sample?", "environment"), int),
    **dict.fromkeys(("chain", "scores"), {str: str}),
    "overrides": [str],
    "facts?": {str: NUMBER},
    "source?": str,
}


@dataclass(frozen=True)
class PublishedRun:
    """A run as it is published beside its rows; the fields are the keys of runs.jsonl.

    Args:
        overrides: as typed, without those that belong to one machine.
        status: "finished", "diverged" or "failed".
        chain: digests of weights along the training, and of samples, by name.
        scores: checkpoint/measure -> digest, see `bench.runs.digests.score_digests`.
        environment: what it was made with; empty where that is unknown.
        sample: number of its configuration among those of its variant; 0 is the defaults.
        cause: why it diverged or failed; else empty.
        facts: counts, seconds, memory.
        source: name of the published study that it comes from; empty for a run of one's own.
    """

    run_id: str
    overrides: tuple[str, ...]
    variant: str
    dataset: str
    seed: int
    status: str
    chain: Mapping[str, str]
    scores: Mapping[str, str]
    environment: Mapping[str, Any]
    sample: int = 0
    cause: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""


def portable_overrides(overrides: Iterable[str]) -> tuple[str, ...]:
    """Drop overrides that belong to one machine: paths, loggers, the progress bar."""
    return tuple(o for o in overrides if o.lstrip("+").partition("=")[0] not in MACHINE_KEYS)


def training_command(overrides: Sequence[str], environment: Mapping[str, Any]) -> str:
    """Return the command line that trains a run again, with the folders of code outside ours.

    Args:
        environment: what the run was made with.
    """
    words = ["python", "-m", "bench.train"]
    for path in environment.get("config_dirs", []):
        words += ["--config-dir", path]
    command = shlex.join([*words, *overrides])
    roots = ":".join(environment.get("import_roots", []))
    return f"PYTHONPATH={shlex.quote(roots)} {command}" if roots else command


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
        scores=score_digests(rows),
        environment=folder.read_provenance()["environment"],
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
        content = {**vars(run), "environment": index}
        if not run.source:
            del content["source"]
        lines.append(json.dumps(content, allow_nan=False))
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
    environments = read_json(folder / "environments.json", [ENVIRONMENT])
    runs = []
    for number, line in enumerate(read_text(path, "restore the file").splitlines(), start=1):
        try:
            content = parse_json(line, dict)
            if "rows" in content:  # digests of whole rows; now each score has its own
                raise other_version(str(path), 1)
            if misfit := find_misfit(content, PUBLISHED):
                raise ValueError(f"a field is damaged: {misfit}")
            if (index := content.pop("environment")) < 0:
                raise IndexError(f"there is no environment {index}")
            environment = environments[index]
            overrides = tuple(content.pop("overrides"))
            runs.append(PublishedRun(**content, overrides=overrides, environment=environment))
        except (ValueError, TypeError, IndexError) as error:
            message = f"{path}, line {number}, is no run: {error}"
            raise UserError(message, fix="restore the file") from error
    return runs


def read_overrides(folder: RunFolder) -> tuple[str, ...]:
    """Read the overrides by which a stored run was asked for.

    Raises:
        UserError: the run is from a version of the suite that did not store them.
    """
    if folder.provenance.exists():
        return portable_overrides(folder.read_provenance()["overrides"])
    message = f"run {folder.run_id} has no file {folder.provenance.name}"
    raise UserError(message, fix="its config.yaml has all its settings")
