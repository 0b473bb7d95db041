import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stats import MIN_SPREAD_RUNS, variance_split

VALUES = st.lists(st.floats(-10, 10), min_size=2, max_size=6)


def generator(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def test_split_by_hand():
    """Variance 7 of 0, 1, 5; within: (2 + 2) / 2 = 2 with 1 + 1 degrees of freedom; noise 1/2."""
    found = variance_split([0, 1, 5], {"a": [1, 3], "b": [8, 6], "c": [4]}, [0.25, 0.75])
    assert found == pytest.approx((5, 1.5, 0.5))


def test_split_pools_by_degrees_of_freedom():
    """(2 + 0 + 0 + 0) / (1 + 2), not the mean of the variances 2 and 0."""
    found = variance_split([], {"a": [0, 2], "b": [5, 5, 5]}, [0])
    assert found == (None, pytest.approx(2 / 3), 0)


def test_split_finds_known_components():
    """Variances 4, 1, 0.25 with many of each; standard errors sqrt(2 / freedom) of the sums.

    Over configurations 5.25 sqrt(2 / 4999) = 0.105, within 1.25 sqrt(2 / 4000) = 0.028.
    """
    rng = generator(1)
    hyper, seed, noise = 2.0, 1.0, 0.5
    single = rng.normal(0, hyper, 5000) + rng.normal(0, seed, 5000) + rng.normal(0, noise, 5000)
    own = rng.normal(0, hyper, 1000)[:, None]
    many = own + rng.normal(0, seed, (1000, 5)) + rng.normal(0, noise, (1000, 5))
    found = variance_split(single, dict(enumerate(many)), np.full(100, noise**2))
    assert found.hyperparameters == pytest.approx(4, abs=4 * 0.11)
    assert found.seed == pytest.approx(1, abs=4 * 0.028)
    assert found.evaluation == 0.25


def test_split_is_unbiased_with_few_values():
    """Mean over 2,000 splits with 3 x 2 seeds; configurations far apart: none is cut at 0."""
    rng, found = generator(2), []
    for _ in range(2000):
        single = rng.normal(0, 30, 6) + rng.normal(size=6)
        many = rng.normal(0, 30, (3, 1)) + rng.normal(size=(3, 2))
        found.append(variance_split(single, dict(enumerate(many)), [0.0]))
    hyper, seed, _ = np.mean(found, axis=0)
    error = np.std(found, axis=0) / np.sqrt(2000)
    assert min(f.hyperparameters for f in found) > 0
    assert abs(hyper - 900) < 4 * error[0]
    assert abs(seed - 1) < 4 * error[1]


@given(st.lists(VALUES, min_size=1, max_size=3), VALUES, st.floats(0, 5))
def test_components_add_up_to_the_variance_of_the_configurations(many, single, noise):
    """Unless the variance within is the larger one: then no hyperparameters are left."""
    repeated = {str(i): values for i, values in enumerate(many)}
    found = variance_split(single, repeated, [noise])
    total, left = np.var(single, ddof=1), found.seed + found.evaluation
    assert found.hyperparameters + left == pytest.approx(max(total, left), abs=1e-9)
    assert min(found) >= 0


@given(st.lists(VALUES, min_size=2, max_size=4))
def test_split_of_one_way_layout_obeys_the_identity_of_anova(many):
    """Sum of squares about the grand mean = within + between, with the seed's estimate in it."""
    within = variance_split([], {str(i): x for i, x in enumerate(many)}, [0]).seed
    pooled = np.concatenate(many)
    between = sum(len(x) * (np.mean(x) - pooled.mean()) ** 2 for x in many)
    freedom = len(pooled) - len(many)
    total = np.square(pooled - pooled.mean()).sum()
    assert within * freedom + between == pytest.approx(total, abs=1e-9)


@given(st.floats(0.1, 9), st.floats(-9, 9))
def test_split_scales_with_the_square(scale, shift):
    single, many, noise = np.array([0, 1, 5.0]), np.array([1, 3.0]), np.array([0.5])
    plain = variance_split(single, {"a": many}, noise)
    moved = variance_split(scale * single + shift, {"a": scale * many + shift}, scale**2 * noise)
    assert np.array(moved) == pytest.approx(scale**2 * np.array(plain), rel=1e-9)


def test_what_cannot_be_told_is_none():
    several = {"a": [1, 3]}
    assert variance_split([], {}, []) == (None, None, None)
    assert variance_split([1], several, [0.5]) == (None, 1.5, 0.5)
    assert variance_split([1, 5], {"a": [1]}, [0.5]) == (None, None, 0.5)
    # without an evaluation: 8 over the configurations less 2 within
    assert variance_split([1, 5], several, []) == (6, None, None)


def test_more_noise_than_spread_is_no_negative_variance():
    assert variance_split([1, 2], {"a": [1, 3]}, [5]) == (0, 0, 5)


def test_spread_of_the_fewest_runs_is_known_to_a_half():
    """sqrt(2 / (n - 1)), here as the deviation of variances of 50,000 samples."""
    samples = generator(3).normal(size=(50_000, MIN_SPREAD_RUNS))
    assert samples.var(axis=1, ddof=1).std() == pytest.approx(0.5, abs=0.01)
    assert samples[:, 1:].var(axis=1, ddof=1).std() > 0.52


@pytest.mark.parametrize(
    "bad",
    [
        ([1, np.nan], {}, []),
        ([1, np.inf], {}, []),
        ([], {"a": [1, np.nan]}, []),
        ([], {"a": []}, []),
        ([], {}, [-0.1]),
        ([], {}, [np.nan]),
    ],
)
def test_split_refuses(bad):
    with pytest.raises(ValueError, match=r"configurations|repeated, a|evaluation"):
        variance_split(*bad)
