"""Read a run's training history: losses over steps, and scores of its checkpoints."""

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
    """Read steps and finite values of each loss and of the checkpoints' Frechet distances.

    Raises:
        UserError: a file is damaged.
    """
    readings = _read_losses(folder)
    scored = [c for c in read_candidates(folder.candidates).checkpoints if c["frechet"] is not None]
    readings += [("frechet", float(c["d_steps"]), float(c["frechet"])) for c in scored]
    curves: dict[str, Curve] = {}
    for name in (*LOSSES, "frechet"):
        points = [(step, v) for curve, step, v in readings if curve == name and math.isfinite(v)]
        if points:
            thinned = points[:: -(-len(points) // POINTS)]
            last = [] if thinned[-1] == points[-1] else points[-1:]
            curves[name] = tuple(np.array(thinned + last).T)
    return curves


def _read_losses(folder: RunFolder) -> list[tuple[str, float, float]]:
    path = folder.history
    if not path.is_file():
        return []
    try:
        with open(path, encoding="utf-8", newline="") as lines:
            return [
                (name, float(reading["step"]), float(reading[name]))
                for reading in csv.DictReader(lines)
                for name in LOSSES
                if reading.get(name)
            ]
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        fix = "move it away and run the run again"
        raise UserError(f"{path} is not a history of losses: {error!r}", fix=fix) from error
