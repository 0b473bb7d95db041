"""Grouping of rows into tables: which rows may be compared, and which may not."""

import pytest
from made import measures_of

from bench.core.errors import UserError
from bench.reporting.claims.evidence import Evidence
from bench.reporting.data.collect import read_stages
from bench.reporting.data.protocols import describe_differences
from bench.reporting.output.latex import build_latex_files
from bench.reporting.output.leaderboard import build_boards
from bench.reporting.output.leaderboard_file import FORMATS
from bench.reporting.tables.comparisons import build_comparisons
from bench.reporting.tables.groups import group_rows
from bench.reporting.tables.overall import compare_over_datasets
from bench.reporting.tables.published import is_published_quantity, published_for
from bench.reporting.text.cells import class_table
from bench.reporting.wandb.publish import build_leaderboards


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


CONDITIONAL = {"conditional": True, "classes_drawn": "by the shares of the training split"}
ACCURACY = measures_of({"frechet": "lower", "class_accuracy": "higher"})


def classes_of(of_class, shares=(0.25, 0.75)):
    details = {f"class_accuracy.class_{k}": value for k, value in of_class.items()}
    return details | {f"class_accuracy.share_{k}": share for k, share in enumerate(shares)}


@pytest.fixture
def both(written):
    """Write runs of one variant, two unconditional and two conditional, and real samples."""
    for seed, accuracy in enumerate((0.5, 0.75)):
        written.run("a", seed, 1 + seed, settings=("conditioning=none",))
        scores = {"frechet": 3.0 + seed, "class_accuracy": accuracy}
        details = classes_of({0: accuracy, 1: 1.0})
        settings = ("conditioning=projection",)
        run_id = written.add_run_without_row("a", seed, settings=settings, status="finished")
        more = {"protocol": CONDITIONAL, "details": details, "measures": ACCURACY}
        written.score(run_id, "a", seed, scores=scores, **more)
    written.add_real_baseline(0.25, prior=None, n_fake=1297)
    return written


def test_conditional_and_unconditional_runs_never_share_a_table(both):
    plain, conditional = groups_of(both)
    assert (plain.slug, conditional.slug) == ("digits-quick", "digits-quick-conditional")
    assert [list(runs_by_method(group).values()) for group in (plain, conditional)] == [[2], [2]]
    assert [row.scores["frechet"] for row in plain.rows] == [1, 2]
    assert [row.scores["frechet"] for row in conditional.rows] == [3, 4]
    assert len(plain.real_baseline) == 1 and not conditional.real_baseline


def test_every_board_says_which_runs_it_is_of(both):
    comparisons = build_comparisons(read_stages(both.root, "s"))
    boards = build_boards(comparisons, ())
    assert [(len(b["lines"]), b["protocol"]) for b in boards] == [
        (1, "quick, final checkpoint"),
        (1, "quick, class-conditional, final checkpoint"),
    ]
    said = "2,000 class-conditional samples (classes drawn by the shares of the training split)"
    assert said in boards[1]["note"] and "2,000 generated samples" in boards[0]["note"]
    published = dict(build_leaderboards(comparisons))
    assert [len(board.rows) for board in published.values()] == [1, 1]
    assert said in published["digits-quick-conditional"].protocol
    for suffix, format_tables in FORMATS.items():
        parts = [format_tables([c.main]) for c in comparisons]
        assert ["onditional" in part for part in parts] == [False, True], suffix
    latex = [name for name in build_latex_files(comparisons, []) if name.startswith("scores-")]
    assert latex == [f"scores-quick{k}-digits_convnet-final.tex" for k in ("", "-conditional")]


def test_the_accuracies_of_classes_are_means_over_the_runs(both):
    """Class 0: (0.5 + 0.75) / 2; the unconditional table has none."""
    plain, conditional = (c.main for c in build_comparisons(read_stages(both.root, "s")))
    assert class_table(plain) is None
    titles, rows = class_table(conditional)
    assert titles == ("class", "share", "a")
    assert rows == [("0", "0.250", "0.625"), ("1", "0.750", "1.000")]


def test_real_accuracies_stand_beside_them(both):
    scores = {"frechet": 0.25, "class_accuracy": 0.9}
    protocol = CONDITIONAL | {"prior": None, "n_fake": 1297}
    more = {"protocol": protocol, "measures": ACCURACY, "details": classes_of({0: 0.9, 1: 0.9})}
    both.score("real-1", "real", 0, scores=scores, **more)
    conditional = build_comparisons(read_stages(both.root, "s"))[1].main
    titles, rows = class_table(conditional)
    assert titles[2:] == ("a", "real")
    assert [row[2:] for row in rows] == [("0.625", "0.900"), ("1.000", "0.900")]


def test_published_numbers_and_claims_are_of_unconditional_runs(both):
    plain, conditional = groups_of(both)
    assert not published_for(conditional) and not is_published_quantity(conditional)
    evidence = Evidence(build_comparisons(read_stages(both.root, "s")))
    assert [table.group.slug for table in evidence.rankings.values()] == [plain.slug]


def test_a_ranking_over_data_sets_mixes_no_conditional_runs_with_others(written):
    """Two variants on two data sets: conditional on one alone, they are not ranked together."""
    for variant, frechet in (("a", 1), ("b", 2)):
        written.run(variant, 0, frechet, protocol=CONDITIONAL, settings=("dataset=digits",))
        written.run(variant, 0, frechet, settings=("dataset=ring",), dataset="ring")
    comparisons = build_comparisons(read_stages(written.root, "s"))
    assert [c.main.group.conditional for c in comparisons] == [True, False]
    assert compare_over_datasets(comparisons) is None
    for variant, frechet in (("a", 1), ("b", 2)):
        more = {"protocol": CONDITIONAL, "dataset": "ring"}
        written.run(variant, 1, frechet, settings=("dataset=ring",), **more)
    overall = compare_over_datasets(build_comparisons(read_stages(written.root, "s")))
    assert overall.datasets == ("digits", "ring")
