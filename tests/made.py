"""Build runs and stages in memory from scores, to test the rules of claims on."""

import dataclasses
from itertools import product
from statistics import NormalDist

import numpy as np

from bench.reporting.claims import assess_claims
from bench.reporting.data.records import RunRecord, StageRecord
from bench.reporting.tables.comparisons import build_comparisons
from bench.runs.rows import Row

PROTOCOL = {
    "name": "quick",
    "extractor": "digits_convnet",
    "split": "test",
    "n_fake": 2000,
}


def measures_of(directions):
    """score -> direction; return the measures of a row, one for each score."""
    return {
        name: {"scores": {name: way}, "arguments": {}, "request": f"of {name}"}
        for name, way in directions.items()
    }


def run(
    variant, score, *, seed=0, sample=0, dataset="digits", settings=(), network="infogan",
    model="gan", protocol=None, details=None, metric="frechet", raw=None,
):  # fmt: skip
    """Build a run with its final row; score=None is one that diverged; raw: the raw row's score."""
    run_id = "-".join(map(str, (variant, dataset, sample, seed, network, *settings)))
    status = "diverged" if score is None else "finished"
    measures = measures_of({metric: "lower" if metric == "frechet" else "higher"})
    row = Row(
        run_id=run_id, variant=variant, loss=variant, model=model, network=network,
        dataset=dataset, seed=seed, d_steps=40, g_steps=40, images=40, status=status, cause="",
        checkpoint="final", protocol=PROTOCOL | (protocol or {}), measures=measures,
        hyperparameters={"learning_rate": 0.1 * (1 + sample)},
        scores={} if score is None else {metric: float(score)}, details=details or {},
    )  # fmt: skip
    overrides = (
        f"variant={variant}", f"dataset={dataset}", *settings,
        f"hyperparameters.x={sample}", f"seed={seed}",
    )  # fmt: skip
    rows = (row,)
    if raw is not None:
        rows += (dataclasses.replace(row, checkpoint="raw", scores={metric: float(raw)}),)
    return RunRecord(
        run_id, variant, dataset, seed, sample, overrides, status, "", {"d_steps": 40}, {}, rows
    )


def grid(factors, score, *, n=10, raw=None, **fields):
    """Build a stage whose grid has `score(levels, seed)` in each cell, and `raw` where given.

    Args:
        factors: factor -> its levels.
        n: number of seeds.
    """
    cells = [dict(zip(factors, cell, strict=True)) for cell in product(*factors.values())]
    runs = [
        run(
            "ns_gan", score(cell, seed), seed=seed, sample=place,
            settings=tuple(f"{k}={v}" for k, v in cell.items()),
            raw=None if raw is None else raw(cell, seed), **fields,
        )
        for place, cell in enumerate(cells)
        for seed in range(n)
    ]  # fmt: skip
    runs = [dataclasses.replace(r, overrides=_without_sample(r.overrides)) for r in runs]
    texts = {name: [str(level) for level in levels] for name, levels in factors.items()}
    return StageRecord("s", "command", "grid", tuple(runs), (), factors=texts)


def seeds(scores, **fields):
    """variant -> scores, one a seed."""
    return [
        run(variant, score, seed=seed, **fields)
        for variant, values in scores.items()
        for seed, score in enumerate(values)
    ]


def search(scores, **fields):
    """variant -> scores, one a configuration; the first are the defaults'."""
    return [
        run(variant, score, sample=sample, **fields)
        for variant, values in scores.items()
        for sample, score in enumerate(values)
    ]


def _without_sample(overrides):
    return tuple(o for o in overrides if not o.startswith("hyperparameters."))


def comparisons(*stages):
    """Build the comparisons of stages, or of lists of runs, one list a stage."""
    return build_comparisons(
        runs
        if isinstance(runs, StageRecord)
        else StageRecord("s", "command", f"stage{i}", tuple(runs), ())
        for i, runs in enumerate(stages)
    )


def claim_outcome(name, *stages):
    """Return a claim's outcome on lists of runs."""
    return next(found for found in assess_claims(comparisons(*stages)) if found.name == name)


def normal(mean, sd, n):
    """n scores of exactly this mean and standard deviation, at a normal's quantiles."""
    values = np.array([NormalDist().inv_cdf((i + 0.5) / n) for i in range(n)])
    return mean + sd * values / values.std(ddof=1)
