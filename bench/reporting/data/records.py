"""Records of a sweep for a report: its stages, and their runs with status, rows and history."""

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
    """One planned run, whatever its outcome.

    Args:
        variant, dataset, seed, sample: as planned.
        overrides: as planned, without what belongs to one machine.
        status: the one of `status.json`; "missing" if nothing was written.
        cause: why it diverged or failed.
        facts: those of FACTS that were recorded.
        environment: what the run was made with; empty if unknown.
        rows: its scored checkpoints.
        digests: of weights and samples, recorded during training, by name.
        history: curves of "d_loss", "g_loss" and "frechet" (of checkpoints scored while it
            trained), as far as they were recorded.
        picture: its samples at fixed latents, PNG; None if there is none.
        source: name of the published study that it comes from; empty for a run of one's own.
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
    digests: Mapping[str, str] = field(default_factory=dict)
    history: Mapping[str, Curve] = field(default_factory=dict)
    picture: bytes | None = None
    source: str = ""

    @property
    def settings(self) -> tuple[str, ...]:
        """Return the overrides that runs of this variant share over seeds."""
        return tuple(o for o in self.overrides if o.lstrip("+").partition("=")[0] != "seed")


@dataclass(frozen=True)
class StageRecord:
    """One stage of a sweep.

    Args:
        name: name of the sweep.
        command: command line that launched it.
        stage: name of the stage; "all" if the plan has no stages.
        baselines: rows of real samples scored against real ones, of any protocol.
        rule: how its configurations were chosen from the stage before; empty for the first.
        chosen: what that rule chose: variant, data set, sample, score, runs.
        claims: whether the sweep sets out to judge claims.
        factors: of a stage with a grid: override -> its levels; every combination was planned.
        real_pictures: PNG of real images, by run_id of the baselines.
    """

    name: str
    command: str
    stage: str
    runs: tuple[RunRecord, ...]
    baselines: tuple[Row, ...]
    rule: str = ""
    chosen: tuple[Mapping[str, Any], ...] = ()
    claims: bool = False
    real_pictures: Mapping[str, bytes] = field(default_factory=dict)
    factors: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def counts(self) -> dict[str, int]:
        """Count the planned runs and their outcomes; the last five add up to the first."""
        return {"planned": len(self.runs), **count_statuses(run.status for run in self.runs)}

    @cached_property
    def is_search(self) -> bool:
        """Whether some variant has several configurations on one data set, from one source.

        The cells of a grid are methods of their own, and so no search.
        """
        if self.factors:
            return False
        samples: dict[tuple[str, str, str], int] = {}
        keys = (((run.source, run.variant, run.dataset), run.sample) for run in self.runs)
        return any(samples.setdefault(key, sample) != sample for key, sample in keys)


def merge_stages(stages: Sequence[StageRecord]) -> StageRecord:
    """Merge the stages of a sweep into one that holds every run once."""
    runs = {run.run_id: run for stage in stages for run in stage.runs}
    last = stages[-1]
    return StageRecord(last.name, last.command, "all", tuple(runs.values()), last.baselines)


def count_statuses(statuses: Iterable[str]) -> dict[str, int]:
    """Count finished, diverged, failed, unfinished (interrupted or running) and missing runs."""
    counts = dict.fromkeys((*OUTCOMES, "unfinished", "missing"), 0)
    for status in statuses:
        counts[status if status in counts else "unfinished"] += 1
    return counts
