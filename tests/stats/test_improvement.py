from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm

from bench.stats import improvement_interval, mean_improvement, probability_of_improvement

DRAW = {"level": 0.95, "resamples": 2000}
SCORES = st.lists(st.sampled_from([0, 1, 2, 3, np.inf]), min_size=1, max_size=6)


def generator(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def test_probability_by_hand():
    """Of six pairs two are won and two tie; two diverged runs are equally bad."""
    assert probability_of_improvement([1, 3], [2, 3, 1]) == pytest.approx((1 + 0.5 + 1 + 0.5) / 6)
    assert probability_of_improvement([1, np.inf], [np.inf]) == 0.75


@given(SCORES, SCORES)
def test_probabilities_of_both_directions_add_up_to_one(ours, theirs):
    forth = probability_of_improvement(ours, theirs)
    assert forth + probability_of_improvement(theirs, ours) == pytest.approx(1)
    assert probability_of_improvement(ours, ours) == 0.5


@given(SCORES, SCORES)
def test_probability_is_the_statistic_of_mann_and_whitney(ours, theirs):
    u = mannwhitneyu(theirs, ours, method="asymptotic").statistic
    assert probability_of_improvement(ours, theirs) == pytest.approx(u / len(ours) / len(theirs))


@given(st.lists(st.integers(-20, 20), min_size=2, max_size=6))
def test_probability_knows_only_the_order(scores):
    ours, theirs = scores[:1], scores[1:]
    stretched = probability_of_improvement(np.exp(ours), np.exp(theirs))
    assert stretched == probability_of_improvement(ours, theirs)


@pytest.mark.parametrize("shift", [0.0, 0.5, 2.0])
def test_probability_of_shifted_normal_scores(shift):
    """P(X - d < Y) = Phi(d / sqrt 2); at evenly spread quantiles of both, to 1/n."""
    quantiles = norm.ppf((np.arange(2000) + 0.5) / 2000)
    found = probability_of_improvement(quantiles - shift, quantiles)
    assert found == pytest.approx(norm.cdf(shift / np.sqrt(2)), abs=5e-4)


def test_interval_of_one_pair_of_two_runs_by_enumeration():
    """Ours 0 or 2 against 1: a resample wins 0, 1/2 or 1 with probabilities 1/4, 1/2, 1/4."""
    wide = improvement_interval([0, 2], [1], generator=generator(), **DRAW)
    narrow = improvement_interval([0, 2], [1], level=0.4, resamples=2000, generator=generator())
    assert wide == (0.5, 0, 1)
    assert narrow == (0.5, 0.5, 0.5)


def test_interval_is_as_wide_as_all_resamples_say():
    """Three against two runs: all 27 x 4 resamples, as likely each."""
    ours, theirs = [1.0, 4.0, np.inf], [2.0, 5.0]
    every = [
        probability_of_improvement(a, b)
        for a, b in product(product(ours, repeat=3), product(theirs, repeat=2))
    ]
    found = improvement_interval(ours, theirs, level=0.5, resamples=20_000, generator=generator())
    assert found.value == probability_of_improvement(ours, theirs)
    assert found[1:] == pytest.approx(np.quantile(every, [0.25, 0.75]), abs=1e-9)


def test_interval_of_a_complete_separation_is_a_point():
    assert improvement_interval([1, 2], [3, 4], generator=generator(), **DRAW) == (1, 1, 1)


def test_mean_over_data_sets():
    ours = {"a": [1, 2], "b": [3.0]}
    theirs = {"b": [3.0, 4.0, 2.0, 1.0], "a": [5, 6]}
    found = mean_improvement(ours, theirs, generator=generator(), **DRAW)
    assert found.value == pytest.approx((1 + 1.5 / 4) / 2)
    assert (found.low, found.high) == pytest.approx((0.5, 0.9375), abs=0.07)


def test_improvement_is_covered_as_often_as_said():
    """20 normal runs against 20 shifted by 1; 4 standard errors of 0.95 in 300 are 0.05."""
    rng, held = generator(7), 0
    for _ in range(300):
        ours, theirs = rng.normal(size=20) - 1, rng.normal(size=20)
        found = improvement_interval(ours, theirs, level=0.95, resamples=400, generator=rng)
        held += found.low <= norm.cdf(1 / np.sqrt(2)) <= found.high
    assert held / 300 == pytest.approx(0.95, abs=0.05)


@pytest.mark.parametrize("bad", [([], [1]), ([1], []), ([1], [np.nan])])
def test_improvement_refuses(bad):
    with pytest.raises(ValueError, match=r"ours|theirs"):
        probability_of_improvement(*bad)


@pytest.mark.parametrize("bad", [({}, {}), ({"a": [1]}, {"b": [1]}), ({"a": [1]}, {})])
def test_mean_improvement_refuses(bad):
    with pytest.raises(ValueError, match="the same data sets"):
        mean_improvement(*bad, generator=generator(), **DRAW)
