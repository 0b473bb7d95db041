from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ortho_group, wasserstein_distance

from bench.metrics.transport import wasserstein_1, wasserstein_2

SEEDS = st.integers(0, 2**32 - 1)


def test_by_hand():
    """0 and 3 to 4 and 0: crossing costs 7, staying 1; squares of 4 and 3 against 0 and 1."""
    real, fake = np.array([[0.0], [3.0]]), np.array([[4.0], [0.0]])
    assert wasserstein_1(real, fake) == 0.5
    assert wasserstein_2(real, fake) == pytest.approx(0.5**0.5)


def test_one_far_point_costs_more_squared():
    """3 at 0, one of them 3-4-5 away: 5 / 3 and 5 / sqrt(3)."""
    real, fake = np.zeros((3, 2)), np.array([[0.0, 0], [3, 4], [0, 0]])
    assert wasserstein_1(real, fake) == pytest.approx(5 / 3)
    assert wasserstein_2(real, fake) == pytest.approx(5 / 3**0.5)


@given(SEEDS, st.integers(1, 60))
def test_on_a_line_the_sorted_points_belong_together(seed, n):
    real, fake = np.random.default_rng(seed).normal(size=(2, n))
    expected = np.sort(real) - np.sort(fake)
    found = wasserstein_1(real[:, None], fake[:, None])
    assert found == pytest.approx(np.abs(expected).mean())
    assert found == pytest.approx(wasserstein_distance(real, fake))
    assert wasserstein_2(real[:, None], fake[:, None]) == pytest.approx(
        np.sqrt((expected**2).mean())
    )


@given(SEEDS, st.integers(1, 5))
def test_no_permutation_costs_less(seed, dimensions):
    """Exhaustive: all 120 of five points."""
    real, fake = np.random.default_rng(seed).normal(size=(2, 5, dimensions)).round(1)
    lengths = [np.linalg.norm(real[list(p)] - fake, axis=1) for p in permutations(range(5))]
    assert wasserstein_1(real, fake) == pytest.approx(min(x.mean() for x in lengths))
    assert wasserstein_2(real, fake) == pytest.approx(min(np.sqrt((x**2).mean()) for x in lengths))


@given(SEEDS, st.integers(1, 5))
def test_a_sample_moved_is_as_far_as_it_was_moved(seed, dimensions):
    rng = np.random.default_rng(seed)
    points, step = rng.normal(size=(40, dimensions)), rng.normal(size=dimensions)
    moved = rng.permutation(points + step)
    assert wasserstein_1(points, moved) == pytest.approx(np.linalg.norm(step))
    assert wasserstein_2(points, moved) == pytest.approx(np.linalg.norm(step))
    assert wasserstein_1(points, rng.permutation(points)) == 0


@given(SEEDS, st.integers(2, 4))
def test_is_a_metric_that_rotation_and_order_leave_alone(seed, dimensions):
    rng = np.random.default_rng(seed)
    x, y, z = rng.normal(size=(3, 15, dimensions))
    rotation = ortho_group.rvs(dimensions, random_state=rng)
    for distance in (wasserstein_1, wasserstein_2):
        found = distance(x, y)
        assert distance(rng.permutation(y), x) == pytest.approx(found)
        assert distance(3 * x @ rotation, 3 * y @ rotation) == pytest.approx(3 * found)
        assert found <= distance(x, z) + distance(z, y) + 1e-12
    assert wasserstein_1(x, y) <= wasserstein_2(x, y)


def test_half_of_the_modes():
    """Half of the mass travels from mode to mode, 10 away: 5, and 10 / sqrt(2)."""
    rng = np.random.default_rng(0)
    noise = 0.001 * rng.normal(size=(2, 200, 2))
    modes = np.tile([[0.0, 0], [10, 0]], (100, 1))
    assert wasserstein_1(modes + noise[0], noise[1]) == pytest.approx(5, abs=0.01)
    assert wasserstein_2(modes + noise[0], noise[1]) == pytest.approx(50**0.5, abs=0.01)


@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        (np.zeros((3, 2)), np.zeros((4, 2)), "as many real as generated"),
        (np.zeros((3, 2)), np.zeros((3, 3)), "found"),
        (np.zeros((0, 2)), np.zeros((0, 2)), "one at least"),
        (np.zeros(3), np.zeros(3), "found"),
        (np.zeros((3, 2)), np.full((3, 2), np.inf), "NaN"),
    ],
)
@pytest.mark.parametrize("distance", [wasserstein_1, wasserstein_2])
def test_refuses(distance, real, fake, message):
    with pytest.raises(ValueError, match=message):
        distance(real, fake)
