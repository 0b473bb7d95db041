"""T16's rule on norms that were made up, and a coupling known by hand."""

import numpy as np
import pytest

from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments import t16_gradient
from bench.theory.experiments.t16_gradient import EXPERIMENT


def part_results(off, share):
    norm = np.ones((1, 3, 10, 5))
    norm.ravel()[: int(share * norm.size)] += off
    return {
        "2 dimensions": {
            "norm": norm,
            "towards_real": np.ones_like(norm),
            "other_norm": np.full_like(norm, 0.5),
            "split": np.zeros((1, 50)),
        }
    }


@pytest.mark.parametrize(
    ("off", "share", "verdict"),
    [
        (0.0, 1.0, REPRODUCED),
        (5e-5, 1.0, REPRODUCED),
        (0.1, 0.3, PARTLY),
        (-0.1, 0.3, PARTLY),
        (0.1, 0.5, NOT),
        (np.nan, 1.0, NOT),
    ],
)
def test_rule(off, share, verdict):
    assert EXPERIMENT.conclude(part_results(off, share)).verdict == verdict


def test_all_optimal_critics_agree_on_coupled_segments():
    settings = {"dimension": 2, "points": 5, "pairs": 1, "alphas": [0.25, 0.75], "seed": 1}
    found = t16_gradient.measure(settings)
    assert np.abs(found["split"]).max() < 1e-12
    assert found["norm"] == pytest.approx(1, abs=1e-6)
    assert found["towards_real"] == pytest.approx(1, abs=1e-6)
