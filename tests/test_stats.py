from itertools import combinations, permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, mannwhitneyu

from bench.stats import (
    MIN_RUNS,
    bootstrap_mean,
    differences,
    groups,
    holm,
    mann_whitney,
    runs_needed,
    share_difference,
)


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
    with pytest.raises(ValueError, match="finite"):
        bootstrap_mean(bad, level=0.95, resamples=10, generator=generator())


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1),
        ((10, 10, 0, 10), 0.6075, 1),
    ],
)
def test_difference_of_shares_in_newcombes_examples(counts, low, high):
    """Newcombe 1998, table II, method 10, at 95 %."""
    assert share_difference(*counts, confidence=0.95) == pytest.approx((low, high), abs=5e-5)


def test_difference_of_shares_of_one_trial_each_by_hand():
    """z^2 = 1: Wilson's bounds of 1 of 1 are 1/2 and 1, of 0 of 1 are 0 and 1/2."""
    confidence = 0.6826894921370859
    assert share_difference(1, 1, 0, 1, confidence=confidence) == pytest.approx((1 - 0.5**0.5, 1))
    assert share_difference(1, 1, 1, 1, confidence=confidence) == pytest.approx((-0.5, 0.5))


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.2, 0.1), (0.9, 0.3)])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_difference_of_shares_is_covered_as_often_as_said(shares, confidence):
    """Summed over all outcomes of two binomials."""
    sizes, difference = (40, 60), shares[0] - shares[1]
    chances = np.outer(*[binom.pmf(range(n + 1), n, p) for n, p in zip(sizes, shares, strict=True)])
    covered = 0.0
    for first, second in product(range(sizes[0] + 1), range(sizes[1] + 1)):
        low, high = share_difference(first, sizes[0], second, sizes[1], confidence=confidence)
        covered += chances[first, second] * (low <= difference <= high)
    assert covered == pytest.approx(confidence, abs=0.01)


@given(st.integers(1, 50), st.integers(1, 50), st.data())
def test_difference_of_shares_turns_its_sign_with_its_arguments(n_1, n_2, data):
    hits = data.draw(st.integers(0, n_1)), data.draw(st.integers(0, n_2))
    low, high = share_difference(hits[0], n_1, hits[1], n_2, confidence=0.9)
    swapped = share_difference(hits[1], n_2, hits[0], n_1, confidence=0.9)
    assert swapped == pytest.approx((-high, -low))
    assert -1 - 1e-12 <= low <= hits[0] / n_1 - hits[1] / n_2 <= high <= 1 + 1e-12


@pytest.mark.parametrize("counts", [(1, 0, 0, 1), (3, 2, 0, 1), (0, 1, -1, 4)])
def test_difference_of_shares_refuses(counts):
    with pytest.raises(ValueError, match="0 to n"):
        share_difference(*counts, confidence=0.95)


@pytest.mark.parametrize(("n", "p"), [(2, 1 / 3), (3, 1 / 10), (4, 1 / 35), (5, 1 / 126)])
def test_complete_separation_has_the_smallest_p(n, p):
    """2 / C(2n, n)."""
    worse = np.arange(n) + 10.0
    assert mann_whitney(np.arange(n), worse) == pytest.approx(p)
    assert mann_whitney(worse, np.arange(n)) == pytest.approx(p)


def test_fewest_runs_are_those_whose_smallest_p_is_below_five_percent():
    few, enough = np.arange(MIN_RUNS - 1), np.arange(MIN_RUNS)
    assert mann_whitney(few, few + 10) > 0.05 >= mann_whitney(enough, enough + 10)


def test_equal_scores_do_not_differ():
    assert mann_whitney([1, 1, 1], [1, 1, 1]) == 1
    assert mann_whitney([1, 2, 3], [1, 2, 3]) == 1


def test_ties_by_hand():
    """Mid-ranks 1, 2, 3.5, 3.5: one of six deals gives the first variant a sum of 3 or less."""
    assert mann_whitney([0, 1], [2, 2]) == pytest.approx(1 / 3)
    assert mann_whitney([0, 1, 5], [np.inf] * 3) == pytest.approx(0.1)


@given(st.permutations(range(9)), st.integers(1, 8))
def test_equals_scipy_without_ties(values, n):
    expected = mannwhitneyu(values[:n], values[n:], method="exact").pvalue
    assert mann_whitney(values[:n], values[n:]) == pytest.approx(expected)


@given(st.lists(st.integers(0, 2), min_size=2, max_size=6), st.data())
def test_equals_all_orders_of_the_pooled_values(values, data):
    """With ties: U counts a half for each equal pair, and every order is as likely."""
    n = data.draw(st.integers(1, len(values) - 1))

    def u(order):
        return sum((a > b) + (a == b) / 2 for a in order[:n] for b in order[n:])

    all_u = np.array([u(order) for order in permutations(values)])
    tail = min((all_u <= u(values)).mean(), (all_u >= u(values)).mean())
    assert mann_whitney(values[:n], values[n:]) == pytest.approx(min(1, 2 * tail))


@pytest.mark.parametrize("bad", [([], [1]), ([1], []), ([1], [np.nan])])
def test_mann_whitney_refuses(bad):
    with pytest.raises(ValueError, match="no NaN"):
        mann_whitney(*bad)


def test_holm_by_hand():
    """4 x 0.005, 3 x 0.01, 2 x 0.03, and 1 x 0.04 raised to the one before it."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1, 1]
    assert holm([]) == []


@pytest.mark.parametrize(("variants", "runs"), [(2, 4), (3, 5), (7, 6), (8, 7), (10, 7)])
def test_runs_needed(variants, runs):
    """C(10, 5) = 252, C(12, 6) = 924, C(14, 7) = 3432; 2 / 924 <= 0.05 / 21, not / 28."""
    assert runs_needed(variants, alpha=0.05) == runs


@pytest.mark.parametrize("variants", [2, 3, 5])
def test_with_the_runs_needed_separate_variants_differ_and_with_one_fewer_they_do_not(variants):
    needed = runs_needed(variants, alpha=0.05)
    for runs, found in ((needed, variants * (variants - 1) // 2), (needed - 1, 0)):
        scores = {str(v): 100 * v + np.arange(runs) for v in range(variants)}
        assert len(differences(scores, alpha=0.05)) == found


def test_differences_and_groups_of_three_variants():
    scores = {"a": range(8), "b": range(1, 9), "c": range(100, 108)}
    different = differences(scores, alpha=0.05)
    assert set(different) == {frozenset("ac"), frozenset("bc")}
    assert different[frozenset("ac")] == pytest.approx(3 * 2 / 12870)
    assert groups("abc", different) == [("a", "b"), ("c",)]


def test_groups_may_overlap():
    assert groups("abc", [frozenset("ac")]) == [("a", "b"), ("b", "c")]
    assert groups("abc", []) == [("a", "b", "c")]
    assert groups("abc", map(frozenset, combinations("abc", 2))) == [("a",), ("b",), ("c",)]


@given(st.sets(st.sampled_from([frozenset(pair) for pair in combinations("abcdef", 2)])))
def test_two_variants_share_a_group_if_and_only_if_they_do_not_differ(different):
    found = groups("abcdef", different)
    sharing = {frozenset(pair) for group in found for pair in combinations(group, 2)}
    assert sharing == {frozenset(pair) for pair in combinations("abcdef", 2)} - different
    assert set().union(*found) == set("abcdef")
    assert not any(set(a) < set(b) for a in found for b in found)
