from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stats import best_quantile, expected_best, resampled_best

SCORES = st.lists(st.floats(-100, 100), min_size=1, max_size=8)


def generator(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def test_best_of_two_of_three_by_hand():
    """The pairs of 1, 2, 4 have the minima 1, 1, 2."""
    assert expected_best([4, 1, 2], 2) == pytest.approx(4 / 3)
    assert expected_best([4, 1, 2], [1, 2, 3]) == pytest.approx([7 / 3, 4 / 3, 1])
    assert expected_best([4, 1, 2], [[1], [3]]).shape == (2, 1)


@pytest.mark.parametrize(("n", "k"), [(10, 3), (1000, 100), (100_000, 7), (100_000, 50_000)])
def test_best_of_the_first_n_numbers(n, k):
    """E[min of k of 1 to n] = (n + 1) / (k + 1), the mean first order statistic of a subset."""
    scores = generator().permutation(n) + 1
    assert expected_best(scores, k) == pytest.approx((n + 1) / (k + 1), rel=1e-12)


@given(SCORES, st.data())
def test_expected_best_is_the_mean_over_all_subsets(scores, data):
    k = data.draw(st.integers(1, len(scores)))
    minima = [min(subset) for subset in combinations(scores, k)]
    assert expected_best(scores, k) == pytest.approx(np.mean(minima), abs=1e-12)


@given(SCORES)
def test_expected_best_falls_from_the_mean_to_the_smallest(scores):
    curve = expected_best(scores, range(1, len(scores) + 1))
    assert curve[0] == pytest.approx(np.mean(scores), abs=1e-12)
    assert curve[-1] == min(scores)
    assert (np.diff(curve) <= 1e-12).all()


@given(SCORES, st.floats(0, 10), st.floats(-10, 10), st.randoms())
def test_expected_best_moves_with_the_scores_and_knows_no_order(scores, scale, shift, random):
    ks = range(1, len(scores) + 1)
    shuffled = random.sample(scores, len(scores))
    moved = expected_best([scale * x + shift for x in shuffled], ks)
    assert moved == pytest.approx(scale * expected_best(scores, ks) + shift, abs=1e-9)


def test_expected_best_is_unbiased():
    """For normal scores E[min of 2] = -1/sqrt(pi) and of 3 = -3/(2 sqrt(pi)), by symmetry."""
    samples = generator(3).normal(size=(4000, 6))
    found = np.array([expected_best(row, [2, 3]) for row in samples])
    error = found.std(0) / np.sqrt(4000)
    assert (np.abs(found.mean(0) + np.array([1, 1.5]) / np.sqrt(np.pi)) < 4 * error).all()
    assert (error < 0.01).all()


@pytest.mark.parametrize(
    ("scores", "k"),
    [([], 1), ([1, np.nan], 1), ([1, np.inf], 1), ([1, 2], 3), ([1, 2], 0), ([1, 2], 1.5)],
)
def test_expected_best_refuses(scores, k):
    with pytest.raises(ValueError, match="expected_best"):
        expected_best(scores, k)


def test_quantiles_of_the_best_of_two_of_four_by_hand():
    """Minima of the six pairs of 1 to 4: 1 three times, 2 twice, 3 once."""
    q = [0, 0.5, 0.51, 5 / 6, 0.84, 1]
    assert best_quantile([4, 2, 3, 1], 2, q).tolist() == [1, 1, 2, 2, 3, 3]
    assert best_quantile([4, 2, 3, 1], 1, 0.5) == 2


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=8), st.data())
def test_quantile_is_that_of_all_subsets(scores, data):
    k = data.draw(st.integers(1, len(scores)))
    minima = sorted(min(subset) for subset in combinations(scores, k))
    place = data.draw(st.integers(1, len(minima)))
    assert best_quantile(scores, k, place / len(minima)) == minima[place - 1]


@pytest.mark.parametrize("k", [1, 10, 5000, 99_999])
def test_quantile_of_many_scores(k):
    """P(min <= i) = 1 - C(n - i, k) / C(n, k) in integers, at both sides of the median."""
    n = 100_000
    median = int(best_quantile(np.arange(1, n + 1), k, 0.5))
    assert 2 * comb(n - median, k) <= comb(n, k) < 2 * comb(n - median + 1, k)


@pytest.mark.parametrize("bad", [([], 1, 0.5), ([1, 2], 3, 0.5), ([1], 1, 1.1), ([1], 1, np.nan)])
def test_quantile_refuses(bad):
    with pytest.raises(ValueError, match="best_quantile"):
        best_quantile(*bad)


def chosen(scores, by, k):
    """What each subset of k finds: the score of its lowest by `by`, the earliest of equals."""
    subsets = combinations(range(len(scores)), k)
    return [scores[min(subset, key=lambda run: (by[run], run))] for subset in subsets]


