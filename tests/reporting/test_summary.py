"""Means, order and ranking test, from scores whose statistics are derived by hand."""

import pytest
from made import measures_of

from bench.reporting.data.collect import read_stages
from bench.reporting.tables.groups import group_rows
from bench.reporting.tables.summary import median_run, summarise, summarise_scores
from bench.reporting.text.words import describe_ranking


def table_of(written):
    (group,) = group_rows(read_stages(written.root, "s")[-1])
    return summarise(group)


def test_a_cell_holds_mean_spread_and_range():
    cell = summarise_scores([2.0, 4.0, 9.0])
    assert (cell.n, cell.mean, cell.low, cell.high) == (3, 5.0, 2.0, 9.0)
    assert cell.sd == pytest.approx(13**0.5)  # (9 + 1 + 16) / 2
    assert summarise_scores([7.0]).sd is None


def test_an_interval_needs_ten_runs():
    assert summarise_scores(range(9)).interval is None
    low, high = summarise_scores(range(10)).interval
    # Normal approximation: 4.5 +/- 1.96 sqrt(8.25 / 10), where 8.25 is the variance with n.
    assert low == pytest.approx(4.5 - 1.78, abs=0.15)
    assert high == pytest.approx(4.5 + 1.78, abs=0.15)


def test_rows_are_ordered_by_mean_and_diverged_methods_stay(mixed):
    table = table_of(mixed)
    assert [row.name for row in table.rows] == ["wgan", "ns_gan", "mine"]
    assert [row.cells["frechet"].mean for row in table.rows[:2]] == [3.0, 6.0]
    assert table.rows[2].cells == {}
    assert table.rows[2].method.counts["diverged"] == 2
    assert table.rows[0].method.counts["failed"] == 1
    assert table.real_baseline["frechet"].mean == 0.25


def test_a_score_that_is_better_higher_orders_the_other_way(written):
    up = measures_of({"frechet": "higher", "recall": "higher"})
    written.run("a", 0, 1, measures=up)
    written.run("b", 0, 2, measures=up)
    assert [row.name for row in table_of(written).rows] == ["b", "a"]


@pytest.mark.parametrize("seeds, letters", [(3, {}), (4, {"a": "a", "b": "b"})])
def test_two_separated_variants_differ_from_four_seeds_on(written, seeds, letters):
    """2 / C(2n, n) is 0.1 for 3 against 3 and 0.029 for 4 against 4."""
    for seed in range(seeds):
        written.run("a", seed, 1 + seed)
        written.run("b", seed, 101 + seed)
    ranking = table_of(written).ranking
    assert (ranking.min_runs, ranking.runs_needed) == (seeds, 4)
    assert ranking.letters == letters


def test_a_diverged_run_counts_as_the_worst_score(written):
    for seed in range(4):
        written.run("steady", seed, 10 + seed)
    for seed in (0, 1):
        written.run("lucky", seed, 1 + seed)
    for seed in (2, 3):
        written.run("lucky", seed, status="diverged")
    table = table_of(written)
    assert table.rows[0].name == "lucky"  # by mean of what finished
    assert set(table.ranking.letters.values()) == {"a"}  # but 2 of 4 are worse than all others


def test_a_variant_whose_failures_have_no_score_does_not_win(written):
    """Ranks 1, 10 ... 16 of 16: 67 of 12,870 ways are as far or farther out, p = 0.0104."""
    for seed in range(8):
        written.run("steady", seed, 10 + seed)
    written.run("lucky", 0, 1)
    for seed in range(1, 8):
        written.run("lucky", seed, status="diverged")
    table = table_of(written)
    assert table.rows[0].name == "lucky"
    assert table.ranking.better_than_first == ("steady",)
    text = describe_ranking(table)
    assert "steady did significantly better" in text and "differs significantly" not in text


def test_a_variant_with_too_few_seeds_is_left_out_of_the_comparison(written):
    for seed in range(6):  # three variants need 2 / C(2n, n) <= 0.05 / 3: n = 5
        written.run("a", seed, 1 + seed)
        written.run("b", seed, 101 + seed)
    written.run("c", 0, 50)
    ranking = table_of(written).ranking
    assert (ranking.runs_needed, ranking.compared) == (5, ("a", "b"))
    assert ranking.letters == {"a": "a", "b": "b"}


@pytest.mark.parametrize("scores, median", [([5, 1, 3], 3), ([4, 1, 3, 2], 2), ([9], 9)])
def test_the_median_run_is_the_lower_of_two(written, scores, median):
    for seed, frechet in enumerate(scores):
        written.run("a", seed, frechet)
    value, run = median_run(table_of(written).rows[0].method, "frechet")
    assert (value, run.seed) == (median, scores.index(median))


def test_no_run_with_a_score_has_no_median(written):
    written.run("a", 0, status="diverged")
    assert median_run(table_of(written).rows[0].method, "frechet") is None


def test_the_letters_of_many_groups_are_distinct(written):
    """Of thirty methods that all differ, the 27th does not share the first one's letter."""
    for place in range(30):
        for seed in range(9):
            written.run(f"v{place:02d}", seed, 10 * place + 1 + 0.1 * seed)
    letters = table_of(written).ranking.letters
    assert len(letters) == 30
    assert not set(letters["v00"]) & {sign for n, s in letters.items() if n != "v00" for sign in s}
    assert letters["v25"] == "z" and len(set(letters.values())) == 30
