from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from bench.stats import share_difference


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1),
        ((10, 10, 0, 10), 0.6075, 1),
    ],
)
def test_difference_of_shares_in_newcombes_examples(counts, low, high):
    """Newcombe 1998, table II, method 10, at 95 %."""
    assert share_difference(*counts, confidence=0.95) == pytest.approx((low, high), abs=5e-5)


def test_difference_of_shares_of_one_trial_each_by_hand():
    """z^2 = 1: Wilson's bounds of 1 of 1 are 1/2 and 1, of 0 of 1 are 0 and 1/2."""
    confidence = 0.6826894921370859
    assert share_difference(1, 1, 0, 1, confidence=confidence) == pytest.approx((1 - 0.5**0.5, 1))
    assert share_difference(1, 1, 1, 1, confidence=confidence) == pytest.approx((-0.5, 0.5))


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.2, 0.1), (0.9, 0.3)])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_difference_of_shares_is_covered_as_often_as_said(shares, confidence):
    """Summed over all outcomes of two binomials."""
    sizes, difference = (40, 60), shares[0] - shares[1]
    chances = np.outer(*[binom.pmf(range(n + 1), n, p) for n, p in zip(sizes, shares, strict=True)])
    covered = 0.0
    for first, second in product(range(sizes[0] + 1), range(sizes[1] + 1)):
        low, high = share_difference(first, sizes[0], second, sizes[1], confidence=confidence)
        covered += chances[first, second] * (low <= difference <= high)
    assert covered == pytest.approx(confidence, abs=0.01)


@given(st.integers(1, 50), st.integers(1, 50), st.data())
def test_difference_of_shares_turns_its_sign_with_its_arguments(n_1, n_2, data):
    hits = data.draw(st.integers(0, n_1)), data.draw(st.integers(0, n_2))
    low, high = share_difference(hits[0], n_1, hits[1], n_2, confidence=0.9)
    swapped = share_difference(hits[1], n_2, hits[0], n_1, confidence=0.9)
    assert swapped == pytest.approx((-high, -low))
    assert -1 - 1e-12 <= low <= hits[0] / n_1 - hits[1] / n_2 <= high <= 1 + 1e-12


@pytest.mark.parametrize("counts", [(1, 0, 0, 1), (3, 2, 0, 1), (0, 1, -1, 4)])
def test_difference_of_shares_refuses(counts):
    with pytest.raises(ValueError, match="0 to n"):
        share_difference(*counts, confidence=0.95)
