"""Identity, rows, plans and files on disk."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT

from bench.core import files
from bench.core.errors import UserError
from bench.core.files import write_json
from bench.runs.digests import score_digests
from bench.runs.folder import RunFolder, find_run
from bench.runs.heartbeat import archive_run
from bench.runs.identity import canonical_json, hash_identity, stable_name
from bench.runs.plans import (
    Plan,
    PlannedRun,
    StagePlan,
    archive_plan,
    plan_folder,
    read_plan,
    write_plan,
    write_refusal,
)
from bench.runs.record import read_published_runs
from bench.runs.rows import (
    Row,
    merge_rows,
    read_row,
    read_rows,
    requested_rows,
    sort_for_display,
    write_row,
)

ROW = dict(
    run_id="a" * 16,
    variant="ns_gan",
    loss="nonsaturating",
    model="gan",
    network="infogan",
    dataset="digits",
    seed=0,
    d_steps=10,
    g_steps=10,
    images=640,
    status="finished",
    cause="",
    checkpoint="final",
    protocol={"name": "quick"},
    measures={},
    hyperparameters={"learning_rate": 1e-3, "d_batch_norm": True},
    scores={"frechet": 1.5},
)
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(config=st.dictionaries(st.text(max_size=4), plain, max_size=4))
def test_identity_does_not_depend_on_order_and_survives_json(config):
    turned = dict(reversed(list(config.items())))
    assert (
        hash_identity(turned)
        == hash_identity(config)
        == hash_identity(json.loads(json.dumps(config)))
    )
    assert len(hash_identity(config)) == 16


def test_one_and_one_point_are_the_same_number_but_true_is_not():
    assert canonical_json({"a": 1.0}) == canonical_json({"a": 1}) == '{"a":1}'
    assert canonical_json({"a": True}) == '{"a":true}'
    assert canonical_json({"a": 1e-4}) == '{"a":0.0001}'
    with pytest.raises(ValueError, match="nan"):
        canonical_json({"a": float("nan")})


def test_a_row_comes_back_as_it_was_written(tmp_path):
    row = Row(**ROW)
    path = write_row(tmp_path, row)
    assert read_row(path) == row
    write_row(tmp_path, row)
    assert read_rows(tmp_path, [row.run_id, "nobody"]) == [row]


@pytest.mark.parametrize(
    "change",
    [
        {"seed": "0"},
        {"seed": True},
        {"status": "done"},
        {"scores": {"frechet": float("nan")}},
        {"scores": {"frechet": float("inf")}},
        {"schema": 2},
        {"penalty": None},
        {"measures": {"frechet": {}}},
        {"details": {"frechet.latent_sd": float("nan")}},
    ],
)
def test_a_row_refuses_what_the_schema_does_not_know(change):
    with pytest.raises(ValueError):
        Row(**{**ROW, **change})


def test_a_damaged_row_and_an_unknown_field_are_named(tmp_path):
    path = write_row(tmp_path, Row(**ROW))
    path.write_text(path.read_text()[:-20])
    with pytest.raises(UserError, match=path.name):
        read_row(path)
    path.write_text(json.dumps({**ROW, "fid": 3}))
    with pytest.raises(UserError, match="fid"):
        read_row(path)


def test_a_row_from_before_there_were_penalties_has_none(tmp_path):
    assert Row(**ROW).penalty == "none"
    row = Row(**ROW, penalty="r1")
    assert read_row(write_row(tmp_path, row)).penalty == "r1"


def test_scores_are_shown_frechet_first_the_unknown_last():
    given = {"zeal": 0, "coverage": 1, "recall": 2, "frechet": 3, "anew": 4}
    assert list(sort_for_display(given)) == ["frechet", "recall", "coverage", "anew", "zeal"]


def measure(score, **arguments):
    return {"scores": {score: "lower"}, "arguments": arguments, "request": f"of {score}"}


def test_numbers_belong_to_the_measure_in_their_names():
    numbers = {"frechet.latent_sd": 0.1, "untrained.frechet": 9.0, "kernel.p": 1.0, "limit.m": 2.0}
    row = Row(
        **ROW | {"details": numbers, "measures": {m: measure(m) for m in ("frechet", "kernel")}}
    )
    assert row.numbers_by_measure() == {
        "frechet": {"frechet": 1.5, "frechet.latent_sd": 0.1, "untrained.frechet": 9.0},
        "kernel": {"kernel.p": 1.0},
        "": {"limit.m": 2.0},
    }
    alone = row.only(["kernel"])
    assert alone.scores == {} and alone.details == {"kernel.p": 1.0, "limit.m": 2.0}
    assert row.only(row.measures) == row
    assert requested_rows([row], ["of kernel", "of x"]) == [alone]
    assert requested_rows([row], ["of x"]) == []


def test_rows_of_one_protocol_are_merged_unless_a_measure_is_of_two_kinds():
    def scored(score, **arguments):
        measures = {score: measure(score, **arguments)}
        return Row(**ROW | {"scores": {score: 1.0}, "measures": measures})

    both = merge_rows([scored("frechet"), scored("kernel", degree=3)])
    assert [dict(row.scores) for row in both] == [{"frechet": 1.0, "kernel": 1.0}]
    apart = merge_rows([*both, scored("kernel", degree=2)])
    assert [set(row.scores) for row in apart] == [{"frechet", "kernel"}, {"kernel"}]
    digests = [score_digests([row]) for row in (both[0], apart[1])]
    assert len(digests[0]) == 2 and not digests[0].keys() & digests[1].keys()
    assert score_digests([scored("frechet")]).items() < digests[0].items()


def test_files_of_version_1_are_refused_in_one_sentence_with_the_commit(tmp_path):
    said = "version 1 of the suite.*version 2(.|\n)*19cc27b82f74 is the last"
    folder = RunFolder(tmp_path, ROW["run_id"])
    write_json(folder.path / "environment.json", {"python": "3.11"})
    folder.config.write_text("{}")
    with pytest.raises(UserError, match=said):
        find_run(tmp_path, "aaa")
    write_plan(tmp_path, "s", "command", [StagePlan("all", ())], [])
    head = plan_folder(tmp_path, "s") / "plan.json"
    head.write_text(json.dumps(json.loads(head.read_text()) | {"version": 3}))
    with pytest.raises(UserError, match=said):
        read_plan(tmp_path, "s")
    (tmp_path / "runs.jsonl").write_text('{"run_id": "a", "rows": {}}\n')
    write_json(tmp_path / "environments.json", [])
    with pytest.raises(UserError, match=said):
        read_published_runs(tmp_path)


def test_names_in_run_ids_are_held():
    """A file may move to another folder. Where a file or a class is renamed, RENAMED holds this."""
    held = (Path(__file__).parent / "stable_names.txt").read_text().split()
    targets = {
        target
        for path in sorted((ROOT / "conf").rglob("*.yaml"))
        for target in re.findall(r"_target_: *[\"']?([\w.]+)", path.read_text())
        if target.startswith("bench.")
    }
    names = Counter(map(stable_name, targets))
    assert set(held) <= set(names) and set(names.values()) == {1}


def test_a_plan_is_read_as_it_was_written_and_archived_whole(tmp_path):
    runs = [
        PlannedRun(name, ("seed=0",), "ns_gan", "digits", 0, sample=n)
        for n, name in enumerate("ba")
    ]
    stages = [StagePlan("wide", tuple(runs)), StagePlan("seeds", (runs[1],), "lowest", ({"a": 1},))]
    write_plan(tmp_path, "s", "command", stages, ["later"], claims=True)
    write_refusal(tmp_path, "s", "b", "no such rate")
    plan = read_plan(tmp_path, "s")
    assert plan == Plan("s", "command", tuple(stages), ("later",), {"b": "no such rate"}, {}, True)
    assert plan.run_ids == ("b", "a")
    archive = archive_plan(tmp_path, "s")
    assert sorted(p.name for p in archive.iterdir()) == [
        "plan.json", "refused", "seeds.json", "wide.json"
    ]  # fmt: skip
    with pytest.raises(UserError, match="no sweep 's'.*present: none"):
        read_plan(tmp_path, "s")


def test_a_run_is_found_by_its_beginning_or_folder(tmp_path):
    for name in ("abc1", "abd2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text("{}")
    assert find_run(tmp_path, "abc").run_id == "abc1"
    assert find_run(tmp_path, str(tmp_path / "abd2")) == RunFolder(tmp_path.resolve(), "abd2")
    for wrong in ("ab", "x"):
        with pytest.raises(UserError, match="no single run"):
            find_run(tmp_path, wrong)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file.txt"
    files.write_text(path, "old")
    with pytest.raises(ZeroDivisionError), files.replacing(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
    blocked = tmp_path / "file.txt" / "below"
    with pytest.raises(UserError, match="cannot write"):
        files.write_text(blocked, "x")
    with pytest.raises(ValueError):
        files.write_json(path, {"a": float("nan")})
    assert path.read_text() == "old"


def test_runs_and_reports_import_no_torch():
    code = (
        "import sys, bench.runs.rows, bench.runs.plans, bench.runs.environment, bench.commands.cli;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_an_error_travels_between_processes():
    import pickle

    error = pickle.loads(pickle.dumps(UserError("what", fix="how")))
    assert str(error) == "error: what\n  fix: how"


def test_a_run_that_is_trained_anew_is_kept_aside_unless_it_is_at_work(tmp_path):
    folder = RunFolder(tmp_path, "abc")
    assert archive_run(folder) is None
    for number in (1, 2):
        folder.write_status("finished", f"number {number}")
        assert archive_run(folder) == tmp_path / "earlier" / f"abc-{number}"
        assert not folder.path.exists()
    assert RunFolder(tmp_path / "earlier", "abc-1").read_status()["cause"] == "number 1"
    folder.write_status("running", "")
    write_json(folder.heartbeat, {"host": "another", "pid": 1})
    with pytest.raises(UserError, match="process 1 on another works on run abc"):
        archive_run(folder)
    assert folder.path.is_dir()
