"""T2: its rule, and the value of the game where it is known."""

import numpy as np
import pytest

from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments.t02_value import conclude, measure

LN2 = np.log(2)


def part_results(*, off=0.0, gap=0.001):
    js = np.array([0.0, 0.3])
    exact = {"separation": np.array([0.0, 2.0]), "js": js, "furthest": np.array([0.0, 0.5])}
    exact["value"] = 2 * js - 2 * LN2 + off
    best = exact["value"][1]
    trained = {"separation": np.array(2.0), "best": best, "value": best - np.full(5, gap)}
    return {"exact": exact, "trained, 2": trained}


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({}, REPRODUCED),
        ({"gap": 0.1}, PARTLY),
        ({"gap": -0.1}, PARTLY),
        ({"gap": np.nan}, PARTLY),
        ({"off": 0.01}, NOT),
    ],
)
def test_verdicts(given, verdict):
    assert conclude(part_results(**given)).verdict == verdict


def test_equal_densities_have_minus_two_ln_2_and_distant_ones_nearly_0():
    found = measure({"separations": [0.0, 16.0]})
    assert found["value"] == pytest.approx([-1.3862943611, 0.0], abs=1e-9)
    assert found["furthest"] == pytest.approx([0.0, 0.5], abs=1e-12)
