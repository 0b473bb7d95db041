"""Which configurations a later stage takes, from the rows of the stage before it."""

import statistics
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.core.errors import UserError
from bench.runs.plans import PlannedRun
from bench.runs.rows import read_rows, requested_rows
from bench.sweeping.stage import Rule

Chosen = tuple[int, float, tuple[str, ...]]  # sample, score, run_ids
Selection = dict[tuple[str, str], list[Chosen]]  # the best first


def select_best(rule: Rule, runs: Iterable[PlannedRun], runs_root: Path) -> Selection:
    """Return (variant, data set) -> the best samples, their scores and the run_ids behind them.

    A sample with several seeds is compared by the mean of their scores. It is left out if one of
    its runs has no score: that run diverged, or failed.
    """
    scores: dict[tuple[str, str], dict[int, list[float | None]]]
    scores = defaultdict(lambda: defaultdict(list))
    run_ids: dict[tuple[str, str, int], list[str]] = defaultdict(list)
    for run in runs:
        group = run.variant, run.dataset
        scores[group][run.sample].append(read_score(rule, run, runs_root))
        run_ids[(*group, run.sample)].append(run.run_id)
    sign = 1 if rule.name == "lowest" else -1
    selection: Selection = {}
    for group, scores_by_sample in scores.items():
        if means := {
            sample: statistics.fmean(score for score in values if score is not None)
            for sample, values in scores_by_sample.items()
            if None not in values
        }:
            best = sorted(means, key=lambda s: (sign * means[s], s))[: rule.count]
            selection[group] = [(s, means[s], tuple(run_ids[(*group, s)])) for s in best]
    return selection


def read_score(rule: Rule, run: PlannedRun, runs_root: Path) -> float | None:
    """Return the score that a rule asks for, of a run under its plan's protocol; None without one.

    Raises:
        UserError: the run has a row, and the rule's score is not in it.
    """
    rows = (
        row
        for row in read_rows(runs_root, [run.run_id])
        if row.checkpoint == rule.checkpoint and row.protocol.get("data") == run.data
    )
    for row in requested_rows(rows, run.request):
        numbers = {**row.scores, **row.details}
        if rule.score not in numbers and row.status == "finished":
            asked = f"the rule asks for {rule.score!r}, which run {run.run_id} has not"
            present = ", ".join(sorted(numbers))
            fix = "name one of these in the sweep's rule"
            raise UserError(f"{asked} (has: {present})", fix=fix)
        return numbers.get(rule.score)
    return None


def selection_records(selection: Selection) -> tuple[dict[str, Any], ...]:
    """Return a selection in the form in which plans store it."""
    return tuple(
        {"variant": v, "dataset": d, "sample": sample, "score": score, "runs": list(run_ids)}
        for (v, d), chosen in selection.items()
        for sample, score, run_ids in chosen
    )
