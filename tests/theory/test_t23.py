"""T23's rule on distances that were made up, and distances known by hand."""

import numpy as np
import pytest

from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments import t23_weak_convergence
from bench.theory.experiments.t23_weak_convergence import EXPERIMENT

GONE, STAYS = [1.0, 0.01], [1.0, 0.9]


def part_results(point=GONE, escaping=STAYS, variation=1.0):
    """W1 of the first and of the last sequence, and total variation of the first two, are given."""
    far = np.ones((4, 2))
    far[:2] = variation
    return {
        "line": {
            "size": np.array([1, 1024]),
            "w1": np.array([point, GONE, STAYS, escaping]),
            "tv": far,
            "weak": np.array([GONE, GONE, STAYS, GONE]),
        }
    }


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({}, PARTLY),
        ({"escaping": GONE}, REPRODUCED),
        ({"point": STAYS}, NOT),
        ({"point": [1.0, np.nan]}, NOT),
        ({"variation": 0.5}, NOT),
    ],
)
def test_rule(given, verdict):
    assert EXPERIMENT.conclude(part_results(**given)).verdict == verdict


def test_distances_by_hand():
    settings = {"sizes": [4], "lattice": 1000, "seeds": [0]}
    found = t23_weak_convergence.measure(settings)
    assert found["w1"][[0, 2, 3], 0] == pytest.approx([0.25, 1.25, 1.0])
    assert found["tv"][:, 0] == pytest.approx([1, 1, 1, 0.25])
    assert found["weak"][3, 0] <= 2 / 4
