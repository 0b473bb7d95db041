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

from bench.config import build, validate
from bench.config.trust import check_published_overrides, check_trusted
from bench.core.errors import UserError
from bench.execution.run import execute
from bench.reporting.archive.read import load
from bench.runs.digests import numbers_by_protocol, read_digests, score_digests
from bench.runs.folder import COMPLETED, RunFolder, find_run
from bench.runs.record import PublishedRun, describe_run, read_published_runs
from bench.runs.rows import read_rows
from bench.training.job import prepare_job

RunWithConfig = tuple[PublishedRun, Callable[[], DictConfig]]


@dataclass(frozen=True)
class Comparison:
    """The result of repeating a run.

    Args:
        compared: what was found equal, in words.
        difference: the first digest that differs, in words; empty where none does.
        reasons: differences between the environments.
    """

    compared: str
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
    if (folder / "rows.parquet").is_file():
        load(folder)  # raises an error if the rows, which a reader sees, are not those of the runs
    listed = read_published_runs(folder)
    published = [run for run in listed if run.status in COMPLETED]
    if not published:
        message = f"none of the {len(listed)} runs of {folder} has ended: nothing can be compared"
        raise UserError(message, fix="name another folder")
    for name in names:
        if not any(run.run_id.startswith(name) for run in published):
            message = f"no run {name!r} among the {len(published)} of {folder}"
            raise UserError(message, fix="give a run_id of it")
    if names:
        published = [r for r in published if any(r.run_id.startswith(name) for name in names)]
    count, seed = sampling
    if count is not None:
        published = random.Random(seed).sample(published, min(count, len(published)))
    runs = [(run, partial(_compose_published, run, folder)) for run in published]
    return _verify(runs, overrides)


def _compose_published(run: PublishedRun, folder: Path) -> DictConfig:
    """Compose the config of a run that a stranger may have published."""
    where = f"run {run.run_id} of {folder}"
    check_published_overrides(run.overrides, where)
    cfg = build.compose_config(list(run.overrides))
    check_trusted(validate.to_plain(cfg), where)
    return cfg


def _verify(runs: Sequence[RunWithConfig], overrides: Sequence[str]) -> int:
    for run, _ in runs:
        if not run.chain or (run.status == "finished" and not run.scores):
            message = f"run {run.run_id} has no digests of its weights, or none of its scores"
            raise UserError(message, fix="it cannot be verified: leave it out, or train it again")
    n_differing = 0
    for number, (run, config) in enumerate(runs, start=1):
        head = f"[{number}/{len(runs)}] {run.run_id}: {run.variant} on {run.dataset}, "
        print(f"{head}seed {run.seed}: running it again", flush=True)
        comparison = _repeat(run, _apply(config(), overrides))
        n_differing += bool(comparison.difference)
        if not comparison.difference:
            print(f"  identical: {comparison.compared}")
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
            return Comparison("", f"{made}: {parts} have changed", reasons)
        outcome = execute(job)
        if outcome.status != run.status:
            cause = f" ({outcome.cause})" if outcome.cause else ""
            difference = f"it was {run.status} and is {outcome.status} now{cause}"
            return Comparison("", difference, reasons)
        return _compare_digests(run, job.folder, reasons)


def _compare_digests(run: PublishedRun, folder: RunFolder, reasons: tuple[str, ...]) -> Comparison:
    rows = read_rows(folder.root, [folder.run_id])
    numbers, scores_now = numbers_by_protocol(rows), score_digests(rows)
    # A published score that is not made now was scored later, or by an earlier preset.
    scores_then = {name: digest for name, digest in run.scores.items() if name in scores_now}
    if run.scores and not scores_then:
        why = "none of its scores is made under the same protocol by this suite"
        return Comparison("", why, reasons)
    digests = (run.chain, read_digests(folder.digests), "weights at {}")
    for then, now, label in (digests, (scores_then, scores_now, "scores {}")):
        for name, digest in then.items():
            if now.get(name) != digest:
                what = label.format(name) if name != "samples" else "samples"
                difference = f"{what}: {digest} then, {now.get(name, 'nothing')} now"
                return Comparison("", difference, reasons)
    n_numbers = sum(len(numbers[name]) for name in scores_then)
    compared = f"{len(run.chain)} digests of weights and samples, {n_numbers} numbers of scores"
    if left := len(run.scores) - len(scores_then):
        compared += f"; not made by this suite and not compared: {left} of {len(run.scores)} scores"
    return Comparison(compared, "", reasons)


def _environment_differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a line for each difference between two environments."""
    places = ("packages", "code", "device", "import_roots", "config_dirs")
    pairs = [(key, then.get(key), now.get(key)) for key in sorted({*then, *now} - {*places})]
    for group in ("packages", "code"):
        old, new = then.get(group, {}), now.get(group, {})
        pairs += [(name, old.get(name), new.get(name)) for name in sorted({*old, *new})]
    return tuple(f"{name}: {old} then, {new} now" for name, old, new in pairs if old != new)
