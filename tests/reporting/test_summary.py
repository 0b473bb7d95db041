"""Means, order and verdicts, from scores whose statistics are known by hand."""

import pytest

from bench.reporting.data.collect import read_stages
from bench.reporting.tables.groups import group_rows
from bench.reporting.tables.summary import cell_of, median_run, summarise
from bench.reporting.text.words import verdict


def table_of(written):
    (group,) = group_rows(read_stages(written.root, "s")[-1])
    return summarise(group)


def test_a_cell_holds_mean_spread_and_range():
    cell = cell_of([2.0, 4.0, 9.0])
    assert (cell.n, cell.mean, cell.low, cell.high) == (3, 5.0, 2.0, 9.0)
    assert cell.sd == pytest.approx(13**0.5)  # (9 + 1 + 16) / 2
    assert cell_of([7.0]).sd is None


def test_an_interval_needs_ten_runs():
    assert cell_of(range(9)).interval is None
    low, high = cell_of(range(10)).interval
    # Normal approximation: 4.5 +/- 1.96 sqrt(8.25 / 10), where 8.25 is the variance with n.
    assert low == pytest.approx(4.5 - 1.78, abs=0.15)
    assert high == pytest.approx(4.5 + 1.78, abs=0.15)


def test_lines_are_ordered_by_mean_and_the_diverged_stay(mixed):
    table = table_of(mixed)
    assert [line.name for line in table.lines] == ["wgan", "ns_gan", "mine"]
    assert [line.cells["frechet"].mean for line in table.lines[:2]] == [3.0, 6.0]
    assert table.lines[2].cells == {}
    assert table.lines[2].contender.counts["diverged"] == 2
    assert table.lines[0].contender.counts["failed"] == 1
    assert table.floor["frechet"].mean == 0.25


def test_a_score_that_is_better_higher_orders_the_other_way(written):
    up = {"metrics": {"frechet": "higher", "recall": "higher"}}
    written.run("a", 0, 1, protocol=up)
    written.run("b", 0, 2, protocol=up)
    assert [line.name for line in table_of(written).lines] == ["b", "a"]


@pytest.mark.parametrize("seeds, letters", [(3, {}), (4, {"a": "a", "b": "b"})])
def test_two_separated_variants_differ_from_four_seeds_on(written, seeds, letters):
    """2 / C(2n, n) is 0.1 for 3 against 3 and 0.029 for 4 against 4."""
    for seed in range(seeds):
        written.run("a", seed, 1 + seed)
        written.run("b", seed, 101 + seed)
    found = table_of(written).verdict
    assert (found.fewest, found.needed) == (seeds, 4)
    assert found.letters == letters


def test_a_diverged_run_counts_as_the_worst_score(written):
    for seed in range(4):
        written.run("steady", seed, 10 + seed)
    for seed in (0, 1):
        written.run("lucky", seed, 1 + seed)
    for seed in (2, 3):
        written.run("lucky", seed, status="diverged")
    table = table_of(written)
    assert table.lines[0].name == "lucky"  # by mean of what finished
    assert set(table.verdict.letters.values()) == {"a"}  # but 2 of 4 are worse than all others


def test_a_variant_whose_failures_have_no_score_does_not_win(written):
    """Ranks 1, 10 ... 16 of 16: 67 of 12,870 ways are as far or farther out, p = 0.0104."""
    for seed in range(8):
        written.run("steady", seed, 10 + seed)
    written.run("lucky", 0, 1)
    for seed in range(1, 8):
        written.run("lucky", seed, status="diverged")
    table = table_of(written)
    assert table.lines[0].name == "lucky"
    assert table.verdict.ahead == ("steady",)
    said = verdict(table)
    assert "steady did significantly better" in said and "differs significantly" not in said


def test_a_variant_with_too_few_seeds_is_left_out_of_the_comparison(written):
    for seed in range(6):  # three variants need 2 / C(2n, n) <= 0.05 / 3: n = 5
        written.run("a", seed, 1 + seed)
        written.run("b", seed, 101 + seed)
    written.run("c", 0, 50)
    found = table_of(written).verdict
    assert (found.needed, found.compared) == (5, ("a", "b"))
    assert found.letters == {"a": "a", "b": "b"}


@pytest.mark.parametrize("scores, median", [([5, 1, 3], 3), ([4, 1, 3, 2], 2), ([9], 9)])
def test_the_median_run_is_the_lower_of_two(written, scores, median):
    for seed, frechet in enumerate(scores):
        written.run("a", seed, frechet)
    value, run = median_run(table_of(written).lines[0].contender, "frechet")
    assert (value, run.seed) == (median, scores.index(median))


def test_no_run_with_a_score_has_no_median(written):
    written.run("a", 0, status="diverged")
    assert median_run(table_of(written).lines[0].contender, "frechet") is None


def test_the_letters_of_many_groups_do_not_share_a_sign(written):
    """Thirty contenders, each apart from all others: the 27th is not in the first one's group."""
    for place in range(30):
        for seed in range(9):
            written.run(f"v{place:02d}", seed, 10 * place + 1 + 0.1 * seed)
    found = table_of(written).verdict.letters
    assert len(found) == 30
    assert not set(found["v00"]) & {sign for n, s in found.items() if n != "v00" for sign in s}
    assert found["v25"] == "z" and len(set(found.values())) == 30
