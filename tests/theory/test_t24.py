"""T24's rule on gaps that were made up, and a problem solved by hand."""

import numpy as np
import pytest

from bench.divergences import Measure
from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments import t24_duality
from bench.theory.experiments.t24_duality import EXPERIMENT


def part_results(**gaps):
    zero = np.zeros((1, 2))
    names = ("duality", "rubinstein", "excess", "thrice")
    return {"4 points": {**{n: zero + gaps.get(n, 0.0) for n in names}, "twice": zero + 0.1}}


@pytest.mark.parametrize(
    ("gaps", "verdict"),
    [
        ({}, REPRODUCED),
        ({"excess": -0.5}, REPRODUCED),  # a bound that is not reached
        ({"excess": 1e-3}, PARTLY),
        ({"duality": np.nan}, PARTLY),
        ({"duality": -1e-8, "rubinstein": 1e-8, "excess": 1e-8, "thrice": 1e-8}, NOT),
    ],
)
def test_rule(gaps, verdict):
    assert EXPERIMENT.conclude(part_results(**gaps)).verdict == verdict


def test_half_the_mass_over_four():
    """From (0: 3/4, 4: 1/4) to (0: 1/4, 4: 3/4), cost d^2 / 2 = 8: W_2^2 / 2 = 4; least psi 0."""
    pair = [Measure(np.array([[0.0], [4.0]]), np.array(w)) for w in ([0.75, 0.25], [0.25, 0.75])]
    found = t24_duality._gaps(tuple(pair), 2, {"points": 2, "seed": 0, "trials": 3}, 0)
    assert found["duality"] == pytest.approx(0, abs=1e-15)
    assert found["profile"][20] == pytest.approx(1) and found["profile"].max() <= 1 + 1e-12
