"""T4: its rule, and the exact values of the counter-cases."""

import numpy as np
import pytest

from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments.t04_manifolds import (
    HALF,
    OFFSET,
    SAME,
    TILT,
    _exact_divergences,
    _w1_of_shift,
    conclude,
)

LN2 = np.log(2)


def case(js, exact, *, distance=0.001, w1=0.001):
    found = {"js": np.full(3, js), "accuracy": np.full(3, 0.99), "w1": np.full(3, w1)}
    return {**found, "distance": np.array(distance), "exact_js": exact, "exact_kl": np.inf}


def part_results(*, offset=0.69, tilt=0.69, off=0.0, w1=0.001):
    return {
        f"{OFFSET}, whitened, 0.001": case(offset, LN2, w1=w1),
        f"{OFFSET}, raw, 0.001": case(0.1, LN2),
        f"{TILT}, whitened, 0.001": case(tilt, LN2, w1=w1),
        SAME: case(0.1 + off, 0.1),
        HALF: case(0.34 + off, LN2 / 2),
    }


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({}, REPRODUCED),
        ({"tilt": 0.5}, PARTLY),
        ({"off": 0.1}, PARTLY),
        ({"w1": 0.1}, PARTLY),
        ({"offset": np.nan, "tilt": np.nan, "off": np.nan}, NOT),
    ],
)
def test_verdicts(given, verdict):
    assert conclude(part_results(**given)).verdict == verdict


def test_overlap_by_half_has_half_of_ln_2_and_infinite_kl():
    js, kl = _exact_divergences(HALF)
    assert js == pytest.approx(LN2 / 2, abs=1e-8)
    assert kl == np.inf


def test_kl_of_uniform_and_2x_is_one_less_ln_2():
    assert _exact_divergences(SAME)[1] == pytest.approx(1 - LN2, abs=1e-6)


def test_w1_of_a_translation_is_its_length():
    assert _w1_of_shift(OFFSET, 0.01, 0) == pytest.approx(0.01, abs=1e-12)
