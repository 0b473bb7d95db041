"""The runs that a reader can open on the page, each with all that is known of it."""

from collections.abc import Iterable, Sequence
from typing import Any

from bench.reporting.data.records import Curve, RunRecord
from bench.reporting.output.provenance import command_of, environment_facts
from bench.reporting.tables import rounding
from bench.reporting.tables.comparisons import Comparison
from bench.reporting.tables.summary import median_run
from bench.reporting.text import words

MOST = 1000  # runs in a page; it stays a few megabytes
LINKS = ("generator", "samples")  # of the chain of digests


def run_details(comparisons: Sequence[Comparison]) -> dict[str, RunRecord]:
    """run_id -> run, at most MOST, in the order of stages and plan.

    First each contender's best, median and default run, then the last stage's, then the others.
    """
    stages = list({id(c.stage): c.stage for c in comparisons}.values())  # the last one first
    every = {run.run_id: run for stage in stages for run in stage.runs}
    if len(every) <= MOST:
        return every
    first = dict.fromkeys((*_telling(comparisons), *every))
    kept = set(list(first)[:MOST])
    return {run_id: run for run_id, run in every.items() if run_id in kept}


def _telling(comparisons: Iterable[Comparison]) -> Iterable[str]:
    for comparison in comparisons:
        group = comparison.main.group
        for contender in group.contenders:
            scored = contender.scored(group.first)
            if scored:
                yield min((group.sign * value, run.run_id) for value, run in scored)[1]
            found = median_run(contender, group.first)
            yield from [found[1].run_id] if found is not None else []
            yield from [m.run.run_id for m in contender.members if m.run.sample == 0][:1]


def as_json(comparisons: Sequence[Comparison], runs: dict[str, RunRecord]) -> dict[str, Any]:
    """What the page's script needs of the runs: environments, and each run by its run_id."""
    groups = [table.group for c in comparisons for table in c.tables]
    scores: dict[str, dict[str, list[float | None]]] = {run_id: {} for run_id in runs}
    for group in groups:
        for run, row in group.members:
            if row is not None and run.run_id in scores:
                values = [row.scores.get(metric) for metric in group.metrics]
                scores[run.run_id][group.slug] = [_short(value) for value in values]
    environments: list[dict[str, str]] = []
    known: dict[int, int] = {}  # runs of one machine share the object
    for run in runs.values():
        if id(run.environment) not in known:
            facts = environment_facts([run])
            if facts not in environments:
                environments.append(facts)
            known[id(run.environment)] = environments.index(facts)
    stages = {run.run_id: c.stage.stage for c in reversed(comparisons) for run in c.stage.runs}
    return {
        "environments": environments,
        "runs": {
            run_id: _told(run)
            | {
                "stage": "" if stages[run_id] == "all" else stages[run_id],
                "scores": scores[run_id],
                "environment": known[id(run.environment)],
            }
            for run_id, run in runs.items()
        },
    }


def _told(run: RunRecord) -> dict[str, Any]:
    row = next(iter(run.rows), None)
    settings = {} if row is None else row.hyperparameters
    facts = {
        "discriminator steps": rounding.fact(run.facts.get("d_steps")),
        "generator steps": rounding.fact(run.facts.get("g_steps")),
        "real images seen": rounding.fact(run.facts.get("images")),
        "seconds of training": rounding.fact(run.facts.get("wall_seconds"), 1),
        "peak memory, GiB": rounding.fact(run.facts.get("peak_memory_gib"), 2),
    }
    return {
        "variant": run.variant,
        "dataset": run.dataset,
        "seed": run.seed,
        "sample": run.sample,
        "status": run.status,
        "cause": run.cause,
        "settings": {k.replace("_", " "): _setting(v) for k, v in sorted(settings.items())},
        "facts": {name: text for name, text in facts.items() if text != rounding.DASH},
        "command": command_of(run),
        "digests": {name: run.chain[name] for name in LINKS if name in run.chain},
        "curves": {name: _pairs(curve) for name, curve in sorted(run.history.items())},
    }


def _setting(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else words.worded(value)


def _pairs(curve: Curve) -> list[list[float | None]]:
    """Steps and values."""
    steps, values = curve
    return [[int(step) for step in steps], [_short(float(value)) for value in values]]


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")
