"""Identity, rows, plans and files on disk."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.core import files
from bench.core.errors import UserError
from bench.runs.folder import RunFolder, find_run
from bench.runs.identity import canonical_json, hash_identity
from bench.runs.plans import (
    Plan,
    PlannedRun,
    StagePlan,
    archive_plan,
    read_plan,
    write_plan,
    write_refusal,
)
from bench.runs.rows import Row, read_row, read_rows, sort_for_display, write_row

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
    protocol={"name": "quick", "settings": "x"},
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
        {"schema": 3},
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
    path.write_text(json.dumps({**ROW, "schema": 1, "fid": 3}))
    with pytest.raises(UserError, match="fid"):
        read_row(path)


def test_scores_are_shown_frechet_first_the_unknown_last():
    given = {"zeal": 0, "coverage": 1, "recall": 2, "frechet": 3, "anew": 4}
    assert list(sort_for_display(given)) == ["frechet", "recall", "coverage", "anew", "zeal"]


def test_rows_of_the_first_schema_are_rows_without_details(tmp_path):
    path = write_row(tmp_path, Row(**ROW))
    old = {k: v for k, v in json.loads(path.read_text()).items() if k != "details"}
    path.write_text(json.dumps({**old, "schema": 1}))
    assert read_row(path) == Row(**ROW) and dict(read_row(path).details) == {}


def test_a_plan_is_read_as_it_was_written_and_archived_whole(tmp_path):
    runs = [
        PlannedRun(name, ("seed=0",), "ns_gan", "digits", 0, sample=n)
        for n, name in enumerate("ba")
    ]
    stages = [StagePlan("wide", tuple(runs)), StagePlan("seeds", (runs[1],), "lowest", ({"a": 1},))]
    write_plan(tmp_path, "s", "command", stages, ["later"])
    write_refusal(tmp_path, "s", "b", "no such rate")
    plan = read_plan(tmp_path, "s")
    assert plan == Plan("s", "command", tuple(stages), ("later",), {"b": "no such rate"})
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
