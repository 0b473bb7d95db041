"""Read a run's training history: losses over steps, and scores of its checkpoints."""

import csv
import io
import math
import os

import numpy as np

from bench.core.errors import UserError
from bench.core.files import read_text
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
    path, fix = folder.history, "move it away and run the run again"
    if not os.path.lexists(path):
        return []
    try:
        lines = io.StringIO(read_text(path, fix), newline="")
        readings = [
            (name, float(reading["step"]), float(reading[name]))
            for reading in csv.DictReader(lines)
            for name in (*LOSSES, "frechet")  # the last in a run that was restored from a report
            if reading.get(name)
        ]
        if not all(math.isfinite(step) for _, step, _ in readings):
            raise ValueError("a step that is not finite")
        return readings
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise UserError(f"{path} is not a history of losses: {error!r}", fix=fix) from error
