"""`bench runs` and `bench show`: find the runs under a folder, and look at one.

Only files are read; nothing is built, and no library of training is imported.
"""

import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from rich.console import Console
from rich.table import Table
from yaml import YAMLError

from bench.config.trust import read_plain_yaml
from bench.core.errors import UserError
from bench.core.text import printable
from bench.runs.folder import RunFolder, find_run
from bench.runs.history import read_history
from bench.runs.outcome import faults, real_scores, score_table
from bench.runs.plans import Plan, PlannedRun, StagePlan, plan_exists, read_plan
from bench.runs.rows import Row, read_row, sort_for_display
from bench.runs.run_status import StatusReader

FILTERS = ("variant", "dataset", "seed", "status", "network", "loss", "penalty", "model")
BARS = "".join(map(chr, range(0x2581, 0x2589)))  # blocks of an eighth of a line to a whole one
WIDTH = 60  # characters of a curve


@dataclass(frozen=True)
class FoundRun:
    """Facts of a run that a list of runs shows.

    Args:
        facts: variant, dataset, seed, status and the like, as text.
        row: of the final checkpoint; None without one.
        ended: seconds since 1970 at which its status was written last.
    """

    folder: RunFolder
    facts: Mapping[str, str]
    config: Mapping[str, Any]
    row: Row | None
    ended: float


def find_runs(runs_root: Path, filters: Sequence[str] = ()) -> list[FoundRun]:
    """Return the runs under a folder that fit all KEY=VALUE filters, the newest first.

    Raises:
        UserError: a filter is none.
    """
    wanted = [word.partition("=")[::2] for word in filters]
    for key, value in wanted:
        if key not in FILTERS or not value:
            message = f"{key!r} is no filter of runs"
            fix = f"write KEY=VALUE, with a key of {', '.join(FILTERS)}"
            if key == "runs_root":
                fix = f"write --runs-root {value or 'DIR'}"
            raise UserError(message, fix=fix)
    paths = sorted(path.parent for path in runs_root.glob("*/config.yaml"))
    reader, runs = StatusReader(runs_root), []
    for path in paths:
        run = _read_run(RunFolder(runs_root, path.name), reader)
        if run is not None and all(run.facts.get(key) == value for key, value in wanted):
            runs.append(run)
    return sorted(runs, key=lambda run: run.ended, reverse=True)


def _read_run(folder: RunFolder, reader: StatusReader) -> FoundRun | None:
    """Read a run without building anything; None where its config is damaged."""
    try:
        config: Any = OmegaConf.to_container(read_plain_yaml(folder.config))
        names = {key: str(value) for key, value in config["names"].items()}
        seed = str(config["seed"])
    except (OSError, ValueError, YAMLError, KeyError, TypeError, AttributeError, UserError):
        return None
    planned = PlannedRun(folder.run_id, (), names.get("variant", ""), names.get("dataset", ""), 0)
    (status,) = reader.read([planned])
    try:
        rows = [read_row(path) for path in folder.row_files("final-")]
    except UserError:
        rows = []
    written = folder.path / "status.json"
    ended = written.stat().st_mtime if written.exists() else folder.config.stat().st_mtime
    facts = {**names, "seed": seed, "status": status.state, "cause": status.cause}
    return FoundRun(folder, facts, config, rows[0] if rows else None, ended)


def select_runs(runs_root: Path, words: Sequence[str]) -> Plan:
    """Return runs as the plan of a sweep of one stage: what `bench report` is given.

    Args:
        words: names of sweeps, run_ids or their beginnings, and KEY=VALUE filters of what these
            name, or of all runs where there is no name; a run that several name is there once.

    Raises:
        UserError: a word names nothing.
    """
    filters = [word for word in words if "=" in word]
    run_ids = {run.folder.run_id for run in find_runs(runs_root, filters)} if filters else set()
    names = [word for word in words if word not in filters]
    named: set[str] = set()
    for word in names:
        is_sweep = plan_exists(runs_root, word)
        named |= set(
            read_plan(runs_root, word).run_ids if is_sweep else [find_run(runs_root, word).run_id]
        )
    if names:
        run_ids = named & run_ids if filters else named
    members = tuple(_as_planned(RunFolder(runs_root, i)) for i in sorted(set(run_ids)))
    command = f"bench report {' '.join(map(shlex.quote, words))}"
    return Plan("selection", command, (StagePlan("all", members),), (), {})


