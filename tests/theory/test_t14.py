"""T14's rule, by evidence whose verdict is known."""

import numpy as np
import pytest

from bench.theory.experiment import NOT, PARTLY, REPRODUCED
from bench.theory.experiments import t14_clipping_bound as t14


def deep(factor):
    """Gradients of three seeds that change by one factor from layer to layer, going back."""
    norms = np.float64(factor) ** np.arange(11, -1, -1)
    return {"norms": np.tile(norms, (2, 3, 1)) * np.array([1.0, 1.1])[:, None, None]}


def shallow(wait, last=1.0):
    """Estimates of three seeds that jump to the last one after `wait` of ten steps."""
    steps = np.arange(1, 11)
    trace = np.where(steps >= wait, last, 0.0)[:, None] * np.ones(3)
    return {"steps": steps, "trace": trace}


def part_results(small, waits):
    found = {"deep 0.1": deep(1.5), "deep 0.01": deep(0.3), "deep GP": deep(1.0)}
    found |= {"deep 0.001": deep(small), "narrow 0.1": deep(0.9)}
    return found | {f"shallow {c:g}": shallow(w) for c, w in zip(t14.CLIPS, waits, strict=True)}


@pytest.mark.parametrize(
    ("small", "waits", "verdict"),
    [
        (0.1, (9, 5, 2), REPRODUCED),
        (0.1, (2, 5, 9), PARTLY),
        (0.9, (9, 5, 2), PARTLY),  # 0.9^11 is 0.31, no tenth
        (1.0, (5, 5, 5), NOT),
    ],
)
def test_the_rule(small, waits, verdict):
    assert t14.conclude(part_results(small, waits)).verdict == verdict


def test_what_diverged_is_neither_vanishing_nor_slow():
    found = part_results(0.1, (9, 5, 2))
    found["shallow 0.1"]["trace"][3, 0] = np.nan
    assert t14.conclude(found).verdict == PARTLY
    found["deep 0.001"]["norms"][0, 0, 0] = np.nan
    assert t14.conclude(found).verdict == NOT


def test_a_wait_counts_from_where_the_estimate_stays():
    back = {"steps": np.arange(1, 5), "trace": np.array([[1.0], [0.5], [1.0], [1.0]])}
    assert t14.steps_to_last_estimate(back) == [3]
    assert t14.steps_to_last_estimate(shallow(4)).tolist() == [4, 4, 4]
    assert np.isinf(t14.steps_to_last_estimate(shallow(4, last=-1.0))).all()


def test_the_ratio_is_of_first_to_last_layer():
    assert t14._log_first_over_last(deep(0.1)) == pytest.approx(np.full(3, -11.0))
