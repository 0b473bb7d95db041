"""T15's rule, by evidence whose verdict is known."""

import numpy as np
import pytest

from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments import t15_clipping_bias as t15


def part_results(piled, clipped, estimate=0.8):
    """Three seeds that agree; W1 is 2 and the steepest slope 1, but for clipping, 0.01."""
    found = {}
    for dataset in t15.DATASETS:
        for loss in t15.METHODS:
            scale = 0.01 if loss == "wgan" else 1.0
            share = clipped if loss == "wgan" else estimate
            found[f"{dataset} {loss}"] = {
                "estimate": 2 * scale * share * np.array([1.0, 0.99, 1.01]),
                "slope": np.full(3, scale),
                "exact": np.array(2.0),
                "piled": piled + np.array([0.0, 0.01, -0.01]),
            }
    return found


@pytest.mark.parametrize(
    ("piled", "clipped", "verdict"),
    [
        (0.8, 0.5, REPRODUCED),
        (0.8, 0.8, PARTLY),
        (0.2, 0.5, PARTLY),
        (0.2, 0.9, NOT),
        (0.505, 0.9, NOT),  # the interval holds a half
    ],
)
def test_the_rule(piled, clipped, verdict):
    assert t15.conclude(part_results(piled, clipped)).verdict == verdict


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_critic_that_diverged_is_no_evidence(broken):
    found = part_results(0.8, 0.5)
    found["ring wgan_gp"]["estimate"][1] = broken
    assert t15.conclude(found).verdict == PARTLY
    found["grid wgan"]["piled"][0] = np.nan
    assert t15.conclude(found).verdict == NOT


def test_shares_are_per_unit_of_the_steepest_slope():
    assert t15._share_of_w1(part_results(0.8, 0.5)["ring wgan"])[0] == pytest.approx(0.5)


def test_a_constant_critic_has_no_share():
    arrays = {"estimate": np.zeros(1), "slope": np.zeros(1), "exact": np.array(1.0)}
    assert np.isnan(t15._share_of_w1(arrays)).all()
