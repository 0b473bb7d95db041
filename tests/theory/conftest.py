"""A statement of two parts that counts how often it is measured."""

import numpy as np
import pytest

import bench.theory
from bench.plotting.style import figure, render
from bench.theory.experiment import NOT, REPRODUCED, Experiment, Figure, Minutes, Result
from bench.theory.toolkit.intervals import mean_over_seeds

MEASURED: list[int] = []


def _parts(quick):
    count = 2 if quick else 3
    return {f"seed {seed}": {"seed": seed, "quick": quick} for seed in range(count)}


def _measure(settings):
    MEASURED.append(settings["seed"])
    return {"value": np.array(settings["seed"] + 0.5)}


def _judge(evidence):
    values = [float(arrays["value"]) for arrays in evidence.values()]
    number = mean_over_seeds("value, <mean>|", values, known="a half & more")
    return Result(REPRODUCED if number.value > 1 else NOT, f"It is {number.value:g}.", (number,))


def _draw(evidence):
    with figure(2.0, 1.0) as shape:
        shape.subplots().plot(range(len(evidence)))
        return [Figure("A line.", render(shape, "T98-line", "a line"), b"GIF89a")]


@pytest.fixture
def statement(monkeypatch):
    """T98, the only one there is; what was measured starts empty."""
    one = Experiment(
        id="T98",
        title="A test",
        text="A half is one.",
        source="nowhere",
        experiment="Seeds are counted.",
        rule="Reproduced: above 1.",
        version=1,
        minutes=Minutes(3, 0.2),
        parts=_parts,
        measure=_measure,
        selector=_judge,
        draw=_draw,
    )
    MEASURED.clear()
    monkeypatch.setattr(bench.theory, "statements", lambda: {"T98": one})
    return one


@pytest.fixture
def measured():
    """Seeds in the order in which they were measured."""
    return MEASURED
