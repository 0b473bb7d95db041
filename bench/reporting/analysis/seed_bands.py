"""Summarise curves of several runs: median, lowest and highest at each step."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bench.reporting.data.records import Curve


class SeedBand(NamedTuple):
    """Median and range of several runs' curves at S steps; all [S]."""

    steps: np.ndarray
    median: np.ndarray
    low: np.ndarray
    high: np.ndarray


def compute_band(curves: Sequence[Curve]) -> SeedBand | None:
    """Summarise curves at the steps where at least half have a value; None for no curve.

    Nothing is interpolated: a run that ended early is missing from there on.
    """
    values: dict[float, list[float]] = {}
    for steps, readings in curves:
        for step, reading in zip(steps.tolist(), readings.tolist(), strict=True):
            values.setdefault(step, []).append(reading)
    common = sorted(step for step, readings in values.items() if 2 * len(readings) >= len(curves))
    if not common:
        return None
    columns = [np.asarray(values[step]) for step in common]
    return SeedBand(
        steps=np.asarray(common),
        median=np.array([np.median(c) for c in columns]),
        low=np.array([c.min() for c in columns]),
        high=np.array([c.max() for c in columns]),
    )
