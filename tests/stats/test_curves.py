import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stats import best_interval, bootstrap_mean, expected_best, trusted_budget

DRAW = {"level": 0.95, "resamples": 500}


def generator(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


@pytest.mark.parametrize(("n", "k"), [(1, 1), (4, 1), (9, 1), (10, 2), (50, 10), (104, 20)])
def test_trusted_budget_is_a_fifth(n, k):
    assert trusted_budget(n) == k


def test_no_run_bears_no_budget():
    with pytest.raises(ValueError, match="one run"):
        trusted_budget(0)


def test_interval_of_a_budget_of_one_is_that_of_the_mean():
    scores = generator(2).normal(size=30)
    draw = {"level": 0.9, "resamples": 400}
    (best,) = best_interval(scores, [1], generator=generator(), **draw)
    assert best == pytest.approx(bootstrap_mean(scores, generator=generator(), **draw))


def test_interval_of_two_scores_with_a_budget_of_two():
    """Resamples have the minima 0, 0, 0, 1 of four: P(1) = 1/4, and the interval is [0, 1]."""
    (wide,) = best_interval([0, 1], [2], generator=generator(), level=0.9, resamples=2000)
    (narrow,) = best_interval([0, 1], [2], generator=generator(), level=0.4, resamples=2000)
    assert wide == (0, 0, 1)
    assert narrow == (0, 0, 0)


@given(st.floats(0.1, 10), st.floats(-10, 10))
def test_interval_moves_with_the_scores(scale, shift):
    scores = generator(4).normal(size=12)
    draw = {"level": 0.9, "resamples": 50}
    plain = best_interval(scores, [1, 3], generator=generator(), **draw)
    moved = best_interval(scale * scores + shift, [1, 3], generator=generator(), **draw)
    assert np.array(moved) == pytest.approx(scale * np.array(plain) + shift, abs=1e-9)


def test_interval_has_the_exact_value():
    scores, ks = generator(5).normal(size=20), [1, 4, 20]
    found = best_interval(scores, ks, generator=generator(), **DRAW)
    assert [i.value for i in found] == expected_best(scores, ks).tolist()


def test_interval_covers_up_to_the_trusted_budget_and_not_beyond():
    """Exponential scores: E[min of k] = 1/k, here of n = 50 in 400 samples.

    3,000 samples gave 0.931, 0.938, 0.916 and 0.625; the bounds are four standard errors of 400
    from the last two, sqrt(p (1 - p) / 400) = 0.014 and 0.024.
    """
    n, repetitions = 50, 400
    ks, rng = [1, 5, trusted_budget(n), n], generator(6)
    held = np.zeros(len(ks))
    for _ in range(repetitions):
        found = best_interval(rng.exponential(size=n), ks, generator=rng, **DRAW)
        held += [i.low <= 1 / k <= i.high for i, k in zip(found, ks, strict=True)]
    shares = held / repetitions
    assert (shares[:3] > 0.86).all()
    assert (shares[:3] < 0.98).all()
    assert shares[3] < 0.73


@pytest.mark.parametrize("bad", [([], [1]), ([1, np.inf], [1]), ([1, 2], [3]), ([1, 2], [])])
def test_interval_refuses(bad):
    with pytest.raises(ValueError, match="best_interval"):
        best_interval(*bad, generator=generator(), **DRAW)


def test_interval_of_what_is_chosen_lies_about_its_value():
    """Chosen the other way round the best of many is the worst; by the scores it is the best."""
    scores, ks = generator(5).normal(size=40), [1, 8]
    same, turned = (
        best_interval(scores, ks, by=by, generator=generator(), **DRAW) for by in (scores, -scores)
    )
    assert same == best_interval(scores, ks, generator=generator(), **DRAW)
    assert turned[0] == pytest.approx(same[0])
    mirrored = best_interval(-scores, ks, generator=generator(), **DRAW)[1]
    assert turned[1] == pytest.approx((-mirrored.value, -mirrored.high, -mirrored.low))
