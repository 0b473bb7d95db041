"""Build runs and stages in memory from scores, to test the rules of claims on."""

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
    model="gan", protocol=None, details=None, metric="frechet",
):  # fmt: skip
    """Build a run with its final row; score=None is one that diverged."""
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
    return RunRecord(
        run_id, variant, dataset, seed, sample, overrides, status, "", {"d_steps": 40}, {}, (row,)
    )


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


def comparisons(*stages):
    """Build the comparisons of lists of runs, one list a stage."""
    return build_comparisons(
        [StageRecord("s", "command", f"stage{i}", tuple(runs), ()) for i, runs in enumerate(stages)]
    )


def claim_outcome(name, *stages):
    """Return a claim's outcome on lists of runs."""
    return next(found for found in assess_claims(comparisons(*stages)) if found.name == name)


def normal(mean, sd, n):
    """n scores of exactly this mean and standard deviation, at a normal's quantiles."""
    values = np.array([NormalDist().inv_cdf((i + 0.5) / n) for i in range(n)])
    return mean + sd * values / values.std(ddof=1)
