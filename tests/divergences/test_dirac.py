import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.divergences.dirac import (
    SLOPE,
    alternating,
    eigenvalues,
    jacobian,
    logistic_slope,
    one_centred,
    simultaneous,
    trajectory,
    zero_centred,
)

STEPS, SLOPES, WEIGHTS = st.floats(0.01, 1), st.floats(0.1, 2), st.floats(0, 5)


def test_slope_is_that_of_the_logistic_loss():
    assert logistic_slope(0.0) == SLOPE == 0.5


@settings(deadline=None)
@given(STEPS, SLOPES, WEIGHTS, st.integers(1, 5))
def test_eigenvalues_are_numpys(h, slope, weight, n_dis):
    for matrix in (
        jacobian(slope, weight),
        simultaneous(h, slope, weight),
        alternating(h, slope, weight, n_dis=n_dis),
    ):
        found, expected = np.poly(eigenvalues(matrix)), np.poly(matrix)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


@settings(deadline=None)
@given(STEPS, SLOPES)
def test_without_penalty_simultaneous_steps_spiral_outwards(h, slope):
    """1 +- i h f', of modulus sqrt(1 + h^2 f'^2) > 1."""
    np.testing.assert_allclose(
        eigenvalues(simultaneous(h, slope, 0)), [1 + 1j * h * slope, 1 - 1j * h * slope]
    )


@settings(deadline=None)
@given(STEPS, SLOPES, st.integers(1, 4))
def test_without_penalty_alternating_steps_stay_on_the_unit_circle(h, slope, n_dis):
    """1 - a^2 / 2 +- i a sqrt(1 - a^2 / 4) with a = sqrt(n_dis) h f' < 2."""
    a = n_dis**0.5 * h * slope
    found = eigenvalues(alternating(h, slope, 0, n_dis=n_dis))
    if a < 1.99:
        np.testing.assert_allclose(np.abs(found), 1, atol=1e-9)
        np.testing.assert_allclose(
            found[0], 1 - a**2 / 2 + 1j * a * (1 - a**2 / 4) ** 0.5, atol=1e-9
        )
    if a > 2.01:
        assert np.abs(found).max() > 1


def test_the_zero_centred_penalty_converges_in_small_steps():
    """1 - h w / 2 +- h sqrt(w^2 / 4 - f'^2): outside at h = 1 > w / f'^2."""
    for weight in (0.1, 1.0, 3.0):
        for matrix in (simultaneous(0.1, SLOPE, weight), alternating(0.1, SLOPE, weight)):
            assert np.abs(eigenvalues(matrix)).max() < 1
    expected = [1 - 0.05 + 0.1 * 1j * (0.5**2 - 0.25 * 1) ** 0.5] * 2  # w = 2 f': a double root
    np.testing.assert_allclose(eigenvalues(simultaneous(0.1, 0.5, 1)), expected, atol=1e-7)
    assert np.abs(eigenvalues(simultaneous(1, 1, 0.5))).max() > 1  # h = 1 > w / f'^2


@pytest.mark.parametrize("alternate", [True, False])
def test_the_matrices_are_the_games_derivatives(alternate):
    """One step from points near (0, 0), by differences."""
    matrix = (alternating if alternate else simultaneous)(0.3, SLOPE, 0.7)
    near = 1e-6 * np.eye(2)
    moved = [
        trajectory(
            (theta, psi),
            1,
            0.3,
            slope=logistic_slope,
            penalty=zero_centred(0.7),
            alternate=alternate,
        )[1]
        for theta, psi in near
    ]
    np.testing.assert_allclose(np.transpose(moved) / 1e-6, matrix, atol=1e-6)


def walk(penalty, *, alternate, slope=logistic_slope, steps=5000, step=0.1):
    path = trajectory((1.0, 0.0), steps, step, slope=slope, penalty=penalty, alternate=alternate)
    return np.linalg.norm(path, axis=1)


def test_which_games_end():
    """T22: outwards, a bounded cycle, to rest with R1, never to rest with WGAN-GP."""
    none = zero_centred(0)
    outwards = walk(none, alternate=False)
    assert outwards[-1] > 2 * outwards[0] and (np.diff(outwards) >= -1e-12).mean() > 0.9
    cycle = walk(none, alternate=True)
    assert cycle[-1000:].min() > 0.8 and cycle.max() < 1.3
    for alternate in (True, False):
        assert walk(zero_centred(1.0), alternate=alternate)[-1] < 1e-10
        unsettled = walk(one_centred(1.0), alternate=alternate, slope=lambda t: 1.0)
        assert unsettled[-1000:].max() > 0.1


def test_wgan_without_penalty_turns_by_the_same_matrix():
    """Its f is linear, so that the linear part is the whole game: T steps are the T-th power."""
    path = trajectory(
        (1.0, 0.5), 40, 0.2, slope=lambda t: 1.0, penalty=zero_centred(0), alternate=False
    )
    power = np.linalg.matrix_power(simultaneous(0.2, 1.0, 0), 40)
    np.testing.assert_allclose(path[40], power @ [1, 0.5])


def test_refuses():
    with pytest.raises(ValueError, match="finite"):
        simultaneous(np.nan, 1, 0)
    with pytest.raises(ValueError, match="n_dis of 1"):
        alternating(0.1, 1, 0, n_dis=0)
    with pytest.raises(ValueError, match="0 steps"):
        trajectory((0, 0), -1, 0.1, slope=logistic_slope, penalty=zero_centred(0), alternate=True)
    with pytest.raises(ValueError, match="finite"):
        trajectory(
            (np.inf, 0), 1, 0.1, slope=logistic_slope, penalty=zero_centred(0), alternate=True
        )
