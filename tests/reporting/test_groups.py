"""Grouping of rows into tables: which rows may be compared, and which may not."""

import pytest
from made import measures_of

from bench.core.errors import UserError
from bench.reporting.data.collect import read_stages
from bench.reporting.data.protocols import describe_differences
from bench.reporting.tables.comparisons import build_comparisons
from bench.reporting.tables.groups import group_rows


def groups_of(written):
    return group_rows(read_stages(written.root, "s")[-1])


def runs_by_method(group):
    return {method.name: len(method.runs) for method in group.methods}


def test_runs_may_differ_in_their_own_choices(written):
    written.run("a", 0, 1)
    written.run("b", 0, 1, protocol={"prior": "normal", "batch_norm": "none", "ema": 0.999})
    (group,) = groups_of(written)
    assert runs_by_method(group) == {"a": 1, "b": 1}
    assert not {"prior", "batch_norm", "ema", "latent_seed"} & set(group.protocol)


@pytest.mark.parametrize("change", [{"n_fake": 500}, {"extractor": "x"}, {"split": "train"}])
def test_rows_of_two_protocols_are_two_groups(written, change):
    written.run("a", 0, 1)
    written.run("b", 0, 2, protocol=change)
    first, second = groups_of(written)
    assert sorted([runs_by_method(first), runs_by_method(second)], key=str) == [{"a": 1}, {"b": 1}]
    assert first.slug != second.slug


def test_data_sets_are_groups(written):
    written.run("a", 0, 1)
    written.run("a", 0, 1, dataset="ring")
    assert [group.slug for group in groups_of(written)] == ["digits-quick", "ring-quick"]


def test_a_run_scored_at_two_latents_is_not_counted_twice(written):
    for variant in ("a", "b"):
        run_id = written.run(variant, 0, 1)
        written.score(run_id, variant, 0, 2, protocol={"latent_seed": 7})
    groups = groups_of(written)
    assert [runs_by_method(group) for group in groups] == [{"a": 1, "b": 1}] * 2
    assert sorted(group.protocol["latent_seed"] for group in groups) == [0, 7]


def test_settings_split_a_variant_into_methods(written):
    for rate in ("0.1", "0.2"):
        for seed in (0, 1):
            written.run("a", seed, 1, settings=("x=1", f"hyperparameters.learning_rate={rate}"))
    written.run("b", 0, 1, settings=("x=1",))
    (group,) = groups_of(written)
    assert runs_by_method(group) == {"a (learning_rate=0.1)": 2, "a (learning_rate=0.2)": 2, "b": 1}


def test_a_penalty_beside_a_loss_is_a_method_of_its_own(written):
    for settings in (("loss=hinge",), ("loss=hinge", "penalty=r1")):
        for seed in (0, 1):
            written.run("a", seed, 1, settings=settings)
    (group,) = groups_of(written)
    assert runs_by_method(group) == {"a (as it is)": 2, "a (penalty=r1)": 2}


def test_a_run_without_a_row_is_counted_with_its_method(written):
    written.run("a", 0, 1)
    written.add_run_without_row("a", 1)
    written.add_run_without_row("b", 0)
    (group,) = groups_of(written)
    assert runs_by_method(group) == {"a": 2, "b": 1}
    assert group.methods[0].counts["failed"] == 1


def test_a_run_without_a_row_of_another_data_set_is_not(written):
    written.run("a", 0, 1, settings=("dataset=digits",))
    written.add_run_without_row("b", 0, settings=("dataset=ring",))
    (group,) = groups_of(written)
    assert runs_by_method(group) == {"a": 1}


def test_the_real_baseline_is_of_the_same_protocol(written):
    written.run("a", 0, 1)
    written.run("b", 0, 1, protocol={"split": "train"})
    written.add_real_baseline(0.25, prior=None, n_fake=1297)
    counts = {group.protocol["split"]: len(group.real_baseline) for group in groups_of(written)}
    assert counts == {"test": 1, "train": 0}


def test_runs_that_never_began_are_missing(mixed):
    counts = read_stages(mixed.root, "s")[-1].counts
    wanted = {"planned": 8, "finished": 4, "diverged": 2, "failed": 1, "unfinished": 0}
    assert counts == wanted | {"missing": 1}


def test_a_protocol_without_directions_is_refused(written):
    run_id = written.run("a", 0, 1, measures=measures_of({"frechet": "sideways"}))
    with pytest.raises(UserError, match=f"{run_id}/row-final-.*lower"):
        groups_of(written)


