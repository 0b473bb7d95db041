"""How a later stage's configurations follow from the rows of the stage before it."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.runs.plans import PlannedRun
from bench.runs.rows import Row, read_rows
from bench.sweeping.stage import Rule

Selection = dict[tuple[str, str], tuple[int, float, tuple[str, ...]]]  # sample, score, run_ids


def select_best(rule: Rule, entries: Iterable[PlannedRun], runs_root: Path) -> Selection:
    """(variant, data set) -> the best sample, its score and the runs that it comes from.

    A sample with several seeds stands by the mean of their scores; one of which a run has no score
    (it diverged, or failed) does not stand.
    """
    values: dict[tuple[str, str], dict[int, list[float | None]]]
    values = defaultdict(lambda: defaultdict(list))
    runs: dict[tuple[str, str, int], list[str]] = defaultdict(list)
    for entry in entries:
        group = entry.variant, entry.dataset
        values[group][entry.sample].append(score_of(rule, entry, runs_root))
        runs[(*group, entry.sample)].append(entry.run_id)
    sign = 1 if rule.name == "lowest" else -1
    found: Selection = {}
    for group, samples in values.items():
        means = {
            sample: statistics.fmean(scores)  # type: ignore[arg-type]
            for sample, scores in samples.items()
            if None not in scores
        }
        if means:
            sample = min(means, key=lambda s: (sign * means[s], s))
            found[group] = sample, means[sample], tuple(runs[(*group, sample)])
    return found


def score_of(rule: Rule, entry: PlannedRun, runs_root: Path) -> float | None:
    """Of a run under its plan's protocol; None where there is none."""
    for row in read_rows(runs_root, [entry.run_id]):
        if row.checkpoint == rule.checkpoint and _fits(row, entry):
            held = {**row.scores, **row.details}
            if rule.score not in held and row.status == "finished":
                raise UserError(
                    f"the rule asks for {rule.score!r}, which run {entry.run_id} has not "
                    f"(has: {', '.join(sorted(held))})",
                    fix="name one of these in the sweep's rule",
                )
            return held.get(rule.score)
    return None


def _fits(row: Row, entry: PlannedRun) -> bool:
    protocol: Mapping[str, Any] = row.protocol
    return protocol.get("settings") == entry.request and protocol.get("data") == entry.data


def record(chosen: Selection) -> tuple[dict[str, Any], ...]:
    """As a plan keeps it."""
    return tuple(
        {"variant": v, "dataset": d, "sample": sample, "score": score, "runs": list(runs)}
        for (v, d), (sample, score, runs) in chosen.items()
    )
