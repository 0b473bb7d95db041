"""A sweep as a report sees it: its runs in the plan's order, each with status, rows and history."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from bench.runs.rows import Row

OUTCOMES = ("finished", "diverged", "failed")  # every other run is unfinished
FACTS = ("d_steps", "g_steps", "images", "wall_seconds", "peak_memory_gib")  # of status.json

Curve = tuple[np.ndarray, np.ndarray]  # steps and values


@dataclass(frozen=True)
class RunRecord:
    """One run of the plan, whatever became of it.

    Args:
        variant, dataset, seed, sample: as planned.
        overrides: as planned, without what belongs to one machine.
        status: a word of `status.json`; "missing" where nothing was written.
        cause: of a divergence or failure.
        facts: of FACTS, those that are known.
        environment: `environment.json`; empty where there is none.
        rows: its scored checkpoints.
        chain: digests along the way.
        history: of "d_loss", "g_loss" and "frechet" (of the checkpoints scored while it trained)
            those that were kept.
        picture: its samples at fixed latents, PNG; None where none was kept.
    """

    run_id: str
    variant: str
    dataset: str
    seed: int
    sample: int
    overrides: tuple[str, ...]
    status: str
    cause: str
    facts: Mapping[str, Any]
    environment: Mapping[str, Any]
    rows: tuple[Row, ...]
    chain: Mapping[str, str] = field(default_factory=dict)
    history: Mapping[str, Curve] = field(default_factory=dict)
    picture: bytes | None = None

    @property
    def settings(self) -> tuple[str, ...]:
        """What it shares with the same variant at other seeds."""
        return tuple(o for o in self.overrides if o.lstrip("+").partition("=")[0] != "seed")


@dataclass(frozen=True)
class StageRecord:
    """One stage of a sweep.

    Args:
        stage: of the plan; "all" where it has no stages.
        floors: rows of real samples scored against real ones, of any protocol.
        rule: how its configurations were chosen from the stage before; empty for the first.
        chosen: what that chose: variant, data set, sample, score, runs.
    """

    name: str
    command: str
    stage: str
    runs: tuple[RunRecord, ...]
    floors: tuple[Row, ...]
    rule: str = ""
    chosen: tuple[Mapping[str, Any], ...] = ()

    @cached_property
    def counts(self) -> dict[str, int]:
        """Runs planned and what became of them; the last five add up to the first."""
        return {"planned": len(self.runs), **count_statuses(run.status for run in self.runs)}

    @cached_property
    def searches(self) -> bool:
        """Whether it compares configurations: some variant has several on a data set."""
        found: dict[tuple[str, str], int] = {}
        return any(
            found.setdefault((r.variant, r.dataset), r.sample) != r.sample for r in self.runs
        )


def merge_stages(stages: Sequence[StageRecord]) -> StageRecord:
    """All runs of a sweep's stages, each once, as if it had one."""
    runs = {run.run_id: run for stage in stages for run in stage.runs}
    last = stages[-1]
    return StageRecord(last.name, last.command, "all", tuple(runs.values()), last.floors)


def count_statuses(statuses: Iterable[str]) -> dict[str, int]:
    """finished, diverged, failed, unfinished (interrupted or still running), missing."""
    found = dict.fromkeys((*OUTCOMES, "unfinished", "missing"), 0)
    for status in statuses:
        found[status if status in found else "unfinished"] += 1
    return found
