"""T17's rule, by evidence whose verdict is known, and its premise where it can be derived."""

import numpy as np
import pytest

from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments import t17_penalties as t17


def part_results(spread, drift, along=0.4):
    """Four seeds; spread of LP's errors and their drift over the weights, where GP's are 1."""
    found = {}
    for loss, size, moved in (("wgan_gp", 1.0, 1.0), ("wgan_lp", spread, drift)):
        for place, weight in enumerate(t17.WEIGHTS):
            seeds = 0.01 * size * np.array([-1.0, -0.9, 0.9, 1.0])
            errors = moved * place + seeds
            found[f"{loss} {weight:g}"] = {
                "estimates": 2 + np.tile(errors, (3, 1)),
                "exact": np.array(2.0),
            }
    slopes = {"optimal": np.ones(5), "independent": np.full(25, along)}
    return {**found, "premise": {**slopes, "lengths": np.array([1.0, 2.0])}}


@pytest.mark.parametrize(
    ("spread", "drift", "along", "verdict"),
    [
        (0.1, 0.1, 0.4, REPRODUCED),
        (2.0, 0.1, 0.4, PARTLY),
        (0.1, 2.0, 0.4, PARTLY),
        (1.0, 1.0, 1.0, NOT),
    ],
)
def test_the_rule(spread, drift, along, verdict):
    assert t17.conclude(part_results(spread, drift, along)).verdict == verdict


def test_a_critic_that_diverged_is_neither_steady_nor_sure():
    found = part_results(0.1, 0.1, along=1.0)
    found["wgan_gp 10"]["estimates"][-1, 0] = np.inf
    assert t17.conclude(found).verdict == NOT


def test_ratios_are_of_lp_over_gp():
    ratio, moved = t17._lp_over_gp(
        {
            "wgan_gp": t17._estimate_errors(part_results(0.5, 0.25), "wgan_gp"),
            "wgan_lp": t17._estimate_errors(part_results(0.5, 0.25), "wgan_lp"),
        }
    )
    assert ratio.value == pytest.approx(0.5)
    assert moved.value == pytest.approx(0.25)


def test_an_optimal_critic_has_slope_1_along_optimal_pairs_alone():
    found = t17.measure_premise(20)
    assert found["optimal"] == pytest.approx(np.ones(20), abs=1e-6)
    assert np.abs(found["independent"]).max() <= 1 + 1e-6
    assert found["lengths"][0] < found["lengths"][1]
