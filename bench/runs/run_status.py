"""How the runs of a plan stand: read from their folders, by anybody, at any time."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.core.files import read_json
from bench.runs.folder import SETTLED, RunFolder
from bench.runs.heartbeat import active_elsewhere, file_clock
from bench.runs.plans import PlannedRun

ORDER = ("finished", "diverged", "failed", "refused", "interrupted", "running", "waiting")
ENDED = ("finished", "diverged")


@dataclass(frozen=True)
class RunStatus:
    """What became of a run so far.

    Args:
        word: of ORDER; "finished" and "diverged" have their rows, "waiting" has nothing yet,
            "interrupted" goes on when it is launched again.
        cause: one sentence, where there is one.
        facts: of status.json: counts, seconds.
        pulse: who is at work on it.
    """

    state: str
    cause: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    heartbeat: dict[str, Any] | None = None


class StatusReader:
    """Reads how runs stand; what has ended is not read again.

    Args:
        runs_root: where they lie.
        refused: run_id -> why.
    """

    def __init__(self, runs_root: Path, refused: dict[str, str] | None = None) -> None:
        self.root, self.refused = runs_root, refused or {}
        self.ended: dict[tuple[str, str, str], RunStatus] = {}

    def read(self, entries: Sequence[PlannedRun]) -> list[RunStatus]:
        """One for each entry."""
        there = self._present()
        now = file_clock(self.root) if self.root.is_dir() else 0.0
        return [self._one(entry, there, now) for entry in entries]

    def _present(self) -> set[str]:
        """Names of the folders that exist: most runs of a large plan have none yet."""
        try:
            with os.scandir(self.root) as found:
                return {item.name for item in found}
        except FileNotFoundError:
            return set()

    def _one(self, entry: PlannedRun, there: set[str], now: float) -> RunStatus:
        key = (entry.run_id, entry.request, entry.data)
        if key in self.ended:
            return self.ended[key]
        if entry.run_id not in there:
            why = self.refused.get(entry.run_id)
            return RunStatus("waiting") if why is None else RunStatus("refused", why)
        standing = self._read(entry, now)
        if standing.state in ENDED:
            self.ended[key] = standing
        return standing

    def _read(self, entry: PlannedRun, now: float) -> RunStatus:
        folder = RunFolder(self.root, entry.run_id)
        try:
            facts = folder.status() or {"status": "waiting", "cause": ""}
        except UserError as error:  # damaged; whoever runs it says so too
            return RunStatus("failed", error.message)
        word, cause = str(facts.pop("status")), str(facts.pop("cause"))
        if word in SETTLED and has_row(folder, entry):
            return RunStatus(word, cause, facts)
        heartbeat = active_elsewhere(folder.heartbeat, now) or _own_pulse(folder, now)
        if heartbeat is not None:
            return RunStatus("running", "", facts, heartbeat)
        if entry.run_id in self.refused:
            return RunStatus("refused", self.refused[entry.run_id])
        if word == "failed":
            return RunStatus(word, cause, facts)
        return RunStatus("waiting" if word == "waiting" else "interrupted", cause, facts)


def _own_pulse(folder: RunFolder, now: float) -> dict[str, Any] | None:
    """Of this very process, in another thread of which the run goes on."""
    try:
        facts = read_json(folder.heartbeat)
    except (UserError, OSError):
        return None
    return facts if isinstance(facts, dict) and facts.get("pid") == os.getpid() else None


def has_row(folder: RunFolder, entry: PlannedRun) -> bool:
    """Whether the run's last row under the plan's protocol is there; it is written last."""
    for path in (folder.path / "rows").glob("final-*.json"):
        try:
            row = read_json(path)
            protocol = row["protocol"]
            if (
                row["status"] in SETTLED
                and entry.request in ("", protocol["settings"])
                and entry.data in ("", protocol["data"])
            ):
                return True
        except (UserError, KeyError, TypeError):  # the job that needs it tells what is wrong
            continue
    return False


def count_states(standings: Iterable[RunStatus]) -> Counter[str]:
    """How many stand how."""
    return Counter(standing.state for standing in standings)


def as_text(counts: Counter[str]) -> str:
    """The words that occur, in order: 12 finished, 1 diverged."""
    return ", ".join(f"{counts[word]} {word}" for word in ORDER if counts[word]) or "none"
