"""Integers below 2^26 have exact squares and sums in float64: nothing here is approximate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.metrics.neighbours import Distances, distinct, floats
from bench.metrics.screen import Screen

WIDTH = 6


def lattice(rng, count):
    """Many ties."""
    return rng.integers(-2, 3, size=(count, WIDTH))


def clusters(rng, count):
    """Tight clusters far apart: float32 cannot tell their members from each other."""
    return 2**20 * rng.integers(0, 3, size=(count, 1)) + rng.integers(-5, 6, size=(count, WIDTH))


def outlier(rng, count):
    """One point far away moves the centre and widens every bound."""
    points = rng.integers(-100, 101, size=(count, WIDTH))
    points[0] = 2**24
    return points


def ordinary(rng, count):
    return rng.integers(-(2**12), 2**12, size=(count, WIDTH))


def exact(rows, columns):
    return np.square(rows[:, None].astype(np.int64) - columns[None].astype(np.int64)).sum(2)


SETS = st.sampled_from([lattice, clusters, outlier, ordinary])
CASE = (st.integers(0, 2**32 - 1), SETS, st.sampled_from([np.float32, np.float64]))
BYTES = st.sampled_from([1, 4000, 2**22])


@given(*CASE, BYTES, st.integers(1, 4))
def test_nearest_are_those_of_all_distances(seed, draw, dtype, max_bytes, k):
    """Equally near columns in their order; a row is not its own neighbour."""
    points = draw(np.random.default_rng(seed), 40)
    squares = exact(points, points).astype(float)
    found = Distances(points.astype(dtype), points.astype(dtype), max_bytes=max_bytes)
    for ignore in (None, np.arange(40)):
        if ignore is not None:
            squares[ignore, ignore] = np.inf
        expected = squares.argsort(axis=1, kind="stable")[:, :k]
        columns, distances = found.nearest(k, ignore=ignore)
        assert columns.tolist() == expected.tolist()
        assert distances.tolist() == np.take_along_axis(squares, expected, 1).tolist()


@given(*CASE, BYTES, st.booleans())
def test_below_is_decided_as_by_all_distances(seed, draw, dtype, max_bytes, strict):
    """Limits that are distances: every second comparison or so is a tie."""
    rng = np.random.default_rng(seed)
    rows, columns = draw(rng, 30), draw(rng, 20)
    squares = exact(rows, columns)
    of_rows = squares[np.arange(30), rng.integers(0, 20, 30)][:, None]
    of_columns = squares[rng.integers(0, 30, 20), np.arange(20)][None]
    found = Distances(rows.astype(dtype), columns.astype(dtype), max_bytes=max_bytes)
    compare = np.less if strict else np.less_equal
    for block, bounds in found.blocks():
        for limit in (of_rows[block], of_columns):
            below = found.below(block, bounds, limit, strict=strict)
            assert below.tolist() == compare(squares[block], limit).tolist()


@given(*CASE)
def test_bounds_hold_the_distance_between_them(seed, draw, dtype):
    """The room is sufficient, and wide by little more than rounding."""
    rng = np.random.default_rng(seed)
    rows, columns = draw(rng, 30), draw(rng, 20)
    screen = Screen(rows.astype(dtype), columns.astype(dtype), np.dtype(dtype))
    squares = exact(rows, columns) * screen.scale**2
    lower = screen.lower(slice(0, 30)).astype(np.float64)
    assert (lower <= squares).all()
    surely, near = screen.compare(slice(0, 30), screen.lower(slice(0, 30)), np.full((1, 20), 1e30))
    assert surely.all() and not near.any()
    largest = np.square(np.abs(np.concatenate([rows, columns]) - columns.mean(0)).max(0)).sum()
    room = 100 * np.finfo(dtype).eps * largest * screen.scale**2
    assert (squares <= lower + room).all()


@pytest.mark.parametrize(("draw", "needed"), [(clusters, True), (ordinary, False)])
def test_float64_screens_only_what_float32_cannot_tell(draw, needed):
    points = draw(np.random.default_rng(0), 2000).astype(np.float64)
    found = Distances(points, points, max_bytes=2**24)
    found.nearest(1, ignore=np.arange(2000))
    assert ("_double" in vars(found)) is needed


def test_distinct_rows_in_their_order():
    first, counts = distinct(np.array([[1.0, 2], [0, 0], [1, 2], [-0.0, 0], [2, 1], [1, 2]]))
    assert first.tolist() == [0, 1, 4]
    assert counts.tolist() == [3, 2, 1]


@pytest.mark.parametrize(
    ("dtype", "kept"), [("float32", "float32"), ("float16", "float64"), ("int64", "float64")]
)
def test_floats_are_left_as_they_are(dtype, kept):
    assert floats(np.ones((2, 2), dtype)).dtype == kept
