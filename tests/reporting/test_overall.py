"""Comparison of variants over several data sets."""

import made
import numpy as np
import pytest
from made import normal, search, seeds

from bench.reporting.output.summary_paragraph import describe_overall_test
from bench.reporting.tables.overall import compare_over_datasets


def overall(*datasets):
    """Compare over data sets, each given as variant -> scores."""
    runs = [run for n, scores in enumerate(datasets) for run in seeds(scores, dataset=f"d{n}")]
    return compare_over_datasets(made.comparisons(runs))


LOW, MIDDLE, HIGH = (list(normal(mean, 0.1, 10)) for mean in (10, 20, 40))


def test_ranks_and_multiples_do_not_depend_on_a_data_sets_scale():
    """a is best on both; b is twice and then four times as far: its middle half averages 3."""
    scale = [[1000 * x for x in values] for values in (LOW, HIGH)]
    ranking = overall({"a": LOW, "b": MIDDLE}, {"a": scale[0], "b": scale[1]})
    assert [(row.name, row.rank) for row in ranking.rows] == [("a", 1.0), ("b", 2.0)]
    assert ranking.rows[0].times_best == pytest.approx(1, abs=0.01)
    assert ranking.rows[1].times_best == pytest.approx(3, abs=0.05)
    low, high = ranking.rows[1].interval
    assert 2.9 < low < ranking.rows[1].times_best < high < 3.1


def test_two_data_sets_cannot_tell_two_variants_and_the_report_says_so():
    """Two variants in one order on N data sets have p = 2^(1 - N): six are needed."""
    ranking = overall({"a": LOW, "b": HIGH}, {"a": LOW, "b": HIGH})
    assert (ranking.p, ranking.datasets_needed) == (None, 6)
    assert {row.letters for row in ranking.rows} == {""}
    sentence = describe_overall_test(ranking)
    assert "two data sets cannot show a difference between 2 variants; it takes 6" in sentence


def test_six_data_sets_in_one_order_tell_two_variants_apart():
    """Friedman's chi-square is 6 for one degree of freedom: p = 0.0143."""
    ranking = overall(*[{"a": LOW, "b": HIGH}] * 6)
    assert ranking.p == pytest.approx(0.014306, abs=1e-6)
    assert [row.letters for row in ranking.rows] == ["a", "b"]
    assert "p = 0.014" in describe_overall_test(ranking)


def test_variants_of_one_data_set_alone_are_left_out():
    ranking = overall({"a": LOW, "b": HIGH, "c": LOW}, {"a": LOW, "b": HIGH})
    assert [row.name for row in ranking.rows] == ["a", "b"]
    assert overall({"a": LOW, "b": HIGH}, {"c": LOW, "d": HIGH}) is None
    assert overall({"a": LOW, "b": HIGH}) is None


def test_diverged_runs_rank_last():
    lost = [*LOW[:4], *[None] * 6]
    ranking = overall({"a": lost, "b": HIGH}, {"a": lost, "b": HIGH})
    assert [row.name for row in ranking.rows] == ["b", "a"]
    assert np.isinf(ranking.rows[1].times_best)


def test_a_data_set_on_which_all_diverged_is_left_out():
    lost = {"a": [None] * 10, "b": [None] * 10}
    assert overall({"a": LOW, "b": HIGH}, lost) is None
    assert overall({"a": LOW, "b": HIGH}, lost, {"a": LOW, "b": HIGH}).datasets == ("d0", "d2")


def test_few_seeds_have_no_interval_and_a_search_is_no_data_set():
    ranking = overall({"a": [1.0], "b": [2.0]}, {"a": [1.0], "b": [2.0]})
    assert ranking.rows[0].interval is None
    assert compare_over_datasets(made.comparisons(search({"a": [1, 2], "b": [3, 4]}))) is None
