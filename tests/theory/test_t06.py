"""T6's rule on made spreads, and the tail index of laws that have one."""

import numpy as np
import pytest

from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments.t06_unstable_gradient import (
    conclude,
    describe_spread,
    growth,
    hill_index,
    tail_of_law,
)


def result(norm, iqr):
    made = {name: np.array([1.0, 1.0]) for name in ("median", "tail", "variance")}
    return made | {
        "step": np.array([30, 2000]),
        "norm": np.array([1.0, norm]),
        "iqr": np.array([1.0, iqr]),
        "norms": np.ones((4, 2)),
    }


@pytest.mark.parametrize(
    ("norm", "iqr", "verdict"),
    [
        (3.0, 5.0, REPRODUCED),
        (0.5, 1.2, REPRODUCED),
        (1e-3, 5.0, PARTLY),
        (3.0, 0.5, PARTLY),
        (1e-3, 0.5, NOT),
        (np.nan, np.inf, NOT),
        (0.0, 0.0, NOT),
    ],
)
def test_the_rule(norm, iqr, verdict):
    made = {f"stage 1, seed {i}": result(norm * (1 + i / 50), iqr) for i in range(4)}
    assert conclude(made).verdict == verdict


def test_hill_finds_the_index_of_a_pareto():
    u = np.random.default_rng(0).uniform(size=200_000)
    assert hill_index(u ** (-1 / 1.5)) == pytest.approx(1.5, rel=0.03)


def test_a_cauchy_has_the_heavier_tail():
    assert tail_of_law("Cauchy", 16) < 1.3 < 2 < tail_of_law("normal", 16)


def test_spread_of_coordinates_is_their_own():
    values = np.array([[0.0, 10.0], [1.0, 10.0], [2.0, 10.0], [3.0, 10.0], [4.0, 10.0]])
    found = describe_spread(values)
    assert found["iqr"] == 1.0  # of 2 and 0
    assert found["median"] == 6.0  # of 2 and 10
    assert found["variance"] == 1.25


def test_growth_is_in_orders_of_magnitude():
    assert growth(result(100.0, 1.0), "norm") == pytest.approx(2)
