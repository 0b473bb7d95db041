"""T11's rule on networks that are written down."""

import numpy as np
import pytest

from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments.t11_two_gaussians import (
    CLIPPED,
    DISCRIMINATOR,
    PENALISED,
    X,
    conclude,
    distance_from_optimum,
    losses_and_slopes,
    optimal_logit,
    remaining_slope,
    smallest_slope_share,
)

STRAIGHT = {"logit": X, "slope": np.ones_like(X)}
BENT = {"logit": -np.abs(X), "slope": -np.sign(X)}
FLAT = {"logit": 0.01 * X, "slope": np.full_like(X, 0.01)}  # D does not saturate
BROKEN = {"logit": np.full_like(X, np.nan), "slope": np.full_like(X, np.nan)}


def part_results(discriminator, clipped, penalised):
    nets = {DISCRIMINATOR: discriminator, CLIPPED: clipped, PENALISED: penalised}
    return {f"{net}, seed {seed}": arrays for net, arrays in nets.items() for seed in range(3)}


@pytest.mark.parametrize(
    ("nets", "verdict"),
    [
        ((optimal_logit(), STRAIGHT, STRAIGHT), REPRODUCED),
        ((optimal_logit(), STRAIGHT, BENT), PARTLY),
        ((FLAT, STRAIGHT, STRAIGHT), PARTLY),
        ((FLAT, BENT, BENT), NOT),
        ((BROKEN, BROKEN, BROKEN), NOT),
    ],
)
def test_the_rule(nets, verdict):
    assert conclude(part_results(*nets)).verdict == verdict


def test_slopes_of_the_optimal_discriminator():
    """At x = -2 the logit is -8: D' = 4 s(-8) s(8) of its largest 1, and -ln D keeps 4 of 4."""
    small = 1 / (1 + np.exp(8))
    of = losses_and_slopes(optimal_logit())
    assert remaining_slope(of["D"][1]) == pytest.approx(4 * small * (1 - small), rel=1e-9)
    assert remaining_slope(of["ln(1 - D)"][1]) == pytest.approx(small, rel=1e-9)
    assert remaining_slope(of["-ln D"][1]) == pytest.approx(1)


def test_slopes_are_those_of_the_values():
    for name, (value, slope) in losses_and_slopes(optimal_logit()).items():
        assert np.gradient(value, X)[1:-1] == pytest.approx(slope[1:-1], abs=0.01), name


def test_the_optimum_has_no_distance():
    assert distance_from_optimum(DISCRIMINATOR, optimal_logit()) == 0
    assert distance_from_optimum(PENALISED, STRAIGHT) == pytest.approx(0, abs=1e-4)
    assert smallest_slope_share(BENT["slope"]) == -1
