"""Contrasts of factorial experiments against sums made by hand, and intervals of known values."""

import numpy as np
import pytest
from scipy import stats as scipy_stats

from bench.stats import DIFFERENT, EQUIVALENT, UNDECIDED, Interval, compare, contrast, t_interval


def test_contrasts_of_a_known_model_are_its_coefficients():
    """y = 1 a1 + 2 a2 + 4 b + 8 a2 b, in three repetitions that add 0, 10 and 20."""
    y = np.zeros((3, 2, 3))
    for a in range(3):
        for b in range(2):
            y[a, b] = (a == 1) + 2 * (a == 2) + 4 * b + 8 * (a == 2) * b + np.array([0, 10, 20])
    assert contrast(y, {0: 1}).tolist() == [1, 1, 1]
    assert contrast(y, {0: 2}).tolist() == [6, 6, 6]  # 2, and half of 8
    assert contrast(y, {1: 1}).tolist() == pytest.approx([4 + 8 / 3] * 3)
    assert contrast(y, {0: 2, 1: 1}).tolist() == [8, 8, 8]
    assert contrast(y, {0: 1, 1: 1}).tolist() == [0, 0, 0]


@pytest.mark.parametrize("levels", [{}, {2: 1}, {0: 0}, {0: 3}, {-1: 1}])
def test_contrast_refuses_what_is_not_there(levels):
    with pytest.raises(ValueError, match="contrast"):
        contrast(np.zeros((3, 2, 5)), levels)


def test_t_interval_of_three_numbers():
    """Mean 2, s 1: 2 +- 4.302653 / sqrt(3), the quantile of Student with 2 degrees."""
    found = t_interval([1.0, 2.0, 3.0], level=0.95)
    assert found.value == 2 and found.high == pytest.approx(2 + 4.3026527297 / 3**0.5)
    reference = scipy_stats.t.interval(0.9, 4, loc=0.5, scale=scipy_stats.sem([0, 1, 0, 1, 0.5]))
    assert t_interval([0, 1, 0, 1, 0.5], level=0.9)[1:] == pytest.approx(reference)


@pytest.mark.parametrize("values", [[1.0], [1.0, np.inf], []])
def test_t_interval_refuses(values):
    with pytest.raises(ValueError, match="t_interval"):
        t_interval(values, level=0.95)


@pytest.mark.parametrize(
    ("low", "high", "kind"),
    [
        (-0.1, 0.1, EQUIVALENT),
        (0.01, 0.1, EQUIVALENT),  # surely not 0, and surely of no matter
        (0.1, 0.9, DIFFERENT),
        (-0.9, -0.6, DIFFERENT),
        (-0.1, 0.9, UNDECIDED),
        (-0.5, 0.1, UNDECIDED),  # the margin itself is outside
    ],
)
def test_compare(low, high, kind):
    assert compare(Interval((low + high) / 2, low, high), 0.5) == kind


def test_compare_refuses_a_negative_margin():
    with pytest.raises(ValueError, match="margin"):
        compare(Interval(0, -1, 1), -0.1)
