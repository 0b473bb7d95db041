"""The opening paragraph of a report, the table of a search, and that of checkpoints."""

import made
import pytest
from made import normal, search, seeds

from bench.reporting.claims import assess_claims
from bench.reporting.output.summary_paragraph import describe_claim_counts, describe_study
from bench.reporting.tables.comparisons import checkpoint_names, checkpoint_rows
from bench.reporting.tables.search import summarise_search
from bench.reporting.text.search_table import search_rows

LOW, HIGH = (list(normal(mean, 1, 10)) for mean in (10, 40))


def opening(*stages):
    comparisons = made.comparisons(*stages)
    return describe_study(comparisons, assess_claims(comparisons))


def test_it_names_a_winner_only_where_the_test_does():
    assert "a comes first by mean and differs significantly from every other." in opening(
        seeds({"a": LOW, "b": HIGH})
    )
    few = opening(seeds({"a": [1.0, 2.0], "b": [8.0, 9.0]}))
    assert "Too few seeds to rank" in few and "comes first" not in few


def test_one_seed_and_nothing_finished_give_no_winner():
    assert "comes first" not in opening(seeds({"a": [1.0], "b": [2.0]}))
    assert opening(seeds({"a": [None], "b": [None]})).startswith("No run has a Frechet distance")


def test_it_describes_each_data_set_and_the_search():
    space = search({"a": [8, 4], "b": [6, 2]})  # defaults over chosen: 2 and 3
    runs = seeds({"a": LOW, "b": HIGH}) + seeds({"a": HIGH, "b": LOW}, dataset="x")
    text = opening(space, runs)
    assert "On digits, protocol quick: the mean" in text
    assert "On x, protocol quick: the mean" in text
    assert "tried up to 2 configurations of a variant; its choice is 2.5 times better" in text


def test_every_claim_is_counted():
    comparisons = made.comparisons(seeds({"a": LOW, "b": [*LOW[:9], 99.0]}))
    assert describe_claim_counts(assess_claims(comparisons)) == (
        "Of the study's twelve claims, these runs reproduce one; they cannot judge the other "
        "eleven."
    )
    assert describe_claim_counts(assess_claims(made.comparisons(seeds({"a": [1.0]})))) == ""


def test_the_search_table_has_defaults_quartiles_and_choice():
    """Of 2, 4, 6, 8 and a divergence, which counts as the worst score: quartiles 4 and 8."""
    (comparison,) = made.comparisons(search({"a": [8, 2, None, 4, 6], "b": [None, None]}))
    first, second = search_rows(summarise_search(comparison.main))
    assert first == ("a", "5", "1", "8.00", "6.00 (4.00 to 8.00)", "2.00 (no. 1)")
    assert second == ("b", "2", "2", "\u2013", "8.00 (8.00 to 8.00)", "\u2013")


def test_a_search_takes_the_untrained_generators_score_where_rows_record_it():
    diverged = [made.run("a", None, sample=1, details={"untrained.frechet": 500.0})]
    (comparison,) = made.comparisons(search({"a": [8]}) + diverged)
    summary = summarise_search(comparison.main)
    assert summary.variants[0].costs == [8, 500] and not summary.untrained_estimated


def test_the_choice_is_by_the_split_that_selects():
    runs = [
        made.run("a", score, sample=n, details={"selection.frechet": by})
        for n, (score, by) in enumerate([(5, 3), (4, 9), (6, 2)])
    ]
    (comparison,) = made.comparisons(runs)
    best = summarise_search(comparison.main).variants[0].best
    assert (best.sample, best.score) == (2, 6)


def test_checkpoints_stand_side_by_side(written):
    from bench.reporting.data.collect import read_stages
    from bench.reporting.tables.comparisons import build_comparisons

    for seed, (final, best) in enumerate([(4, 2), (6, 4)]):
        run_id = written.run("a", seed, final)
        chosen = {"chosen": {"by": "frechet", "split": "validation"}}
        written.score(run_id, "a", seed, best, checkpoint="best", protocol=chosen)
    (comparison,) = build_comparisons(read_stages(written.root, "s"))
    assert checkpoint_names(comparison) == ["best", "final"]
    ((_, texts),) = checkpoint_rows(comparison)
    assert texts == ["3.00 \u00b1 1.41", "5.00 \u00b1 1.41"]


def test_a_search_of_several_seeds_takes_their_mean():
    runs = [made.run("a", s, seed=i, sample=n) for n, i, s in ((0, 0, 9), (1, 0, 2), (1, 1, 4))]
    (comparison,) = made.comparisons(runs)
    best = summarise_search(comparison.main).variants[0].best
    assert (best.sample, best.score) == (1, pytest.approx(3))
