"""Select the runs that a reader can open on the page, and build the data shown for each."""

from collections.abc import Iterable, Sequence
from typing import Any

from bench.reporting.data.records import RunRecord
from bench.reporting.output.provenance import describe_run_environments
from bench.reporting.tables import rounding
from bench.reporting.tables.comparisons import Comparison
from bench.reporting.tables.summary import notable_runs
from bench.reporting.text import words
from bench.runs.record import training_command

MAX_RUNS = 1000  # runs in a page; it stays a few megabytes
DIGESTS_SHOWN = ("generator", "samples")  # of a run's digests


def select_runs(comparisons: Sequence[Comparison]) -> dict[str, RunRecord]:
    """Return run_id -> run of at most MAX_RUNS runs, in the order of stages and plan.

    Each method's best, median, worst and default runs come first, then the last stage's, then
    others.
    """
    stages = list({id(c.stage): c.stage for c in comparisons}.values())  # the last one first
    runs = {run.run_id: run for stage in stages for run in stage.runs}
    if len(runs) <= MAX_RUNS:
        return runs
    by_priority = dict.fromkeys((*_notable_runs(comparisons), *runs))
    selected = set(list(by_priority)[:MAX_RUNS])
    return {run_id: run for run_id, run in runs.items() if run_id in selected}


def _notable_runs(comparisons: Iterable[Comparison]) -> Iterable[str]:
    """Yield the run_ids of each method's best, median, worst and first default run."""
    for comparison in comparisons:
        group = comparison.main.group
        for method in group.methods:
            yield from (run.run_id for _, run in notable_runs(group, method).values())
            yield from [m.run.run_id for m in method.runs if m.run.sample == 0][:1]


def build_run_data(comparisons: Sequence[Comparison], runs: dict[str, RunRecord]) -> dict[str, Any]:
    """Build the JSON of the page's runs: their environments, and each run by its run_id."""
    scores: dict[str, dict[str, list[float | None]]] = {run_id: {} for run_id in runs}
    for group in (table.group for c in comparisons for table in c.tables):
        for run, row in group.runs:
            if row is not None and run.run_id in scores:
                values = [row.scores.get(metric) for metric in group.metrics]
                scores[run.run_id][group.slug] = [_shorten(value) for value in values]
    environments: list[dict[str, str]] = []
    places: dict[int, int] = {}  # in `environments`; runs of one machine share the object
    for run in runs.values():
        if id(run.environment) not in places:
            facts = describe_run_environments([run])
            if facts not in environments:
                environments.append(facts)
            places[id(run.environment)] = environments.index(facts)
    stages = {run.run_id: c.stage.stage for c in reversed(comparisons) for run in c.stage.runs}
    return {
        "environments": environments,
        "runs": {
            run_id: _describe_run(run)
            | {
                "stage": "" if stages[run_id] == "all" else stages[run_id],
                "scores": scores[run_id],
                "environment": places[id(run.environment)],
            }
            for run_id, run in runs.items()
        },
    }


def _describe_run(run: RunRecord) -> dict[str, Any]:
    row = next(iter(run.rows), None)
    settings = {} if row is None else row.hyperparameters
    facts = {
        "discriminator steps": rounding.format_fact(run.facts.get("d_steps")),
        "generator steps": rounding.format_fact(run.facts.get("g_steps")),
        "real images seen": rounding.format_fact(run.facts.get("images")),
        "training time": rounding.format_time(run.facts.get("wall_seconds")),
        "peak memory, GiB": rounding.format_fact(run.facts.get("peak_memory_gib"), 2),
    }
    return {
        **{k: getattr(run, k) for k in ("variant", "dataset", "seed", "sample", "status", "cause")},
        "seed": run.seed if run.seed < 2**53 else str(run.seed),  # JavaScript's numbers are floats
        "settings": {k.replace("_", " "): _format_setting(v) for k, v in sorted(settings.items())},
        "facts": {name: text for name, text in facts.items() if text != rounding.DASH},
        "command": training_command(run.overrides, run.environment),
        "digests": {name: run.digests[name] for name in DIGESTS_SHOWN if name in run.digests},
        "curves": {
            name: [[int(step) for step in steps], [_shorten(float(value)) for value in values]]
            for name, (steps, values) in sorted(run.history.items())
        },
    }


def _format_setting(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else words.format_value(value)


def _shorten(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")
