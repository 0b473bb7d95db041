import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import ortho_group

from bench.metrics.memorisation import Spacings, memorised

BYTES = 2**22


def column(*values):
    return np.array(values, dtype=float)[:, None]


def by_all_distances(samples, train):
    """The definition, from all distances."""
    to_train, within = cdist(samples, train), cdist(train, train)
    np.fill_diagonal(within, np.inf)
    nearest = to_train.argmin(1)
    return nearest, to_train.min(1), within.min(1)[nearest]


def test_by_hand():
    """Training at 0, 1, 4, spaced by 1, 1, 3: at distance 0.5, 1 (no nearer), 1.5, 6."""
    found = memorised(column(0.5, -1, 5.5, 10), column(0, 1, 4), max_bytes=BYTES)
    assert found.mask.tolist() == [True, False, True, False]
    assert found.nearest.tolist() == [0, 0, 2, 2]
    assert found.distance.tolist() == [0.5, 1, 1.5, 6]
    assert found.spacing.tolist() == [1, 1, 3, 3]
    assert found.share == 0.5
    assert found.worst(3).tolist() == [0, 2, 1]  # ratios 1/2, 1/2, 1, and 2


def test_copies_of_training_samples_are_memorised():
    train = np.random.default_rng(0).normal(size=(500, 16))
    found = memorised(train[::-2], train, max_bytes=BYTES)
    assert found.share == 1
    assert found.nearest.tolist() == list(range(499, -1, -2))
    assert not found.distance.any() and found.spacing.all()


def test_a_training_sample_that_occurs_twice_is_one():
    """0 twice: its nearest other is 2, not its copy; -0.0 is 0."""
    found = memorised(column(0, 1.5), column(0, -0.0, 2, 2), max_bytes=BYTES)
    assert found.mask.all()
    assert found.nearest.tolist() == [0, 2]
    assert found.spacing.tolist() == [2, 2]


@pytest.mark.parametrize(
    ("dimensions", "share"), [(1, 2 / 3), (2, 6 * np.pi / (8 * np.pi + 27**0.5)), (3, 16 / 27)]
)
def test_held_out_samples_have_the_share_of_reflexive_neighbours(dimensions, share):
    """Cox 1981 (Biometrics 37, 367): a point is the nearest one of its nearest neighbour.

    Uniform points on a line, in the plane (Clark and Evans 1955) and in space: 1 / (2 - s), s the
    share that the ball around a neighbour has in common with the ball around the point.
    """
    rng = np.random.default_rng(0)
    samples, train = rng.uniform(size=(2, 10_000, dimensions))
    found = memorised(samples, train, max_bytes=BYTES)
    assert found.share == pytest.approx(share, abs=0.015)  # 3 standard errors


def test_generated_samples_next_to_training_samples_stand_out_from_held_out_ones():
    rng = np.random.default_rng(0)
    train, held_out, again = rng.normal(size=(3, 1500, 16))
    near = train[:1000] + 0.1 * rng.normal(size=(1000, 16))
    shares = [memorised(x, train, max_bytes=BYTES).share for x in (near, held_out, again)]
    assert shares[0] > 0.99
    assert shares[1] == pytest.approx(shares[2], abs=0.05)  # 3 standard errors
    assert shares[1] < 0.4


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.sampled_from(["float32", "float64"]))
def test_equals_all_distances_in_any_order_and_rotation(seed, dimensions, dtype):
    rng = np.random.default_rng(seed)
    samples = rng.normal(size=(20, dimensions)).astype(dtype)
    train = rng.normal(size=(30, dimensions)).astype(dtype)
    nearest, distance, spacing = by_all_distances(samples.astype(float), train.astype(float))
    found = memorised(samples, train, max_bytes=1000)
    assert found.nearest.tolist() == nearest.tolist()
    assert found.distance == pytest.approx(distance)
    assert found.spacing == pytest.approx(spacing)
    assert found.mask.tolist() == (distance < spacing).tolist()

    order = rng.permutation(len(train))
    moved = memorised(samples, train[order], max_bytes=BYTES)
    assert order[moved.nearest].tolist() == nearest.tolist()
    assert all(
        np.array_equal(getattr(moved, key), getattr(found, key)) for key in ("mask", "distance")
    )

    rotation = ortho_group.rvs(dimensions, random_state=rng) if dimensions > 1 else -np.eye(1)
    turned = memorised(samples @ rotation, train @ rotation, max_bytes=BYTES)
    assert turned.nearest.tolist() == nearest.tolist()
    assert turned.spacing == pytest.approx(spacing, rel=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kept_spacings_change_no_bit_and_only_those_that_were_needed_are_there(dtype):
    rng = np.random.default_rng(0)
    train = rng.normal(size=(300, 5)).astype(dtype)
    train[::7] = train[1]  # copies: 257 are different
    spacings = Spacings.of(train)
    assert len(spacings.first) == 257 and np.isnan(spacings.squares).all()
    needed = np.zeros(len(train), dtype=bool)
    for size in (50, 80):
        samples = rng.normal(size=(size, 5)).astype(dtype)
        kept = memorised(samples, train, max_bytes=3000, spacings=spacings)
        for part, alone in zip(kept, memorised(samples, train, max_bytes=BYTES), strict=True):
            assert part.dtype == alone.dtype and part.tobytes() == alone.tobytes()
        needed[kept.nearest] = True
        assert np.isfinite(spacings.squares).tolist() == needed[spacings.first].tolist()


def test_never_holds_all_distances():
    rng = np.random.default_rng(0)
    samples, train = rng.normal(size=(2, 3000, 4)).astype(np.float32)
    tracemalloc.start()
    memorised(samples, train, max_bytes=2**20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * 2**20  # all of them would take 34 of it in float32


@pytest.mark.parametrize(
    ("samples", "train", "message"),
    [
        (np.zeros((3, 2)), np.zeros((3, 3)), "found"),
        (np.zeros((0, 2)), np.eye(2), "one sample"),
        (np.full((1, 2), np.nan), np.eye(2), "NaN"),
        (np.zeros((3, 2)), np.ones((4, 2)), "two different training samples at least, found 1"),
        (np.zeros((3, 2)), np.ones((0, 2)), "found 0"),
    ],
)
def test_refuses(samples, train, message):
    with pytest.raises(ValueError, match=message):
        memorised(samples, train, max_bytes=BYTES)
