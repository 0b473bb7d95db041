import mpmath
import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st

from bench.metrics import bures
from bench.metrics.bures import of_any_rank, of_definite, trace_of_root

SEEDS = st.integers(0, 2**32 - 1)
CONDITIONS = st.floats(0, 16)


def rotation(rng, width):
    return np.linalg.qr(rng.normal(size=(width, width)))[0]


def covariance(rng, width, condition, *, turned=True):
    """Eigenvalues spread evenly in their logarithm, or few large ones, or few small ones."""
    values = np.geomspace(1, 10.0**-condition, width)
    values = [values, np.where(np.arange(width) < 2, values, values[-1]), np.sort(values)][
        rng.integers(3)
    ]
    turn = rotation(rng, width) if turned else np.eye(width)
    cov = (turn * values) @ turn.T
    return (cov + cov.T) / 2


def exactly(cov_1, cov_2):
    """By 60 digits."""
    with mpmath.workdps(60):
        values = mpmath.eig(mpmath.matrix(cov_1) * mpmath.matrix(cov_2), left=False, right=False)
        return float(sum(mpmath.re(mpmath.sqrt(value)) for value in values))


@pytest.mark.parametrize("route", [trace_of_root, of_definite, of_any_rank])
def test_closed_forms(route):
    """F = 1; diagonals; and in two dimensions Tr sqrt(M) = sqrt(Tr M + 2 sqrt(det M))."""
    assert route(np.array([[4.0]]), np.array([[9.0]])) == pytest.approx(6, rel=1e-14)
    assert route(np.diag([1.0, 4, 9]), np.diag([9.0, 4, 1])) == pytest.approx(10, rel=1e-14)
    first, second = np.array([[2.0, 1.0], [1.0, 1.0]]), np.array([[1.0, -1.0], [-1.0, 3.0]])
    product = first @ second
    assert not np.allclose(product, product.T)
    expected = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    assert route(first, second) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("condition", [0, 3, 6, 9, 12])
@pytest.mark.parametrize("seed", range(3))
def test_both_routes_are_right_by_60_digits(condition, seed):
    rng = np.random.default_rng(seed)
    first, second = (covariance(rng, 6, condition) for _ in range(2))
    right = pytest.approx(exactly(first, second), abs=1e-10 * np.trace(first + second))
    assert trace_of_root(first, second) == right
    assert of_any_rank(first, second) == right
    assert of_definite(first, second) == right or condition > 6


@given(SEEDS, st.integers(1, 30), CONDITIONS, CONDITIONS, st.booleans())
def test_the_fast_route_is_right_or_declines(seed, width, condition_1, condition_2, turned):
    rng = np.random.default_rng(seed)
    first = covariance(rng, width, min(condition_1, 9), turned=turned)
    second = covariance(rng, width, min(condition_2, 9), turned=turned)
    fast, sure = of_definite(first, second), of_any_rank(first, second)
    if max(condition_1, condition_2) < 5:
        assert fast is not None
    if fast is not None:
        assert fast == pytest.approx(sure, abs=1e-10 * np.trace(first + second))


@pytest.mark.parametrize("noise", [0, 1e-16, 1e-15])
@pytest.mark.parametrize("seed", range(20))
def test_directions_of_rounding_noise_do_not_count(noise, seed):
    """Rank 3 of 8, in subspaces that meet in one direction: a noise of 1e-16 has a root of 1e-8."""
    rng = np.random.default_rng(seed)
    turn = rotation(rng, 8)
    values = np.array([1.0, 2.0, 3.0])
    first = (turn[:, :3] * values) @ turn[:, :3].T + noise * np.eye(8)
    second = (turn[:, 2:5] * values) @ turn[:, 2:5].T + noise * np.eye(8)
    assert trace_of_root(first, second) == pytest.approx(np.sqrt(3), rel=1e-14)


def test_equals_the_textbook_matrix_root():
    rng = np.random.default_rng(0)
    first, second = (np.cov(rng.normal(size=(60, 300)) * scale) for scale in (1, 2))
    textbook = np.trace(scipy.linalg.sqrtm(first @ second).real)
    assert trace_of_root(first, second) == pytest.approx(textbook, rel=1e-12)


def test_a_single_collapsed_set():
    assert trace_of_root(np.zeros((4, 4)), np.eye(4)) == 0
    assert trace_of_root(np.eye(4), np.zeros((4, 4))) == 0


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_sizes_whose_squares_leave_float64(scale):
    first, second = np.array([[2.0, 1.0], [1.0, 1.0]]), np.array([[1.0, -1.0], [-1.0, 3.0]])
    expected = trace_of_root(first, second)
    assert trace_of_root(scale * first, scale * second) == pytest.approx(
        scale * expected, rel=1e-12
    )


@pytest.mark.parametrize("swapped", [False, True])
def test_refuses_what_has_a_negative_eigenvalue(swapped):
    pair = (np.diag([1.0, -0.5]), np.eye(2))
    with pytest.raises(ValueError, match="eigenvalue -0.5"):
        trace_of_root(*(pair[::-1] if swapped else pair))


def test_single_precision_statistics_are_taken():
    """Of rank 1 and rounded to float32: an eigenvalue of -6e-8 and more."""
    row = np.array([1.0, 1 / 3, 1 / 7])
    cov = np.outer(row, row).astype(np.float32).astype(np.float64)
    assert np.linalg.eigvalsh(cov)[0] < -1e-9
    assert trace_of_root(cov, cov) == pytest.approx(np.trace(cov), rel=1e-7)


def test_well_conditioned_covariances_take_the_fast_route(monkeypatch):
    monkeypatch.setattr(bures, "of_any_rank", None)
    rng = np.random.default_rng(0)
    assert trace_of_root(covariance(rng, 40, 5), covariance(rng, 40, 5)) > 0
