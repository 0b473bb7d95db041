"""Several data sets together."""

import made
import numpy as np
import pytest
from made import normal, search, seeds

from bench.reporting.output.summary_paragraph import overall_said
from bench.reporting.tables.overall import overall_of


def overall(*datasets):
    """A mapping of variant -> scores for each data set."""
    runs = [run for n, scores in enumerate(datasets) for run in seeds(scores, dataset=f"d{n}")]
    return overall_of(made.comparisons(runs))


LOW, MIDDLE, HIGH = (list(normal(mean, 0.1, 10)) for mean in (10, 20, 40))


def test_ranks_and_multiples_do_not_see_a_data_sets_scale():
    """a is best on both; b is twice and then four times as far: its middle half averages 3."""
    scale = [[1000 * x for x in values] for values in (LOW, HIGH)]
    found = overall({"a": LOW, "b": MIDDLE}, {"a": scale[0], "b": scale[1]})
    assert [(line.name, line.rank) for line in found.lines] == [("a", 1.0), ("b", 2.0)]
    assert found.lines[0].times == pytest.approx(1, abs=0.01)
    assert found.lines[1].times == pytest.approx(3, abs=0.05)
    low, high = found.lines[1].interval
    assert 2.9 < low < found.lines[1].times < high < 3.1


def test_two_data_sets_cannot_tell_two_variants_and_the_report_says_so():
    """Two contenders alike in N blocks have p = 2^(1 - N): six are needed."""
    found = overall({"a": LOW, "b": HIGH}, {"a": LOW, "b": HIGH})
    assert (found.p, found.needed) == (None, 6)
    assert {line.letters for line in found.lines} == {""}
    assert "two data sets cannot show a difference between 2 variants; 6 could" in overall_said(
        found
    )


def test_six_data_sets_in_one_order_tell_two_variants_apart():
    """Friedman's chi-square is 6 for one degree of freedom: p = 0.0143."""
    found = overall(*[{"a": LOW, "b": HIGH}] * 6)
    assert found.p == pytest.approx(0.014306, abs=1e-6)
    assert [line.letters for line in found.lines] == ["a", "b"]
    assert "p = 0.014" in overall_said(found)


def test_variants_of_one_data_set_alone_are_left_out():
    found = overall({"a": LOW, "b": HIGH, "c": LOW}, {"a": LOW, "b": HIGH})
    assert [line.name for line in found.lines] == ["a", "b"]
    assert overall({"a": LOW, "b": HIGH}, {"c": LOW, "d": HIGH}) is None
    assert overall({"a": LOW, "b": HIGH}) is None


def test_diverged_runs_rank_last():
    lost = [*LOW[:4], *[None] * 6]
    found = overall({"a": lost, "b": HIGH}, {"a": lost, "b": HIGH})
    assert [line.name for line in found.lines] == ["b", "a"]
    assert np.isinf(found.lines[1].times)


def test_a_data_set_on_which_all_diverged_is_left_out():
    lost = {"a": [None] * 10, "b": [None] * 10}
    assert overall({"a": LOW, "b": HIGH}, lost) is None
    assert overall({"a": LOW, "b": HIGH}, lost, {"a": LOW, "b": HIGH}).datasets == ("d0", "d2")


def test_few_seeds_have_no_interval_and_a_search_is_no_data_set():
    found = overall({"a": [1.0], "b": [2.0]}, {"a": [1.0], "b": [2.0]})
    assert found.lines[0].interval is None
    assert overall_of(made.comparisons(search({"a": [1, 2], "b": [3, 4]}))) is None
