"""The status of the runs of a plan, read from their folders: by any process, at any time."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.runs.folder import COMPLETED, RunFolder
from bench.runs.heartbeat import active_elsewhere, file_clock, read_heartbeat
from bench.runs.plans import PlannedRun
from bench.runs.rows import read_row

STATES = ("finished", "diverged", "failed", "refused", "interrupted", "running", "waiting")


@dataclass(frozen=True)
class RunStatus:
    """The status of a planned run.

    Args:
        state: one of STATES; "finished" and "diverged" have their rows, "waiting" has nothing yet,
            "refused" cannot start, "interrupted" resumes when it is launched again.
        cause: why it is in this state, in one sentence; may be empty.
        facts: content of status.json: counts, seconds.
        heartbeat: host, process and progress of the process that works on it; None without one.
    """

    state: str
    cause: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    heartbeat: dict[str, Any] | None = None


class StatusReader:
    """Reads the status of runs; one that is complete is not read again.

    Args:
        refused: run_id -> why the run could not start.
    """

    def __init__(self, runs_root: Path, refused: dict[str, str] | None = None) -> None:
        self.root, self.refused = runs_root, refused or {}
        self._completed: dict[tuple[str, tuple[str, ...], str], RunStatus] = {}

    def read(self, runs: Sequence[PlannedRun]) -> list[RunStatus]:
        """Return the status of each run, in order."""
        folder_names = self._folder_names()
        now = file_clock(self.root) if self.root.is_dir() else 0.0
        return [self._status(run, folder_names, now) for run in runs]

    def _folder_names(self) -> set[str]:
        """List the folders that exist at once: most runs of a large plan have none yet."""
        try:
            with os.scandir(self.root) as items:
                return {item.name for item in items}
        except FileNotFoundError:
            return set()

    def _status(self, run: PlannedRun, folder_names: set[str], now: float) -> RunStatus:
        key = (run.run_id, run.request, run.data)
        if key in self._completed:
            return self._completed[key]
        if run.run_id not in folder_names:
            why = self.refused.get(run.run_id)
            return RunStatus("waiting") if why is None else RunStatus("refused", why)
        status = self._read_folder(run, now)
        if status.state in COMPLETED:
            self._completed[key] = status
        return status

    def _read_folder(self, run: PlannedRun, now: float) -> RunStatus:
        folder = RunFolder(self.root, run.run_id)
        try:
            facts = folder.read_status() or {"status": "waiting", "cause": ""}
            state, cause = facts.pop("status"), facts.pop("cause")
            if state in COMPLETED and has_row(folder, run):
                return RunStatus(state, cause, facts)
        except UserError as error:  # a damaged file
            return RunStatus("refused", error.message)
        heartbeat = active_elsewhere(folder.heartbeat, now) or _heartbeat_of_this_process(folder)
        if heartbeat is not None:
            return RunStatus("running", "", facts, heartbeat)
        if run.run_id in self.refused:
            return RunStatus("refused", self.refused[run.run_id])
        if state == "failed":
            return RunStatus(state, cause, facts)
        return RunStatus("waiting" if state == "waiting" else "interrupted", cause, facts)


def _heartbeat_of_this_process(folder: RunFolder) -> dict[str, Any] | None:
    """Return the heartbeat of a run that this process trains in another thread; None if none."""
    facts = read_heartbeat(folder.heartbeat)
    return facts if facts is not None and facts["pid"] == os.getpid() else None


def has_row(folder: RunFolder, run: PlannedRun) -> bool:
    """Return whether every score of the final checkpoint that the plan asks for is there.

    The final checkpoint's row is the last that a run writes: with it the run is complete.

    Raises:
        UserError: a row is damaged.
    """
    found, missing = False, set(run.request)
    for path in folder.row_files("final-"):
        row = read_row(path)
        if row.status in COMPLETED and run.data in ("", row.protocol.get("data")):
            found, missing = True, missing - {m.get("request") for m in row.measures.values()}
    return found and not missing


def count_states(statuses: Iterable[RunStatus]) -> Counter[str]:
    """Return how many runs are in each state."""
    return Counter(status.state for status in statuses)


def format_counts(counts: Counter[str]) -> str:
    """Name the states that occur, in order: 12 finished, 1 diverged."""
    return ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state]) or "none"
