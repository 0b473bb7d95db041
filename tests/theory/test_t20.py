"""T20's rule on scans that were made up."""

import numpy as np
import pytest

from bench.divergences import Mixture, fit_reverse_kl
from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments.t20_modes import EXPERIMENT

AT = np.array([0.0, 3.0, 6.0])


def part_results(mean=6.0, middle=2.0, error=0.0):
    """Fits at three separations: JS's deviation and reverse KL's last mean are given."""
    moments = np.array([[0.0, 0.6, 1.2], [1.0, 3.0, 6.0]])
    one = {
        "separation": AT,
        "mean": np.array([moments[0] + error, [0.0, 3.0, mean], [0.0, 0.6, 6.0]]),
        "deviation": np.array([moments[1], [1.0, 1.0, 1.0], [1.0, middle, 1.0]]),
        "moments": moments,
        "onset": np.array([np.nan, 2.8, 4.24]),
    }
    return {"weight 0.5": one, "weight 0.6": one}


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({}, REPRODUCED),
        ({"mean": 1.2}, PARTLY),  # reverse KL stays in the middle
        ({"middle": 3.5}, PARTLY),  # JS spreads wider than forward KL
        ({"middle": np.nan}, PARTLY),
        ({"mean": -6.0, "middle": 0.5, "error": 0.01}, NOT),  # the smaller mode is not the larger
    ],
)
def test_rule(given, verdict):
    assert EXPERIMENT.conclude(part_results(**given)).verdict == verdict


def test_reverse_kl_leaves_the_middle_between_2_75_and_2_85():
    near, far = (Mixture([0.5, 0.5], [a, -a], [1.0, 1.0]) for a in (2.75, 2.85))
    assert fit_reverse_kl(near).mean == pytest.approx(0, abs=1e-3)
    assert abs(fit_reverse_kl(far).mean) == pytest.approx(2.85, abs=0.05)
