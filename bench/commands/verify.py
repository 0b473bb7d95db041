"""Run a run again in a clean folder and say where, if anywhere, its digests begin to differ."""

import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from bench.config import build
from bench.core.errors import UserError
from bench.execution.run import execute
from bench.runs.digests import read_digests, scores_digest
from bench.runs.environment import environment
from bench.runs.folder import SETTLED, RunFolder, find_run
from bench.runs.record import Record, read_records, record_of
from bench.runs.rows import read_rows
from bench.training.job import prepare


@dataclass(frozen=True)
class Finding:
    """What came out.

    Args:
        links: how many digests were compared.
        difference: the first one that differs, in words; empty where none does.
        reasons: what differs between the environments.
    """

    links: int
    difference: str
    reasons: tuple[str, ...]


def verify_runs(runs_root: Path, names: Sequence[str], overrides: Sequence[str]) -> int:
    """Stored runs, from their own configs; exit status 0 or 1.

    Args:
        overrides: where the data lie, and the like.

    Raises:
        UserError: no such run, it has not ended, or its data are not there.
    """
    runs = []
    for name in names:
        folder = find_run(runs_root, name)
        status = folder.status() or {"status": "without a status"}
        if status["status"] not in SETTLED:
            raise UserError(
                f"run {folder.run_id} is {status['status']}: there is nothing to compare with",
                fix="let it end first: the command that began it goes on",
            )
        config = partial(build.read_config, folder.config)
        runs.append((record_of(folder, ()), config))
    return _report(runs, overrides)


def verify_published(
    folder: Path, names: Sequence[str], drawn: tuple[int | None, int], overrides: Sequence[str]
) -> int:
    """Published runs, from their overrides; exit status 0 or 1.

    Args:
        names: beginnings of their run_ids; none for all.
        drawn: how many of them, and the seed by which they are drawn; None for all.

    Raises:
        UserError: no published runs there, or their data are not here.
    """
    records = [record for record in read_records(folder) if record.status in SETTLED]
    for name in names:
        if not any(record.run_id.startswith(name) for record in records):
            raise UserError(
                f"no run {name!r} among the {len(records)} of {folder}", fix="give a run_id of it"
            )
    if names:
        records = [r for r in records if any(r.run_id.startswith(name) for name in names)]
    if drawn[0] is not None:
        records = random.Random(drawn[1]).sample(records, min(drawn[0], len(records)))
    runs = [(r, partial(build.compose_config, list(r.overrides))) for r in records]
    return _report(runs, overrides)


def _apply(cfg: DictConfig, overrides: Sequence[str]) -> DictConfig:
    """What belongs to this machine: where data lie; no logger, no bar."""
    for key, value in build.parse_overrides(overrides).items():
        OmegaConf.update(cfg, key, value, force_add=True)
        if key == "dataset.root" and OmegaConf.select(cfg, "dataset.source.root") is not None:
            cfg.dataset.source.root = value
    cfg.logger, cfg.trainer.progress = {}, False
    return cfg


def _report(
    runs: Sequence[tuple[Record, Callable[[], DictConfig]]], overrides: Sequence[str]
) -> int:
    differing = 0
    for number, (record, config) in enumerate(runs, start=1):
        head = f"[{number}/{len(runs)}] {record.run_id}: {record.variant} on {record.dataset}, "
        print(f"{head}seed {record.seed}: running it again", flush=True)
        finding = _compare(record, _apply(config(), overrides))
        differing += bool(finding.difference)
        if not finding.difference:
            print(f"  identical: {finding.links} digests, from initial weights to scores")
            continue
        print(f"  DIFFERS: {finding.difference}")
        for reason in finding.reasons or ("the environments are the same",):
            print(f"    {reason}")
    said = "identical" if not differing else f"{differing} of {len(runs)} differ"
    print(said)
    return 1 if differing else 0


def _compare(record: Record, cfg: DictConfig) -> Finding:
    with tempfile.TemporaryDirectory(prefix="bench-verify-") as clean:
        for key, value in {
            "runs_root": clean, "sweep_name": "verify", "expected_run_id": None,
        }.items():  # fmt: skip
            OmegaConf.update(cfg, key, value, force_add=True)
        job = prepare(cfg)
        reasons = _differences(record.environment, environment(
            job.plain["threads"], str(record.environment.get("device"))
        ))  # fmt: skip
        if job.folder.run_id != record.run_id:
            return Finding(
                0,
                f"this suite on this machine makes run {job.folder.run_id} of it: its config, its "
                "data, the kind of device or the version of the mathematics have changed",
                reasons,
            )
        outcome = execute(job)
        if outcome.status != record.status:
            cause = f" ({outcome.cause})" if outcome.cause else ""
            return Finding(0, f"it was {record.status} and is {outcome.status} now{cause}", reasons)
        return _first_difference(record, job.folder, reasons)


def _first_difference(record: Record, folder: RunFolder, reasons: tuple[str, ...]) -> Finding:
    now = read_digests(folder.chain)
    rows = {
        row.file_name(): scores_digest(row.scores, row.details)
        for row in read_rows(folder.root, [folder.run_id])
    }
    links = 0
    for before, here, what in (
        (record.chain, now, "weights at {}" ), (record.rows, rows, "scores of row {}"),
    ):  # fmt: skip
        for name, digest in before.items():
            if name not in here and what.startswith("scores"):
                continue  # scored later, under another protocol
            links += 1
            if here.get(name) != digest:
                found = here.get(name, "nothing")
                words = what.format(name) if name != "samples" else "samples"
                return Finding(links, f"{words}: {digest} then, {found} now", reasons)
    return Finding(links, "", reasons)


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    """What differs between two environments, a line each."""
    pairs = []
    for key in sorted({*before, *now} - {"packages", "device"}):
        pairs.append((key, before.get(key), now.get(key)))
    packages = before.get("packages", {}), now.get("packages", {})
    for name in sorted({*packages[0], *packages[1]}):
        pairs.append((name, packages[0].get(name), packages[1].get(name)))
    return tuple(f"{name}: {old} then, {new} now" for name, old, new in pairs if old != new)