def test_what_is_chosen_by_another_split_by_hand():
    """Of 5, 1, 9 with 2, 3, 1 the pairs find 5, 9, 9; of all three it is 9, not the smallest."""
    found = expected_best([5, 1, 9], [1, 2, 3], by=[2, 3, 1])
    assert found == pytest.approx([5, 23 / 3, 9])
    assert best_quantile([5, 1, 9], 2, [1 / 3, 0.5], by=[2, 3, 1]).tolist() == [5, 9]


@given(
    st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 4)), min_size=1, max_size=8), st.data()
)
def test_what_is_chosen_by_another_split_is_that_of_all_subsets(runs, data):
    scores, by = zip(*runs, strict=True)
    k = data.draw(st.integers(1, len(runs)))
    found = sorted(chosen(scores, by, k))
    place = data.draw(st.integers(1, len(found)))
    assert expected_best(scores, k, by=by) == pytest.approx(np.mean(found), abs=1e-12)
    assert best_quantile(scores, k, place / len(found), by=by) == found[place - 1]


def test_resampling_finds_what_is_chosen_by_another_split():
    scores, by, ks = generator(1).normal(size=20), generator(2).normal(size=20), [1, 5, 19, 20]
    draw = {"resamples": 5000, "replace": False, "generator": generator()}
    mean, sd = resampled_best(scores, ks, by=by, **draw)
    assert (np.abs(mean - expected_best(scores, ks, by=by)) <= 4 * sd / np.sqrt(5000) + 1e-12).all()
    assert mean[-1] == pytest.approx(scores[by.argmin()])


def test_another_number_of_choices_is_refused():
    for call in (expected_best, lambda *a, by: best_quantile(*a, 0.5, by=by)):
        with pytest.raises(ValueError, match="2 scores, but 3 values choose"):
            call([1, 2], 1, by=[1, 2, 3])


def test_resampling_without_replacement_estimates_the_exact_curve():
    """Within 4 standard errors; the smallest of all n has none."""
    scores, ks = generator(1).lognormal(size=20), [1, 2, 5, 10, 19, 20]
    mean, sd = resampled_best(scores, ks, resamples=5000, replace=False, generator=generator())
    assert (np.abs(mean - expected_best(scores, ks)) <= 4 * sd / np.sqrt(5000) + 1e-12).all()
    assert sd[0] == pytest.approx(scores.std(), rel=0.1)
    assert sd[-1] == pytest.approx(0, abs=1e-12)


def test_resampling_with_replacement_estimates_the_mean_over_all_draws():
    scores, ks = np.array([0.0, 1, 5, 9]), [1, 2, 3, 4]
    draws = [np.min(list(product(scores, repeat=k)), axis=1) for k in ks]
    mean, sd = resampled_best(scores, ks, resamples=5000, replace=True, generator=generator())
    exact = np.array([d.mean() for d in draws])
    assert (np.abs(mean - exact) < 4 * sd / np.sqrt(5000)).all()
    assert sd == pytest.approx([d.std() for d in draws], rel=0.05)


def test_resampling_with_replacement_never_finds_the_best_for_sure():
    """Dodge et al.: sum_i x_(i) ((1 - (i - 1) / n)^k - (1 - i / n)^k), here 5 of 1 to 5.

    Which is sum_i P(min >= i) = (5^5 + 4^5 + 3^5 + 2^5 + 1) / 5^5 = 1.416, and not 1.
    """
    draw = {"resamples": 20_000, "generator": generator()}
    mean, sd = resampled_best([1, 2, 3, 4, 5], [5], replace=True, **draw)
    assert abs(mean[0] - 1.416) < 4 * sd[0] / np.sqrt(20_000)
    assert resampled_best([1, 2, 3, 4, 5], [5], replace=False, **draw) == (1, 0)


def test_resampling_in_blocks_is_still_so_many_resamples(monkeypatch):
    """4,001 in blocks of 4: each is 0 or 1, so that their mean is a whole number of 4,001ths."""
    monkeypatch.setattr("bench.stats.budget.CELLS", 8)
    mean, sd = resampled_best([0, 1], [1], resamples=4001, replace=True, generator=generator())
    assert mean[0] * 4001 == pytest.approx(round(mean[0] * 4001), abs=1e-6)
    assert mean[0] == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(4001))
    assert sd[0] ** 2 == pytest.approx(mean[0] * (1 - mean[0]))


@pytest.mark.parametrize("bad", [([], [1], 5), ([1, 2], [3], 5), ([1, 2], [], 5), ([1, 2], [1], 0)])
def test_resampling_refuses(bad):
    scores, ks, resamples = bad
    with pytest.raises(ValueError, match=r"resampled_best|one resample"):
        resampled_best(scores, ks, resamples=resamples, replace=False, generator=generator())
