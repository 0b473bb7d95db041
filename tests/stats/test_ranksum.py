from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from bench.stats import MIN_RUNS, differences, groups, holm, mann_whitney, runs_needed


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


def test_ties_among_many_runs_are_as_scipy_has_them():
    """One tie makes it ours up to MANY runs, and the approximation beyond."""
    few, many = np.arange(60.0), np.arange(300.0)
    exact = mann_whitney(few, np.append(few[1:] + 7.5, 7.0))
    close = mannwhitneyu(few, np.append(few[1:] + 7.5, 7.0), method="asymptotic").pvalue
    assert exact == pytest.approx(close, rel=0.02) and exact != close
    other = np.append(many[1:] + 7.5, 7.0)
    assert mann_whitney(many, other) == mannwhitneyu(many, other, method="asymptotic").pvalue
