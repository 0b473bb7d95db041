"""T10's rule on made paths, and the segments' closed form."""

from math import log

import numpy as np
import pytest

from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments.t10_continuity import conclude, kink, measure, smooth_share

LN2 = log(2)


def path(*, excess=0.0, shrunk=0.01, js=LN2, right=1.0):
    return {
        "excess": np.array([0.0, excess]),
        "jump": np.array([0.1, 0.1 * shrunk]),
        "js_jump": np.array([LN2, js]),
        "left": np.array([-1.0, 1.0, 1.0]),
        "right": np.array([1.0, right, right]),
        "speed": np.ones(3),
    }


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (path(), REPRODUCED),
        (path(excess=0.1), PARTLY),
        (path(js=0.0), PARTLY),
        (path(right=0.5), PARTLY),
        (path(shrunk=1.0, js=0.0, right=np.nan), NOT),
        (path(excess=np.nan, js=np.nan, right=np.nan), NOT),
    ],
)
def test_the_rule(made, verdict):
    assert conclude({"path, seed 0": made, "segments": made}).verdict == verdict


@pytest.mark.parametrize("broken", [{"excess": np.nan}, {"shrunk": np.nan}, {"js": np.nan}])
def test_one_path_with_nan_is_not_outvoted(broken):
    assert conclude({"path, seed 0": path(), "segments": path(**broken)}).verdict == PARTLY


def test_segments_have_w1_of_the_distance_and_js_of_ln_2():
    """Arjovsky et al. 2017, example 1: |t| and ln 2, but for 0 at t = 0."""
    small = {"samples": 8, "places": 4, "width": 2, "depth": 1, "binned": 50}
    found = measure({"net": "segments", "seed": 0, **small})
    assert found["w1"] == pytest.approx(np.abs(found["t"]))
    assert found["js"] == pytest.approx(np.where(found["t"] == 0, 0, LN2))
    assert smooth_share(found) == 1
    assert kink(found) == pytest.approx(2)
