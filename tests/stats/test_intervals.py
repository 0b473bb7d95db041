import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import trim_mean

from bench.stats import bootstrap_mean, interquartile_mean, stratified_bootstrap


def generator(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def test_interval_of_equal_values_is_a_point():
    interval = bootstrap_mean([2.5] * 4, level=0.95, resamples=100, generator=generator())
    assert interval == (2.5, 2.5, 2.5)


def test_interval_of_two_values_is_all_there_is():
    """Resampled means are 0, 1/2, 1 with probabilities 1/4, 1/2, 1/4."""
    wide = bootstrap_mean([0, 1], level=0.95, resamples=2000, generator=generator())
    narrow = bootstrap_mean([0, 1], level=0.4, resamples=2000, generator=generator())
    assert wide == (0.5, 0, 1)
    assert narrow == (0.5, 0.5, 0.5)


def test_interval_of_many_values_is_the_normal_one():
    values = generator(1).normal(size=400)
    mean, low, high = bootstrap_mean(values, level=0.95, resamples=20_000, generator=generator())
    error = 1.959964 * values.std() / np.sqrt(400)
    assert mean == values.mean()
    assert (low, high) == pytest.approx((mean - error, mean + error), abs=0.06 * error)


def test_interval_repeats_under_its_generator():
    a, b, c = (
        bootstrap_mean([1, 2, 4], level=0.9, resamples=7, generator=generator(seed))
        for seed in (0, 0, 1)
    )
    assert a == b != c


@pytest.mark.parametrize("bad", [[], [1.0, np.nan], [np.inf]])
def test_interval_refuses(bad):
    with pytest.raises(ValueError, match="bootstrap_mean"):
        bootstrap_mean(bad, level=0.95, resamples=10, generator=generator())


@pytest.mark.parametrize("level", [0, 1, 95, np.nan])
def test_interval_refuses_what_is_no_level(level):
    with pytest.raises(ValueError, match="level"):
        bootstrap_mean([1, 2], level=level, resamples=10, generator=generator())


def test_interval_refuses_no_resample():
    with pytest.raises(ValueError, match="one resample"):
        bootstrap_mean([1, 2], level=0.9, resamples=0, generator=generator())


def test_interquartile_mean_by_hand():
    """Of 8 values the middle 4; of 7 one is cut on either side; of 3 none."""
    assert interquartile_mean([8, 1, 2, 3, 4, 5, 6, 100]) == 4.5
    assert interquartile_mean([-50, 1, 2, 3, 4, 5, 900]) == 3
    assert interquartile_mean([1, 2, 9]) == 4


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=30))
def test_interquartile_mean_is_scipys_trimmed_mean(values):
    assert interquartile_mean(values) == pytest.approx(trim_mean(values, 0.25), abs=1e-9)


def test_interquartile_mean_bears_diverged_runs_up_to_a_quarter():
    assert interquartile_mean([1, 2, 3, np.inf]) == 2.5
    assert interquartile_mean([1, 2, np.inf, np.inf]) == np.inf


@pytest.mark.parametrize("bad", [[], [np.nan], [-np.inf, np.inf]])
def test_interquartile_mean_refuses(bad):
    with pytest.raises(ValueError, match="interquartile_mean"):
        interquartile_mean(bad)


def mean_of_means(strata):
    return np.mean([x.mean() for x in strata])


def test_strata_are_resampled_each_from_its_own():
    """Runs of b do not differ: the interval is that of a alone, half as wide, around both means."""
    found = stratified_bootstrap(
        {"a": [0, 1], "b": [7, 7, 7]},
        mean_of_means,
        level=0.95,
        resamples=2000,
        generator=generator(),
    )
    assert found == (3.75, 3.5, 4)


def test_one_stratum_is_the_bootstrap_of_the_mean():
    values = generator(1).normal(size=200)
    draw = {"level": 0.95, "resamples": 5000}
    found = stratified_bootstrap({"a": values}, mean_of_means, generator=generator(), **draw)
    plain = bootstrap_mean(values, generator=generator(2), **draw)
    assert found == pytest.approx(plain, abs=0.01)


def test_interval_of_the_study_over_two_data_sets_has_the_width_of_theory():
    """Variance of the mean of two means of 100: (s_a^2 + s_b^2) / 400."""
    a, b = generator(3).normal(size=100), 3 * generator(4).normal(size=100)
    _, low, high = stratified_bootstrap(
        {"a": a, "b": b}, mean_of_means, level=0.95, resamples=5000, generator=generator()
    )
    width = 2 * 1.959964 * np.sqrt((a.var() + b.var()) / 400)
    assert high - low == pytest.approx(width, rel=0.06)


def test_a_bound_may_be_infinite_where_the_statistic_is():
    """Mean of 1 and infinity: finite in one of four resamples, so is the bound below 1/4."""
    draw = {"resamples": 2000, "generator": generator()}
    scores = {"a": [1, np.inf]}
    assert stratified_bootstrap(scores, mean_of_means, level=0.95, **draw) == (np.inf, 1, np.inf)
    assert stratified_bootstrap(scores, mean_of_means, level=0.2, **draw) == (np.inf,) * 3


@pytest.mark.parametrize(
    "bad", [{}, {"a": []}, {"a": [1], "b": [np.nan]}, {"a": [-np.inf, np.inf]}]
)
def test_stratified_bootstrap_refuses(bad):
    with pytest.raises(ValueError, match="stratified_bootstrap"), np.errstate(invalid="ignore"):
        stratified_bootstrap(bad, mean_of_means, level=0.95, resamples=10, generator=generator())
