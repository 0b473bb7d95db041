import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from bench.stats import rank_intervals

DRAW = {"level": 0.95, "resamples": 2000}


def generator(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def test_rank_by_hand():
    """A diverged run does not hide that c has the best one."""
    scores = {"a": [2, 3], "b": [1, 2.5], "c": [0, np.inf]}
    found = rank_intervals(scores, generator=generator(), **DRAW)
    # ahead of the two others, in pairs of four: a 1 + 2, b 3 + 2, c 2 + 2
    assert [found[name].rank for name in "abc"] == [3, 1, 2]
    assert all((found[name].low, found[name].high) == (1, 3) for name in "abc")


def test_ranks_of_separate_contenders_are_certain():
    scores = {name: 10 * i + np.arange(5.0) for i, name in enumerate("cab")}
    found = rank_intervals(scores, generator=generator(), **DRAW)
    assert found == {"c": (1, 1, 1), "a": (2, 2, 2), "b": (3, 3, 3)}


@given(st.lists(st.lists(st.integers(0, 5), min_size=4, max_size=4), min_size=2, max_size=5))
def test_ranks_are_those_of_the_mean_pooled_ranks(scores):
    """With as many runs of each; they add up to K (K + 1) / 2, ties or not."""
    named = {str(i): values for i, values in enumerate(scores)}
    found = rank_intervals(named, level=0.9, resamples=20, generator=generator())
    pooled = rankdata(scores).reshape(len(scores), 4).sum(1)
    assert [r.rank for r in found.values()] == rankdata(pooled).tolist()
    assert sum(r.rank for r in found.values()) == len(scores) * (len(scores) + 1) / 2
    assert all(1 <= r.low <= r.high <= len(scores) for r in found.values())
    assert all(
        (2 * bound).is_integer() for r in found.values() for bound in r
    )  # none between ranks


def test_a_contender_with_more_runs_has_no_more_weight():
    """Ahead of the others in the mean: a (1 + 0.1) / 2, b 0.05, c 0.9, however many runs b has.

    Mean ranks of the pooled scores would put a first, which always beats the many runs of b.
    """
    scores = {"a": [1.0], "b": [2.0], "c": [0.0] * 9 + [3.0]}
    for runs in (1, 100):
        found = rank_intervals(scores | {"b": [2.0] * runs}, generator=generator(), **DRAW)
        assert [r.rank for r in found.values()] == [2, 3, 1]


def test_ranks_repeat_under_their_generator():
    scores = {"a": generator(1).normal(size=8), "b": generator(2).normal(size=8)}
    drawn = [rank_intervals(scores, generator=generator(s), **DRAW) for s in (0, 0)]
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("bad", [{}, {"a": [1]}, {"a": [1], "b": []}, {"a": [1], "b": [np.nan]}])
def test_ranks_refuse(bad):
    with pytest.raises(ValueError, match=r"two contenders|one run|NaN"):
        rank_intervals(bad, generator=generator(), **DRAW)
