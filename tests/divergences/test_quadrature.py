from math import e, inf, log, pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.divergences.quadrature import CELLS, integrate


@pytest.mark.parametrize(
    ("function", "low", "high", "expected"),
    [
        (np.exp, 0, 1, e - 1),
        (np.sin, 0, pi, 2),
        (np.log, 0, 1, -1),
        (lambda x: np.exp(-(x**2)), -9, 30, pi**0.5),
        (lambda x: 0 * x, -1, 1, 0),
    ],
)
def test_known_integrals(function, low, high, expected):
    value, error = integrate(function, low, high)
    assert value == pytest.approx(expected, abs=1e-10)
    assert error < 1e-9


@settings(max_examples=40, deadline=None)
@given(st.floats(0.01, 0.99))
def test_a_kink_and_a_jump_anywhere(place):
    """int |x - c| = (c^2 + (1 - c)^2) / 2; int [x > c] = 1 - c."""
    kink = integrate(lambda x: np.abs(x - place), 0, 1)
    assert kink.value == pytest.approx((place**2 + (1 - place) ** 2) / 2, abs=1e-10)
    jump = integrate(lambda x: (x > place) * 1.0, 0, 1)
    assert jump.value == pytest.approx(1 - place, abs=1e-10)


@pytest.mark.parametrize("offset", [1e-7, 1e-4, 1e-3, 0.004, 0.996, 0.999, 1])
def test_a_kink_and_a_jump_before_a_cells_first_node(offset):
    """The first of ten nodes is at 0.013 of a cell: both rules would agree on the wrong value."""
    place = (100 + offset) / CELLS
    kink = integrate(lambda x: np.abs(x - place), 0, 1)
    assert kink.value == pytest.approx((place**2 + (1 - place) ** 2) / 2, abs=1e-10)
    jump = integrate(lambda x: (x > place) * 1.0, 0, 1)
    assert jump.value == pytest.approx(1 - place, abs=1e-10)


def test_large_values_end():
    """Rounding of 1e9 is above any absolute tolerance: no endless halving."""
    assert integrate(lambda x: 1e9 * np.exp(x), 0, 1).value == pytest.approx(
        1e9 * (e - 1), rel=1e-13
    )


def test_infinity():
    assert integrate(lambda x: np.where(x < 0.5, inf, 0), 0, 1).value == inf


@pytest.mark.parametrize(("low", "high"), [(1, 0), (0, 0), (0, inf), (np.nan, 1)])
def test_no_interval(low, high):
    with pytest.raises(ValueError, match="low < high"):
        integrate(np.exp, low, high)


def test_refuses():
    with pytest.raises(ValueError, match="NaN"):
        integrate(lambda x: x * np.nan, 0, 1)
    with pytest.raises(ValueError, match="a number for each"):
        integrate(lambda x: log(2), 0, 1)
