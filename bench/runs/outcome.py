"""Say in words what became of a run: its scores beside those of real data, what is wrong."""

import math
from collections.abc import Mapping
from pathlib import Path

from bench.metrics.declarations import read_declarations
from bench.runs.rows import Row, baseline_folder, read_rows, sort_for_display

ALIKE = 0.5  # of the way from the similarity of two real images to 1, that of one image twice
COUNTS = {"modes_covered": "modes", "classes_covered": "classes"}
KNOWN = 0.5  # a generator's class accuracy as a share of that of real data
LEARNED = 0.5  # a trained generator's distance as a share of the untrained one's


def real_scores(root: Path, row: Row) -> dict[str, float]:
    """Return the scores of real data under a row's protocol; empty where they do not exist."""
    rows = read_rows(root, [baseline_folder(row)])
    return {k: v for r in rows if r.variant == "real" for k, v in r.scores.items()}


def score_table(row: Row, real: Mapping[str, float]) -> list[str]:
    """Return a line for each score: name, the run's, that of real data, which side is better."""
    width = max(map(len, row.scores), default=0)
    lines = [f"  {'':<{width}} {'this run':>10} {'real data':>10}"]
    for name, value in sort_for_display(row.scores).items():
        other = f"{real[name]:.4f}" if name in real else "-"
        is_target = name in read_declarations()["TARGETS"]
        better = "as real data is best" if is_target else f"{row.directions[name]} is better"
        lines.append(f"  {name:<{width}} {value:>10.4f} {other:>10}  {better}")
    return lines


def faults(row: Row, real: Mapping[str, float], untrained: float | None = None) -> list[str]:
    """Return clauses that say what is wrong with a run's samples; empty if nothing is.

    Args:
        real: scores of real data.
        untrained: Frechet distance of the generator before training, like the row's; None where it
            is not known.
    """
    found, scores = [], row.scores
    for name, what in COUNTS.items():
        if scores.get(name, math.inf) < real.get(name, 0):
            found.append(f"{scores[name]:.0f} of {real[name]:.0f} {what}")
    accuracy, of_real = scores.get("class_accuracy", math.inf), real.get("class_accuracy", 0.0)
    if accuracy < KNOWN * of_real:
        found.append(f"only {accuracy:.0%} of the samples are of the class that was asked for")
    for name in ("ssim", "ms_ssim"):
        if scores.get(name, -1.0) > real.get(name, 1.0) + ALIKE * (1 - real.get(name, 1.0)):
            found.append("all samples alike")
    if untrained is not None and scores.get("frechet", 0.0) > LEARNED * untrained:
        hardly = "hardly" if scores["frechet"] < untrained else "no"
        found.append(
            f"{hardly} better than the untrained generator (Frechet distance "
            f"{scores['frechet']:.4g} against {untrained:.4g}): probably too few steps, or a rate "
            "that does not suit them"
        )
    return found
