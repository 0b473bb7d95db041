from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from bench.core.errors import UserError
from bench.theory import catalogue, runner, store
from bench.theory.not_covered import OMISSIONS
from bench.theory.runner import list_tasks, measure_all, run_experiments


def test_parts_are_measured_once_and_read_afterwards(experiment, measured, tmp_path):
    first = runner.run("t98", quick=True, runs_root=tmp_path)
    assert measured == [0, 1]
    again = runner.run("T98", quick=True, runs_root=tmp_path)
    assert measured == [0, 1]
    assert first.result == again.result and again.result.numbers[0].value == 1.0
    assert again.verdict == "not reproduced (quick)"


def test_full_and_quick_share_nothing(experiment, measured, tmp_path):
    runner.run("T98", quick=True, runs_root=tmp_path)
    full = runner.run("T98", runs_root=tmp_path)
    assert measured == [0, 1, 0, 1, 2]
    assert full.verdict == "reproduced" and full.result.numbers[0].value == 1.5


def test_what_was_interrupted_goes_on_with_the_parts_that_lack(experiment, measured, tmp_path):
    tasks = list_tasks([experiment], quick=True, runs_root=tmp_path)
    measure_all(tasks[:1], tmp_path, 1, lambda task, seconds: None)
    runner.run("T98", quick=True, runs_root=tmp_path)
    assert measured == [0, 1]


def test_a_new_version_is_measured_anew(experiment, measured, tmp_path, monkeypatch):
    runner.run("T98", quick=True, runs_root=tmp_path)
    newer = replace(experiment, version=2)
    monkeypatch.setattr(catalogue, "experiments_by_id", lambda: {"T98": newer})
    runner.run("T98", quick=True, runs_root=tmp_path)
    assert measured == [0, 1, 0, 1]


def test_a_damaged_result_is_named(experiment, tmp_path):
    runner.run("T98", quick=True, runs_root=tmp_path)
    path = list_tasks([experiment], quick=True, runs_root=tmp_path)[0].path
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(UserError, match=rf"{path.name} is damaged"):
        runner.run("T98", quick=True, runs_root=tmp_path)


def test_equal_settings_of_two_parts_are_refused(experiment, tmp_path):
    twice = replace(experiment, parts=lambda quick: {"a": {"seed": 0}, "b": {"seed": 0}})
    with pytest.raises(ValueError, match="two parts have the same settings"):
        list_tasks([twice], quick=True, runs_root=tmp_path)


def test_unknown_statements_are_named(experiment):
    with pytest.raises(UserError, match="no statement T7X; there are T98"):
        catalogue.select(["T98", "T7x"])


def test_results_hold_no_objects_and_the_same_bytes_each_time():
    arrays = {"a": np.arange(3.0), "b": np.array(True)}
    assert store.to_npz(arrays, {"k": 1}) == store.to_npz(arrays, {"k": 1})
    with pytest.raises(ValueError, match="'bad' of a result holds objects"):
        store.to_npz({"bad": np.array([object()])}, {})


def test_every_real_statement_is_complete():
    for one in catalogue.experiments_by_id().values():
        for quick in (False, True):
            list_tasks([one], quick=quick, runs_root=store.Path("runs"))
        assert 0 < one.minutes.quick <= one.minutes.full
        assert all(sign in one.rule for sign in ("Reproduced:", "ot reproduced:")), one.id
        for text in (one.statement, one.source, one.setup, one.rule, one.caveat):
            assert text.isascii() and text == text.strip()


def test_omissions_name_statements_that_exist():
    names = set(catalogue.experiments_by_id())
    for shown, text in OMISSIONS:
        assert names.issuperset(shown) and all(name in text for name in shown), shown


def test_parts_are_spread_over_workers(experiment, tmp_path, monkeypatch):
    """Over threads, as processes would not know the experiment of this test."""
    monkeypatch.setattr(
        runner, "ProcessPoolExecutor", lambda workers, *rest: ThreadPoolExecutor(workers)
    )
    done = []
    outcomes = [
        run_experiments(
            [experiment], quick=False, runs_root=tmp_path / str(count), processes=count,
            on_part_done=lambda task, seconds: done.append(task.part),
        )
        for count in (1, 2)
    ]  # fmt: skip
    assert sorted(done[:3]) == sorted(done[3:]) == ["seed 0", "seed 1", "seed 2"]
    assert outcomes[0][0].result == outcomes[1][0].result


@pytest.mark.slow
def test_several_processes_give_the_bits_of_one(tmp_path):
    ids = [name for name in ("T22", "T24") if name in catalogue.experiments_by_id()]
    chosen = catalogue.select(ids)
    found = [
        run_experiments(chosen, quick=True, runs_root=tmp_path / str(count), processes=count)
        for count in (1, 2)
    ]
    for one, two in zip(*found, strict=True):
        for part, arrays in one.results.items():
            for name, array in arrays.items():
                np.testing.assert_array_equal(array, two.results[part][name])
