"""An experiment of two or three parts that records how often it is measured."""

import numpy as np
import pytest

from bench.plotting.style import figure, render
from bench.theory import catalogue
from bench.theory.experiment import NOT, REPRODUCED, CpuMinutes, Experiment, Figure, Result
from bench.theory.toolkit.intervals import mean_over_seeds

MEASURED: list[int] = []


def _parts(quick):
    count = 2 if quick else 3
    return {f"seed {seed}": {"seed": seed, "quick": quick} for seed in range(count)}


def _measure(settings):
    MEASURED.append(settings["seed"])
    return {"value": np.array(settings["seed"] + 0.5)}


def _conclude(results):
    values = [float(arrays["value"]) for arrays in results.values()]
    number = mean_over_seeds("value, <mean>|", values, expected="a half & more")
    return Result(REPRODUCED if number.value > 1 else NOT, f"It is {number.value:g}.", (number,))


def _draw(results):
    with figure(2.0, 1.0) as shape:
        shape.subplots().plot(range(len(results)))
        return [Figure("A line.", render(shape, "T98-line", "a line"), b"GIF89a")]


@pytest.fixture
def experiment(monkeypatch):
    """T98, the only experiment in the catalogue; the record of what was measured starts empty."""
    one = Experiment(
        id="T98",
        title="A test",
        statement="A half is one.",
        source="nowhere",
        setup="Seeds are counted.",
        rule="Reproduced: above 1.",
        version=1,
        minutes=CpuMinutes(3, 0.2),
        parts=_parts,
        measure=_measure,
        conclude=_conclude,
        draw=_draw,
    )
    MEASURED.clear()
    monkeypatch.setattr(catalogue, "experiments_by_id", lambda: {"T98": one})
    return one


@pytest.fixture
def measured():
    """List the seeds in the order in which they were measured."""
    return MEASURED