def test_a_run_that_diverged_counts_at_every_checkpoint(written):
    """It only has a final row, yet the table of best checkpoints must not leave it out."""
    run_id = written.run("a", 0, 1)
    written.score(run_id, "a", 0, 1, checkpoint="best", protocol={"chosen": {"every": 10}})
    written.run("a", 1, status="diverged")
    written.run("b", 0, status="diverged")  # no run of b has any other row
    written.add_run_without_row("a", 2)
    best, final = groups_of(written)
    assert (best.checkpoint, final.checkpoint) == ("best", "final")
    for group in (best, final):
        assert runs_by_method(group)["a"] == 3 and runs_by_method(group)["b"] == 1
        assert group.methods[0].counts["diverged"] == 1
        assert group.methods[0].counts["failed"] == 1


def test_a_diverged_run_counts_under_a_protocol_under_which_only_others_were_rescored(written):
    """Finished runs are scored again; a diverged run has no checkpoint to score."""
    for seed in range(2):
        run_id = written.run("a", seed, 1)
        written.score(run_id, "a", seed, 2, protocol={"n_fake": 500})
    written.run("a", 2, status="diverged")
    written.run("b", 0, status="diverged")
    groups = groups_of(written)
    assert len(groups) == 2
    for group in groups:
        (ours,) = (c for c in group.methods if c.variant == "a")
        assert (ours.counts["finished"], ours.counts["diverged"]) == (2, 1)


def test_a_slug_is_the_name_of_a_file_whatever_the_data_set_is_called(written):
    for dataset in ("../../evil", "a/b", "a_b"):
        written.run("a", 0, 1, dataset=dataset)
    slugs = [group.slug for group in groups_of(written)]
    assert len(set(slugs)) == 3 and not any(set(slug) & set("/\\<\"' ") for slug in slugs)
    assert slugs[0] == "_._.._evil-quick"  # not hidden


def test_a_generator_that_scoring_found_diverged_counts_as_diverged(written):
    """The run finished; under this protocol its samples are not finite."""
    written.run("a", 0, 1)
    run_id = written.add_run_without_row("a", 1, status="finished")
    written.score(run_id, "a", 1, None, status="diverged")
    (group,) = groups_of(written)
    counts = group.methods[0].counts
    assert (counts["finished"], counts["diverged"]) == (1, 1)


def kernel(block_size):
    return {"kernel": {"scores": {"kernel": "lower"}, "arguments": {"block_size": block_size}}}


def test_a_measure_that_was_added_later_joins_the_scores_that_were_there(written):
    """The row that has it alone is of the same protocol: one table, no score lost."""
    first, second = written.run("a", 0, 1), written.run("b", 0, 2)
    for run_id, variant in ((first, "a"), (second, "b")):
        written.score(run_id, variant, 0, scores={"kernel": 0.5}, measures=kernel(None))
    (group,) = groups_of(written)
    assert list(group.metrics) == ["frechet", "recall", "kernel"]
    found = {m.run.variant: dict(m.row.scores) for m in group.runs}
    assert found["b"] == {"frechet": 2.0, "recall": 0.5, "kernel": 0.5}
    assert group.protocol["measures"]["kernel"] == {"arguments": {"block_size": None}}


def test_one_measure_with_two_arguments_is_two_tables(written):
    for variant, blocks in (("a", None), ("b", 50)):
        measures = measures_of({"frechet": "lower"}) | kernel(blocks)
        run_id = written.add_run_without_row(variant, 0, status="finished")
        scores = {"frechet": 1.0, "kernel": 0.5}
        written.score(run_id, variant, 0, scores=scores, measures=measures)
    groups = groups_of(written)
    assert [list(runs_by_method(group)) for group in groups] in ([["a"], ["b"]], [["b"], ["a"]])
    assert describe_differences(groups[0].protocol, groups[1].protocol) == [
        "settings of the measures (kernel)"
    ]
    assert len(build_comparisons(read_stages(written.root, "s"))) == 2


def test_a_run_that_failed_first_and_finished_later_has_its_scores(written):
    """Its measures changed in between, so that both rows are there."""
    run_id = written.run("a", 0, 1)
    for kind in ("lower", "higher"):  # names of files that sort before and after
        measures = measures_of({"kernel": kind})
        written.score(run_id, "a", 0, scores={}, status="failed", measures=measures)
    (group,) = groups_of(written)
    assert [dict(m.row.scores) for m in group.runs] == [{"frechet": 1.0, "recall": 0.5}]


def test_a_score_that_one_run_alone_has_does_not_order_the_table(written):
    measures = measures_of({"recall": "higher"})
    for variant in "ab":
        run_id = written.add_run_without_row(variant, 0, status="finished")
        written.score(run_id, variant, 0, scores={"recall": 0.5}, measures=measures)
    added = measures_of({"frechet": "lower"})
    written.score(written.runs[0], "a", 0, scores={"frechet": 1.0}, measures=added)
    (group,) = groups_of(written)
    assert list(group.metrics) == ["recall", "frechet"] and group.first == "recall"
