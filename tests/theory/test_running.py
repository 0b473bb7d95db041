from dataclasses import replace

import numpy as np
import pytest

import bench.theory
from bench.core.errors import UserError
from bench.theory import store
from bench.theory.not_covered import OMISSIONS
from bench.theory.runner import measure_all, outcomes, tasks_of


def test_parts_are_measured_once_and_read_afterwards(statement, measured, tmp_path):
    first = bench.theory.runner.run("t98", quick=True, runs_root=tmp_path)
    assert measured == [0, 1]
    again = bench.theory.runner.run("T98", quick=True, runs_root=tmp_path)
    assert measured == [0, 1]
    assert first.finding == again.finding and again.finding.numbers[0].value == 1.0
    assert again.verdict == "not reproduced (quick)"


def test_full_and_quick_share_nothing(statement, measured, tmp_path):
    bench.theory.runner.run("T98", quick=True, runs_root=tmp_path)
    full = bench.theory.runner.run("T98", runs_root=tmp_path)
    assert measured == [0, 1, 0, 1, 2]
    assert full.verdict == "reproduced" and full.finding.numbers[0].value == 1.5


def test_what_was_interrupted_goes_on_with_the_parts_that_lack(statement, measured, tmp_path):
    tasks = tasks_of([statement], quick=True, runs_root=tmp_path)
    measure_all(tasks[:1], tmp_path, 1, lambda task, seconds: None)
    bench.theory.runner.run("T98", quick=True, runs_root=tmp_path)
    assert measured == [0, 1]


def test_a_new_version_is_measured_anew(statement, measured, tmp_path, monkeypatch):
    bench.theory.runner.run("T98", quick=True, runs_root=tmp_path)
    newer = replace(statement, version=2)
    monkeypatch.setattr(bench.theory, "statements", lambda: {"T98": newer})
    bench.theory.runner.run("T98", quick=True, runs_root=tmp_path)
    assert measured == [0, 1, 0, 1]


def test_a_damaged_result_is_named(statement, tmp_path):
    bench.theory.runner.run("T98", quick=True, runs_root=tmp_path)
    path = tasks_of([statement], quick=True, runs_root=tmp_path)[0].path
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(UserError, match=rf"cannot read the result .*{path.name}"):
        bench.theory.runner.run("T98", quick=True, runs_root=tmp_path)


def test_equal_settings_of_two_parts_are_refused(statement, tmp_path):
    twice = replace(statement, parts=lambda quick: {"a": {"seed": 0}, "b": {"seed": 0}})
    with pytest.raises(ValueError, match="two parts have the same settings"):
        tasks_of([twice], quick=True, runs_root=tmp_path)


def test_unknown_statements_are_named(statement):
    with pytest.raises(UserError, match="no statement T7X; there are T98"):
        bench.theory.catalogue.select(["T98", "T7x"])


def test_results_hold_no_objects_and_the_same_bytes_each_time():
    arrays = {"a": np.arange(3.0), "b": np.array(True)}
    assert store.pack(arrays, {"k": 1}) == store.pack(arrays, {"k": 1})
    with pytest.raises(ValueError, match="'bad' of a result holds objects"):
        store.pack({"bad": np.array([object()])}, {})


def test_every_real_statement_is_complete():
    for one in bench.theory.catalogue.experiments_by_id().values():
        for quick in (False, True):
            tasks_of([one], quick=quick, runs_root=store.Path("runs"))
        assert 0 < one.minutes.quick <= one.minutes.full
        assert all(sign in one.rule for sign in ("Reproduced:", "ot reproduced:")), one.id
        for text in (one.text, one.source, one.experiment, one.rule, one.caveat):
            assert text.isascii() and text == text.strip()


def test_omissions_name_statements_that_exist():
    names = set(bench.theory.catalogue.experiments_by_id())
    for shown, text in OMISSIONS:
        assert names.issuperset(shown) and all(name in text for name in shown), shown


def test_several_processes_give_the_bits_of_one(tmp_path):
    ids = [name for name in ("T22", "T24") if name in bench.theory.catalogue.experiments_by_id()]
    chosen = bench.theory.catalogue.select(ids)
    found = [
        outcomes(chosen, quick=True, runs_root=tmp_path / str(count), processes=count)
        for count in (1, 2)
    ]
    for one, two in zip(*found, strict=True):
        for part, arrays in one.evidence.items():
            for name, array in arrays.items():
                np.testing.assert_array_equal(array, two.evidence[part][name])
