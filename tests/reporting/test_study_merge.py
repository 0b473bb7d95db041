"""Own runs beside published ones: one table, equal protocols, and no silent contradiction."""

import dataclasses
import sys

import pytest
from made import normal, seeds

from bench.commands import cli
from bench.core.errors import UserError
from bench.reporting import load
from bench.reporting.data.collect import read_stages
from bench.reporting.data.records import StageRecord
from bench.reporting.report import write_report
from bench.reporting.tables.comparisons import build_comparisons
from bench.reporting.tables.study_merge import NamedStudy, merge_studies


def study(name, *runs, stage="all"):
    return NamedStudy(name, [StageRecord(name, "command", stage, tuple(runs), ())])


def merged(*studies):
    (stage,) = merge_studies(studies[0], studies[1:], "bench report mine --with theirs")
    return stage


def table_of(stage):
    (comparison,) = build_comparisons([stage])
    return comparison.main


def test_own_rows_rank_in_the_published_table_and_published_ones_are_marked():
    theirs = study("theirs", *seeds({"wgan": normal(10, 1, 10), "vae": normal(30, 1, 10)}))
    mine = study("mine", *seeds({"my_gan": normal(20, 1, 10)}))
    table = table_of(merged(mine, theirs))
    assert [row.name for row in table.rows] == ["wgan [theirs]", "my_gan", "vae [theirs]"]
    assert [row.cells["frechet"].mean for row in table.rows] == pytest.approx([10, 20, 30])
    assert all(row.cells["frechet"].interval is not None for row in table.rows)
    assert table.ranking.letters == {"wgan [theirs]": "a", "my_gan": "b", "vae [theirs]": "c"}


def test_seeds_of_two_people_are_one_row_and_a_run_of_both_counts_once():
    """Seeds 0, 1, 2 and 2, 3: four runs with mean (1 + 2 + 3 + 6) / 4 = 3."""
    first, second = seeds({"wgan": [1, 2, 3]}), seeds({"wgan": [0, 0, 3, 6]})[2:]
    table = table_of(merged(study("a", *first), study("b", *second)))
    (row,) = table.rows
    assert (row.name, row.cells["frechet"].n) == ("wgan [b in part]", 4)
    assert row.cells["frechet"].mean == 3.0


def test_a_configuration_of_each_study_is_no_search():
    """One is sample 0, one sample 7: each study has one configuration of the variant."""
    mine, theirs = seeds({"wgan": [1, 2]}), seeds({"wgan": [3, 4]}, sample=7)
    stage = merged(study("a", *mine), study("b", *theirs))
    assert not stage.is_search
    assert {row.name for row in table_of(stage).rows} == {"wgan", "wgan [b]"}


@pytest.mark.parametrize(
    ("protocol", "difference"),
    [
        ({"n_fake": 500}, "n_fake (500, 2000)"),
        ({"extractor": "inception_2015"}, "extractor (inception_2015, digits_convnet)"),
        ({"resize": {"size": 8, "how": "area"}}, "resize"),
    ],
)
def test_unequal_protocols_are_refused_by_name(protocol, difference):
    mine = study("mine", *seeds({"a": [1, 2]}, protocol=protocol))
    with pytest.raises(UserError, match="mine and theirs score digits at final") as error:
        merged(mine, study("theirs", *seeds({"b": [1, 2]})))
    assert difference in error.value.message


def test_the_settings_of_a_measure_are_named_by_their_keys():
    def with_degree(runs, degree):
        for run in runs:
            measures = {
                n: {**m, "arguments": {"degree": degree}} for n, m in run.rows[0].measures.items()
            }
            yield dataclasses.replace(
                run, rows=(dataclasses.replace(run.rows[0], measures=measures),)
            )

    mine, theirs = (seeds({name: [1, 2]}) for name in "ab")
    with pytest.raises(UserError, match=r"measures\.frechet\.arguments\.degree \(3, 2\)"):
        merged(study("mine", *with_degree(mine, 3)), study("theirs", *with_degree(theirs, 2)))


def test_without_a_common_data_set_there_is_no_table():
    with pytest.raises(UserError, match="mine has runs on ring, theirs on digits"):
        merged(
            study("mine", *seeds({"a": [1, 2]}, dataset="ring")),
            study("theirs", *seeds({"b": [1, 2]})),
        )


def test_contradicting_scores_digests_and_outcomes_are_named():
    mine = seeds({"wgan": [1, 2]})
    score = seeds({"wgan": [1, 2.5]})
    with pytest.raises(UserError, match="contradict each other") as error:
        merged(study("mine", *mine), study("theirs", *score))
    (name,) = {run.run_id for run in mine} - {mine[0].run_id}
    assert f"run {name} in mine and theirs: frechet of final/frechet-" in error.value.message
    assert "(2.0, 2.5)" in error.value.message and mine[0].run_id not in error.value.message
    bits = [
        dataclasses.replace(run, digests={"step-0": d}) for run, d in zip(mine, "ab", strict=True)
    ]
    other = [dataclasses.replace(run, digests={"step-0": "a"}) for run in mine]
    with pytest.raises(UserError, match=r"step-0 of digests.json \(b, a\)") as error:
        merged(study("mine", *bits), study("theirs", *other))
    assert mine[0].run_id not in error.value.message
    with pytest.raises(UserError, match=r"status \(finished, diverged\)"):
        merged(study("mine", *mine), study("theirs", *seeds({"wgan": [1, None]})))


def test_a_run_that_ended_elsewhere_takes_its_rows_from_there():
    ended = seeds({"wgan": [1, 2]})
    missing = [dataclasses.replace(run, status="missing", rows=()) for run in ended]
    stage = merged(study("mine", ended[0], missing[1]), study("theirs", *ended))
    assert [run.status for run in stage.runs] == ["finished", "finished"]
    assert table_of(stage).rows[0].cells["frechet"].mean == 1.5


def test_marks_are_kept_by_the_report_and_a_strangers_names_run_nothing(
    written, tmp_path, run_command, monkeypatch
):
    """The published run names a module that would write a file on import."""
    (tmp_path / "evil_module.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.syspath_prepend(str(tmp_path))
    for seed in range(2):
        written.run("mine", seed, 5 + seed)
    stage = StageRecord("s", "command", "all", tuple(_evil_runs(written)), ())
    write_report([stage], tmp_path / "theirs")
    words = ["report", "s", "--with", str(tmp_path / "theirs"), f"--runs-root={written.root}"]
    done = run_command(cli.main, *words, f"--to={tmp_path / 'both'}")
    assert done.returncode == 0, done.stderr
    assert "evil [theirs]" in done.stdout and "marked [theirs] are that study's" in done.stdout
    assert not (tmp_path / "ran").exists() and "evil_module" not in sys.modules
    runs = load(tmp_path / "both").stages[-1].runs
    assert {(run.variant, run.source) for run in runs if run.rows} == {
        ("mine", ""),
        ("evil", "theirs"),
    }


def _evil_runs(written):
    """Return published runs under the protocol of `written` whose settings name code."""
    (stage,) = read_stages(written.root, "s")
    for run in (run for run in stage.runs if run.rows):
        names = {"run_id": run.run_id[::-1], "variant": "evil"}
        yield dataclasses.replace(
            run,
            **names,
            overrides=("model.objective.loss._target_=evil_module.Loss", *run.overrides),
            environment={"code": {"evil_module.py": "ab"}, "import_roots": ["."], "packages": {}},
            rows=(dataclasses.replace(run.rows[0], **names),),
        )
