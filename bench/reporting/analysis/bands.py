"""Curves of several runs as one: median, lowest and highest at each step."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bench.reporting.data.records import Curve


class Band(NamedTuple):
    """All [S]; `runs` says how many curves have a value at each step."""

    steps: np.ndarray
    median: np.ndarray
    low: np.ndarray
    high: np.ndarray
    runs: np.ndarray


def band_of(curves: Sequence[Curve]) -> Band | None:
    """Over the steps at which at least half of the curves have a value; None for no curve.

    Nothing is interpolated: a run that ended early is missing from there on.
    """
    values: dict[float, list[float]] = {}
    for steps, readings in curves:
        for step, reading in zip(steps.tolist(), readings.tolist(), strict=True):
            values.setdefault(step, []).append(reading)
    kept = sorted(step for step, found in values.items() if 2 * len(found) >= len(curves))
    if not kept:
        return None
    columns = [np.asarray(values[step]) for step in kept]
    return Band(
        steps=np.asarray(kept),
        median=np.array([np.median(c) for c in columns]),
        low=np.array([c.min() for c in columns]),
        high=np.array([c.max() for c in columns]),
        runs=np.array([len(c) for c in columns]),
    )
