"""What may stand in one table, and what may not."""

import pytest

from bench.core.errors import UserError
from bench.reporting.data.collect import read_stages
from bench.reporting.tables.groups import group_rows


def groups_of(written):
    return group_rows(read_stages(written.root, "s")[-1])


def members(group):
    return {contender.name: len(contender.members) for contender in group.contenders}


def test_runs_may_differ_in_their_own_choices(written):
    written.run("a", 0, 1)
    written.run("b", 0, 1, protocol={"prior": "normal", "batch_norm": "none", "ema": 0.999})
    (group,) = groups_of(written)
    assert members(group) == {"a": 1, "b": 1}
    assert not {"prior", "batch_norm", "ema", "latent_seed"} & set(group.protocol)


@pytest.mark.parametrize("change", [{"n_fake": 500}, {"extractor": "x"}, {"split": "train"}])
def test_rows_of_two_protocols_are_two_groups(written, change):
    written.run("a", 0, 1)
    written.run("b", 0, 2, protocol=change)
    first, second = groups_of(written)
    assert sorted([members(first), members(second)], key=str) == [{"a": 1}, {"b": 1}]
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
    assert [members(group) for group in groups] == [{"a": 1, "b": 1}] * 2
    assert sorted(group.protocol["latent_seed"] for group in groups) == [0, 7]


def test_settings_part_a_variant(written):
    for rate in ("0.1", "0.2"):
        for seed in (0, 1):
            written.run("a", seed, 1, settings=("x=1", f"hyperparameters.learning_rate={rate}"))
    written.run("b", 0, 1, settings=("x=1",))
    (group,) = groups_of(written)
    assert members(group) == {"a (learning_rate=0.1)": 2, "a (learning_rate=0.2)": 2, "b": 1}


def test_a_run_without_a_row_is_counted_with_its_like(written):
    written.run("a", 0, 1)
    written.bare("a", 1)
    written.bare("b", 0)
    (group,) = groups_of(written)
    assert members(group) == {"a": 2, "b": 1}
    assert group.contenders[0].counts["failed"] == 1


def test_a_run_without_a_row_of_another_data_set_is_not(written):
    written.run("a", 0, 1, settings=("dataset=digits",))
    written.bare("b", 0, settings=("dataset=ring",))
    (group,) = groups_of(written)
    assert members(group) == {"a": 1}


def test_the_floor_is_of_the_same_protocol(written):
    written.run("a", 0, 1)
    written.run("b", 0, 1, protocol={"split": "train"})
    written.floor(0.25, prior=None, n_fake=1297)
    found = {group.protocol["split"]: len(group.floor) for group in groups_of(written)}
    assert found == {"test": 1, "train": 0}


def test_runs_that_never_began_are_missing(mixed):
    counts = read_stages(mixed.root, "s")[-1].counts
    wanted = {"planned": 8, "finished": 4, "diverged": 2, "failed": 1, "unfinished": 0}
    assert counts == wanted | {"missing": 1}


def test_a_protocol_without_directions_is_refused(written):
    run_id = written.run("a", 0, 1, protocol={"metrics": {"frechet": "sideways"}})
    with pytest.raises(UserError, match=f"{run_id}/rows/final-.*lower"):
        groups_of(written)


def test_a_run_that_diverged_counts_at_every_checkpoint(written):
    """It has a final row alone; else the best checkpoints' table would show survivors only."""
    run_id = written.run("a", 0, 1)
    written.score(run_id, "a", 0, 1, checkpoint="best", protocol={"chosen": {"every": 10}})
    written.run("a", 1, status="diverged")
    written.run("b", 0, status="diverged")  # of which no run has any other row
    written.bare("a", 2)
    best, final = groups_of(written)
    assert (best.checkpoint, final.checkpoint) == ("best", "final")
    for group in (best, final):
        assert members(group)["a"] == 3 and members(group)["b"] == 1
        assert group.contenders[0].counts["diverged"] == 1
        assert group.contenders[0].counts["failed"] == 1


def test_a_run_that_diverged_counts_under_a_protocol_that_only_others_were_scored_again_under(
    written,
):
    """Those who finished are scored again; who diverged leaves nothing that could be."""
    for seed in range(2):
        run_id = written.run("a", seed, 1)
        written.score(run_id, "a", seed, 2, protocol={"n_fake": 500})
    written.run("a", 2, status="diverged")
    written.run("b", 0, status="diverged")
    groups = groups_of(written)
    assert len(groups) == 2
    for group in groups:
        (ours,) = (c for c in group.contenders if c.variant == "a")
        assert (ours.counts["finished"], ours.counts["diverged"]) == (2, 1)


def test_a_slug_is_the_name_of_a_file_whatever_the_data_set_is_called(written):
    for dataset in ("../../evil", "a/b", "a_b"):
        written.run("a", 0, 1, dataset=dataset)
    slugs = [group.slug for group in groups_of(written)]
    assert len(set(slugs)) == 3 and not any(set(slug) & set("/\\<\"' ") for slug in slugs)
    assert slugs[0] == ".._.._evil-quick"


def test_a_generator_that_scoring_found_diverged_counts_as_diverged(written):
    """The run finished; under this protocol its samples are not finite."""
    written.run("a", 0, 1)
    run_id = written.bare("a", 1, status="finished")
    written.score(run_id, "a", 1, None, status="diverged")
    (group,) = groups_of(written)
    counts = group.contenders[0].counts
    assert (counts["finished"], counts["diverged"]) == (1, 1)
