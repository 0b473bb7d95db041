"""`bench verify`: run a run again in a clean folder and print where its digests begin to differ."""

import argparse
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
from bench.runs.folder import COMPLETED, RunFolder, find_run
from bench.runs.record import PublishedRun, describe_run, read_published_runs
from bench.runs.rows import read_rows
from bench.training.job import prepare_job

RunWithConfig = tuple[PublishedRun, Callable[[], DictConfig]]


@dataclass(frozen=True)
class Comparison:
    """The result of repeating a run.

    Args:
        n_digests: how many digests were compared.
        difference: the first digest that differs, in words; empty where none does.
        reasons: differences between the environments.
    """

    n_digests: int
    difference: str
    reasons: tuple[str, ...]


def verify_command(arguments: argparse.Namespace, names: list[str], overrides: list[str]) -> int:
    """Repeat stored runs, or published ones with --rows; return exit status 1 where one differs.

    Raises:
        UserError: options that do not go together, or no run that can be verified.
    """
    if (arguments.rows is None and not names) or (arguments.sample and names):
        fix = "`bench verify RUN_ID` or `bench verify --rows results/quick --sample 3`"
        message = "bench verify wants runs, or --rows FOLDER with or without --sample N"
        raise UserError(message, fix=fix)
    if arguments.rows is None:
        return verify_runs(Path(arguments.runs_root), names, overrides)
    sampling = (arguments.sample, arguments.seed)
    return verify_published(Path(arguments.rows), names, sampling, overrides)


def verify_runs(runs_root: Path, names: Sequence[str], overrides: Sequence[str]) -> int:
    """Repeat stored runs from their own configs; return exit status 1 where one differs.

    Args:
        names: run_ids, beginnings of them, or folders of runs.
        overrides: Hydra overrides that belong to this machine, such as dataset.root.

    Raises:
        UserError: no such run, it has not ended, or its data are not there.
    """
    runs = []
    for name in names:
        folder = find_run(runs_root, name)
        status = folder.read_status() or {"status": "without a status"}
        if status["status"] not in COMPLETED:
            message = f"run {folder.run_id} is {status['status']}: there is nothing to compare with"
            raise UserError(message, fix="let it end first: the command that began it resumes it")
        runs.append((describe_run(folder, ()), partial(build.read_config, folder.config)))
    return _verify(runs, overrides)


def verify_published(
    folder: Path, names: Sequence[str], sampling: tuple[int | None, int], overrides: Sequence[str]
) -> int:
    """Repeat published runs from their overrides; return exit status 1 where one differs.

    Args:
        folder: folder of published rows, results/quick for example.
        names: beginnings of their run_ids; none for all.
        sampling: how many of them, None for all, and the seed by which they are drawn.
        overrides: Hydra overrides that belong to this machine, such as dataset.root.

    Raises:
        UserError: no published runs there, or their data are not here.
    """
    published = [run for run in read_published_runs(folder) if run.status in COMPLETED]
    for name in names:
        if not any(run.run_id.startswith(name) for run in published):
            message = f"no run {name!r} among the {len(published)} of {folder}"
            raise UserError(message, fix="give a run_id of it")
    if names:
        published = [r for r in published if any(r.run_id.startswith(name) for name in names)]
    count, seed = sampling
    if count is not None:
        published = random.Random(seed).sample(published, min(count, len(published)))
    runs = [(run, partial(build.compose_config, list(run.overrides))) for run in published]
    return _verify(runs, overrides)


def _verify(runs: Sequence[RunWithConfig], overrides: Sequence[str]) -> int:
    n_differing = 0
    for number, (run, config) in enumerate(runs, start=1):
        head = f"[{number}/{len(runs)}] {run.run_id}: {run.variant} on {run.dataset}, "
        print(f"{head}seed {run.seed}: running it again", flush=True)
        comparison = _repeat(run, _apply(config(), overrides))
        n_differing += bool(comparison.difference)
        if not comparison.difference:
            print(f"  identical: {comparison.n_digests} digests, from initial weights to scores")
            continue
        print(f"  DIFFERS: {comparison.difference}")
        for reason in comparison.reasons or ("the environments are the same",):
            print(f"    {reason}")
    print("identical" if not n_differing else f"{n_differing} of {len(runs)} differ")
    return 1 if n_differing else 0


def _apply(cfg: DictConfig, overrides: Sequence[str]) -> DictConfig:
    """Set what belongs to this machine: where data lie; no logger, no progress bar."""
    for key, value in build.parse_overrides(overrides).items():
        OmegaConf.update(cfg, key, value, force_add=True)
        if key == "dataset.root" and OmegaConf.select(cfg, "dataset.source.root") is not None:
            cfg.dataset.source.root = value
    cfg.logger, cfg.trainer.progress = {}, False
    return cfg


def _repeat(run: PublishedRun, cfg: DictConfig) -> Comparison:
    """Train and score a run again in a temporary folder, and compare it with what is published."""
    with tempfile.TemporaryDirectory(prefix="bench-verify-") as clean:
        place = {"runs_root": clean, "sweep_name": "verify", "expected_run_id": None}
        for key, value in place.items():
            OmegaConf.update(cfg, key, value, force_add=True)
        job = prepare_job(cfg)
        device = str(run.environment.get("device"))
        reasons = _environment_differences(run.environment, job.describe_environment(device))
        if job.folder.run_id != run.run_id:
            made = f"this suite on this machine makes run {job.folder.run_id} of it"
            parts = "its config, its data, the kind of device or the version of the mathematics"
            return Comparison(0, f"{made}: {parts} have changed", reasons)
        outcome = execute(job)
        if outcome.status != run.status:
            cause = f" ({outcome.cause})" if outcome.cause else ""
            return Comparison(0, f"it was {run.status} and is {outcome.status} now{cause}", reasons)
        return _compare_digests(run, job.folder, reasons)


def _compare_digests(run: PublishedRun, folder: RunFolder, reasons: tuple[str, ...]) -> Comparison:
    digests_now = read_digests(folder.digests)
    rows_now = {
        row.file_name(): scores_digest(row.scores, row.details)
        for row in read_rows(folder.root, [folder.run_id])
    }
    # A published row that is missing now was scored later, under another protocol.
    rows_then = {name: digest for name, digest in run.rows.items() if name in rows_now}
    n_digests = 0
    rows = (rows_then, rows_now, "scores of row {}")
    for then, now, label in ((run.chain, digests_now, "weights at {}"), rows):
        for name, digest in then.items():
            n_digests += 1
            if now.get(name) != digest:
                what = label.format(name) if name != "samples" else "samples"
                difference = f"{what}: {digest} then, {now.get(name, 'nothing')} now"
                return Comparison(n_digests, difference, reasons)
    return Comparison(n_digests, "", reasons)


def _environment_differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a line for each difference between two environments."""
    places = ("packages", "code", "device", "import_roots", "config_dirs")
    pairs = [(key, then.get(key), now.get(key)) for key in sorted({*then, *now} - {*places})]
    for group in ("packages", "code"):
        old, new = then.get(group, {}), now.get(group, {})
        pairs += [(name, old.get(name), new.get(name)) for name in sorted({*old, *new})]
    return tuple(f"{name}: {old} then, {new} now" for name, old, new in pairs if old != new)
