"""T3: its rule, and the distances of lattices."""

import numpy as np
import pytest

from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments.t03_parallel_lines import conclude, measure

LN2 = np.log(2)


def part_results(*, off=0.0, js=LN2, w1=0.0):
    closed = np.array([[0.0, 0.0, 0.0, 0.0], [1.0, np.inf, LN2, 1.0]])
    thetas, every = np.array([0.0, 1.0]), np.ones((2, 4))
    samples = {
        "thetas": thetas,
        "widths": np.array([0.1]),
        "points": np.array(400),
        "tv": every,
        "kl": every * np.inf,
        "js": every * js,
        "w1": thetas[:, None] + 0.02 + w1 * every,
        "binned": np.ones((2, 4, 1)),
    }
    exact = {"thetas": thetas, "closed": closed, "lattice": closed + off}
    classifier = {"theta": np.array(1.0), "js": np.array([0.6, np.nan])}
    return {"exact": exact, "samples": samples, "classifier, 1": classifier}


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({}, REPRODUCED),
        ({"js": 0.1}, PARTLY),
        ({"w1": 0.1}, PARTLY),
        ({"off": 0.1, "js": 0.1, "w1": -0.1}, NOT),
        ({"off": np.nan, "js": np.nan, "w1": np.nan}, NOT),
    ],
)
def test_verdicts(given, verdict):
    assert conclude(part_results(**given)).verdict == verdict


def test_lattices_have_the_listed_values():
    found = measure({"thetas": [-0.3, 0.0], "points": 8})["lattice"]
    assert found[0] == pytest.approx([1, np.inf, LN2, 0.3], abs=1e-12)
    assert found[1].tolist() == [0, 0, 0, 0]
