import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.metrics import moments as module
from bench.metrics.moments import Moments, moments

SEEDS = st.integers(0, 2**32 - 1)


def assert_equal(first, second, scale=1.0):
    """Means and scatters to 1e-12 of the size of what was added up."""
    assert first.count == second.count
    np.testing.assert_allclose(first.mean, second.mean, rtol=0, atol=1e-12 * scale)
    size = np.trace(second.scatter)
    np.testing.assert_allclose(first.scatter, second.scatter, rtol=0, atol=1e-12 * size)


def test_divide_by_n_minus_one_in_float64():
    mean, cov = moments(np.array([[0, 0], [2, 4]], dtype=np.float32))
    assert mean.tolist() == [1, 2] and cov.tolist() == [[2, 4], [4, 8]]
    assert mean.dtype == cov.dtype == np.float64


def test_merging_by_hand():
    """0, 2 and 10: means 1 and 10, scatters 2 and 0; 9^2 * 2 * 1 / 3 comes from between."""
    left, right = Moments.of(np.array([[0.0], [2.0]])), Moments.of(np.array([[10.0]]))
    assert (left.count, left.mean, left.scatter) == (2, 1, 2)
    assert (right.count, right.mean, right.scatter) == (1, 10, 0)
    whole = left.merge(right)
    assert (whole.count, whole.mean, whole.scatter) == (3, 4, 56)
    assert whole.covariance == 28


@given(SEEDS, st.lists(st.integers(0, 30), max_size=6), st.sampled_from([0.0, 1.0, 1e3]))
def test_any_partition_equals_the_whole(seed, sizes, offset):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(sum(sizes), 4)) @ rng.normal(size=(4, 4)) + offset
    parts = [Moments.of(part) for part in np.split(rows, np.cumsum(sizes))]
    whole, forth, back = Moments.of(rows), parts[0], parts[-1]
    for part in parts[1:]:
        forth = forth.merge(part)
    for part in parts[-2::-1]:
        back = part.merge(back)
    assert_equal(forth, whole, offset + 10)
    assert_equal(back, whole, offset + 10)


@pytest.mark.parametrize("rows_of_a_block", [1, 7, 99, 100, 101])
def test_blocks_equal_numpys_covariance(monkeypatch, rows_of_a_block):
    rows = np.random.default_rng(0).normal(size=(100, 5)).astype(np.float32) * 3 + 1
    monkeypatch.setattr(module, "BLOCK_BYTES", 8 * 5 * rows_of_a_block)
    mean, cov = moments(rows)
    exact = rows.astype(np.float64)
    np.testing.assert_allclose(mean, exact.mean(0), rtol=1e-14)
    np.testing.assert_allclose(cov, np.cov(exact.T), rtol=1e-13)


def test_a_large_mean_cancels_nothing(monkeypatch):
    """Integers, whose sums of squares about 1e9 do not fit float64 and whose variance is 8.25."""
    monkeypatch.setattr(module, "BLOCK_BYTES", 8 * 37)
    rows = np.tile(np.arange(10.0), 100)[:, None] + 1e9
    found = Moments.of(rows)
    assert found.mean == pytest.approx(1e9 + 4.5, abs=1e-6)
    assert found.scatter / found.count == pytest.approx(8.25, rel=1e-9)


def test_chosen_rows(monkeypatch):
    monkeypatch.setattr(module, "BLOCK_BYTES", 8 * 3 * 4)
    rows = np.random.default_rng(0).normal(size=(50, 3))
    chosen = np.random.default_rng(1).permutation(50)[:17]
    assert_equal(Moments.of(rows, chosen), Moments.of(rows[chosen]))


def test_never_holds_all_rows_in_double_precision(monkeypatch):
    bound = 2**20
    monkeypatch.setattr(module, "BLOCK_BYTES", bound)
    rows = np.random.default_rng(0).normal(size=(200_000, 16)).astype(np.float32)
    tracemalloc.start()
    moments(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * bound  # all of them would take 24 of it


def test_constant_features_have_no_variance():
    mean, cov = moments(np.full((9, 2), 0.1))
    assert mean == pytest.approx([0.1, 0.1]) and np.abs(cov).max() < 1e-30


@pytest.mark.parametrize("bad", [np.zeros((1, 3)), np.zeros(3), np.full((4, 3), np.nan)])
def test_refuse(bad):
    with pytest.raises(ValueError, match="moments"):
        moments(bad)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_name_the_row_that_is_not_finite(monkeypatch, bad):
    monkeypatch.setattr(module, "BLOCK_BYTES", 8 * 3 * 4)
    rows = np.zeros((20, 3), dtype=np.float32)
    rows[13, 1] = rows[15, 0] = bad
    with pytest.raises(ValueError, match="NaN or infinity, first in row 13"):
        moments(rows)


def test_different_widths_do_not_merge():
    with pytest.raises(ValueError, match="widths 2 and 3"):
        Moments.of(np.zeros((2, 2))).merge(Moments.of(np.zeros((2, 3))))