def _as_planned(folder: RunFolder) -> PlannedRun:
    """Return a run as a plan would have it whose scores are those that it has."""
    run = _read_run(folder, StatusReader(folder.root))
    if run is None:
        raise damaged(folder)
    overrides = tuple(folder.read_provenance()["overrides"])
    facts, seed = run.facts, int(run.facts["seed"])
    return PlannedRun(folder.run_id, overrides, facts["variant"], facts["dataset"], seed)


def damaged(folder: RunFolder) -> UserError:
    """Return the error for a run whose config cannot be read."""
    message = f"run {folder.run_id} is damaged: config.yaml"
    return UserError(message, fix="delete its folder and train it again")


def show_runs(runs_root: Path, filters: Sequence[str], console: Console | None = None) -> None:
    """Print a table of the runs under a folder, the newest first."""
    console = console or Console(highlight=False)
    runs = find_runs(runs_root, filters)
    if not runs:
        fitting = f" that fit {' '.join(filters)}" if filters else ""
        console.print(f"no runs{fitting} under {runs_root}", markup=False)
        return
    table = Table(box=None, pad_edge=False)
    for head in ("run", "variant", "dataset", "seed", "status", "first score", "when"):
        table.add_column(head, justify="right" if head == "seed" else "left", no_wrap=head == "run")
    for run in runs:
        scores = sort_for_display(run.row.scores) if run.row else {}
        first = next((f"{name} {value:.4g}" for name, value in scores.items()), "")
        when = time.strftime("%m-%d %H:%M", time.localtime(run.ended))
        facts = [
            printable(run.facts.get(key, "")) for key in ("variant", "dataset", "seed", "status")
        ]
        table.add_row(run.folder.run_id[:8], *facts, first, when)
    console.print(table)


def show_run(folder: RunFolder, console: Console | None = None) -> None:
    """Print what a run is, how it ended, its losses, its scores beside real data, its pictures.

    Raises:
        UserError: its files are damaged.
    """
    console = console or Console(highlight=False)
    run = _read_run(folder, StatusReader(folder.root))
    if run is None:
        raise damaged(folder)
    for line in _describe(run):
        console.print(printable(line), markup=False, soft_wrap=True)


def _describe(run: FoundRun) -> list[str]:
    facts, folder = run.facts, run.folder
    cause = f" ({facts['cause']})" if facts["cause"] else ""
    lines = [
        f"run {folder.run_id}: {facts['variant']} on {facts['dataset']}, seed {facts['seed']}: "
        f"{facts['status']}{cause}"
    ]
    keys: tuple[str, ...] = ("loss", "penalty", "model", "network")
    keys += ("conditioning",) * (facts.get("conditioning", "none") != "none")
    lines.append("  ".join(f"{key}={facts[key]}" for key in keys if key in facts))
    numbers = dict(run.config.get("hyperparameters") or {})
    numbers |= {key: run.config.get(key) for key in ("d_steps", "batch_size")}
    lines.append("  ".join(f"{key}={value}" for key, value in numbers.items()))
    readings = read_history(folder.history)
    for name in ("d_loss", "g_loss"):
        values = [reading[name] for reading in readings if name in reading]
        if values:
            lines.append(f"{name}  {curve(values)}  {values[0]:.3g} to {values[-1]:.3g}")
    if run.row is not None:
        real = real_scores(folder.root, run.row)
        lines += [*score_table(run.row, real)]
        lines += [f"what went wrong: {clause}" for clause in faults(run.row, real)]
    if (picture := folder.samples / "final.png").exists():
        lines.append(f"samples: {picture}")
    return [*lines, f"files: {folder.path}"]


def curve(values: Sequence[float], width: int = WIDTH) -> str:
    """Return values as bars from the least to the largest, each the mean of its part."""
    n = min(width, len(values))
    parts = [values[i * len(values) // n : (i + 1) * len(values) // n] for i in range(n)]
    means = [sum(part) / len(part) for part in parts]
    low, high = min(means), max(means)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(BARS[round((mean - low) * scale)] for mean in means)
