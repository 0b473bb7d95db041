"""What a run kept of its training: losses over steps, and its checkpoints' scores."""

import csv
import math

import numpy as np

from bench.core.errors import UserError
from bench.reporting.data.records import Curve
from bench.runs.candidates import read_candidates
from bench.runs.folder import RunFolder

POINTS = 100  # of one curve, at most; more cannot be seen
LOSSES = ("d_loss", "g_loss")


def read_history(folder: RunFolder) -> dict[str, Curve]:
    """Steps and finite values of each loss and of the scored checkpoints' Frechet distance.

    Raises:
        UserError: a file is damaged.
    """
    readings = _losses(folder)
    steps = read_candidates(folder.candidates).steps
    readings += [("frechet", float(s["d_steps"]), _number(s["frechet"])) for s in steps]
    curves = {}
    for name in (*LOSSES, "frechet"):
        pairs = [(s, v) for found, s, v in readings if found == name and math.isfinite(v)]
        if pairs:
            kept = pairs[:: -(-len(pairs) // POINTS)]
            curves[name] = _curve(kept if kept[-1] == pairs[-1] else [*kept, pairs[-1]])
    return curves


def _losses(folder: RunFolder) -> list[tuple[str, float, float]]:
    path = folder.history
    if not path.is_file():
        return []
    try:
        with open(path, encoding="utf-8", newline="") as lines:
            return [
                (name, float(line["step"]), float(line[name]))
                for line in csv.DictReader(lines)
                for name in LOSSES
                if line.get(name)
            ]
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise UserError(
            f"{path} is no history of losses: {error!r}", fix="move it away and run the run again"
        ) from error


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _curve(pairs: list[tuple[float, float]]) -> Curve:
    steps, values = np.array(pairs).T
    return steps, values
