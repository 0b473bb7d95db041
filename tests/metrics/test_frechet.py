import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st

from bench.metrics.frechet import frechet_distance, moments

SEEDS = st.integers(0, 2**32 - 1)


def cloud(seed, n=40, width=5):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, width)) @ rng.normal(size=(width, width)) + rng.normal(size=width)


def rotation(seed, width):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(width, width)))[0]


def distance(first, second):
    return frechet_distance(*moments(first), *moments(second))


def test_axis_parallel_gaussians_differ_by_means_and_standard_deviations():
    """sum (m1 - m2)^2 + (s1 - s2)^2 = 9 + 16 + 1 + 4."""
    value = frechet_distance(
        np.array([0.0, 1.0]), np.diag([1.0, 9.0]), np.array([3.0, 5.0]), np.diag([4.0, 1.0])
    )
    assert value == pytest.approx(30, rel=1e-12)


def test_non_commuting_covariances():
    """In two dimensions Tr sqrt(M) = sqrt(Tr M + 2 sqrt(det M)), here with M = C1 C2."""
    first, second = np.array([[2.0, 1.0], [1.0, 1.0]]), np.array([[1.0, -1.0], [-1.0, 3.0]])
    product = first @ second
    assert not np.allclose(product, product.T)
    trace_of_root = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    value = frechet_distance(np.zeros(2), first, np.zeros(2), second)
    assert value == pytest.approx(7 - 2 * trace_of_root, rel=1e-12)


def test_published_value():
    """compare_gan, fid_score_test.py: 89.091 for these two clouds."""
    real, fake = np.ones((100, 2)), np.full((100, 2), 9.0)
    real[:50, 0] = fake[50:, 0] = 2
    value = frechet_distance(real.mean(0), np.cov(real.T), fake.mean(0), np.cov(fake.T))
    assert value == pytest.approx(89.091, abs=1e-3)


def test_equals_the_textbook_matrix_root():
    first, second = cloud(0), cloud(1)
    (mean_1, cov_1), (mean_2, cov_2) = moments(first), moments(second)
    root = scipy.linalg.sqrtm(cov_1 @ cov_2).real
    textbook = np.sum((mean_1 - mean_2) ** 2) + np.trace(cov_1 + cov_2 - 2 * root)
    assert distance(first, second) == pytest.approx(textbook, rel=1e-9)


@pytest.mark.parametrize("n", [2, 5, 30, 64, 65, 500], ids="N={}".format)
def test_equal_sets_are_at_zero_whatever_the_rank(n):
    features = cloud(n, n, 64)
    scale = np.trace(moments(features)[1])
    assert 0 <= distance(features, features) <= 1e-12 * scale


def test_rank_deficient_sets_are_as_far_apart_as_within_their_own_subspace():
    first, second = cloud(2), cloud(3)
    into = rotation(4, 60)[:, :5]  # orthonormal columns: 5 coordinates placed among 60
    assert distance(first @ into.T, second @ into.T) == pytest.approx(
        distance(first, second), rel=1e-9
    )


def test_sets_of_no_variance_are_at_the_distance_of_their_means():
    assert distance(np.zeros((5, 3)), np.full((5, 3), 2.0)) == pytest.approx(12)


@pytest.mark.parametrize("n", [20, 500])
def test_a_collapsed_set_is_as_far_as_its_mean_and_the_others_variance(n):
    mean, cov = moments(cloud(0, n, 30))
    collapsed = moments(np.ones((9, 30)))
    expected = np.sum((mean - 1) ** 2) + np.trace(cov)
    assert frechet_distance(mean, cov, *collapsed) == pytest.approx(expected, rel=1e-12)
    assert frechet_distance(*collapsed, mean, cov) == pytest.approx(expected, rel=1e-12)


def test_order_of_samples_is_rounding():
    features = cloud(0, 500, 64)
    shuffled = np.random.default_rng(1).permutation(features)
    assert 0 <= distance(features, shuffled) <= 1e-10 * 2 * np.trace(moments(features)[1])


@given(SEEDS, st.floats(0.01, 100))
def test_is_symmetric_rigid_and_scales_with_the_square(seed, scale):
    first, second, turn = cloud(seed), cloud(seed + 1), rotation(seed, 5)
    value = distance(first, second)
    assert distance(second, first) == pytest.approx(value, rel=1e-9)
    assert distance(first @ turn + 3, second @ turn + 3) == pytest.approx(value, rel=1e-9)
    assert distance(scale * first, scale * second) == pytest.approx(scale**2 * value, rel=1e-9)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("place", range(4))
def test_a_diverged_generator_has_no_distance(bad, place):
    arguments = [np.zeros(2), np.eye(2), np.zeros(2), np.eye(2)]
    arguments[place] = arguments[place] * np.nan if np.isnan(bad) else arguments[place] + np.inf
    with pytest.raises(ValueError, match="NaN or infinity"):
        frechet_distance(*arguments)


def test_statistics_too_large_for_a_sum_have_no_distance():
    with pytest.raises(ValueError, match="too large"):
        frechet_distance(np.zeros(2), np.eye(2), np.full(2, 1e200), np.eye(2))


@pytest.mark.parametrize(
    "shapes", [[(2,), (2, 2), (3,), (3, 3)], [(2,), (2,), (2,), (2, 2)], [(1,), (2, 2), (1,), (1,)]]
)
def test_shapes_that_do_not_fit_are_named(shapes):
    with pytest.raises(ValueError, match="wanted, found"):
        frechet_distance(*(np.ones(shape) for shape in shapes))


def test_a_matrix_that_is_not_symmetric_is_no_covariance():
    good, bad = np.eye(2), np.array([[1.0, 0.5], [0.4, 1.0]])
    for pair in ((good, bad), (bad, good)):
        with pytest.raises(ValueError, match="not symmetric"):
            frechet_distance(np.zeros(2), pair[0], np.zeros(2), pair[1])
