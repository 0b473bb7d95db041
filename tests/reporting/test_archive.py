"""The data files of a report: written, read back, and refused where they are damaged."""

import hashlib
import io
import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from made import run, search, seeds
from PIL import Image

from bench.core.errors import UserError
from bench.core.files import SUMS
from bench.reporting import load
from bench.reporting.archive.row_table import ROW_COLUMNS, list_columns
from bench.reporting.archive.write import build_study_files
from bench.reporting.data.collect import read_picture, read_stages
from bench.reporting.data.histories import POINTS, read_history
from bench.reporting.data.records import StageRecord
from bench.reporting.report import collect_stages, load_stages, published_folder, write_report
from bench.runs.folder import RunFolder


def stages_of(*stages):
    return [
        StageRecord("s", "command", f"stage{i}", tuple(runs), ()) for i, runs in enumerate(stages)
    ]


def files_of(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def put(folder, stages):
    for name, content in build_study_files(stages).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def test_what_is_loaded_is_what_was_collected(mixed, tmp_path):
    collected = collect_stages(mixed.root, "s")
    put(tmp_path, collected)
    (loaded,) = load(tmp_path).stages
    for ours, theirs in zip(collected[0].runs, loaded.runs, strict=True):
        assert {**vars(ours), "history": 0} == {**vars(theirs), "history": 0}
        for name, curve in ours.history.items():
            assert np.array_equal(curve, theirs.history[name])
    assert loaded.baselines == collected[0].baselines
    assert (loaded.name, loaded.command, loaded.stage) == ("s", collected[0].command, "all")


def test_a_report_of_published_rows_has_the_same_bytes(mixed, tmp_path):
    write_report(collect_stages(mixed.root, "s"), tmp_path / "one")
    write_report(load(tmp_path / "one").stages, tmp_path / "two")
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")


def test_stages_keep_their_runs_and_rule(tmp_path):
    both = seeds({"a": [1.0, 2.0]})
    stages = stages_of(search({"b": [3.0, 4.0]}), both)
    put(
        tmp_path,
        [stages[0], StageRecord("s", "command", "stage1", tuple(both), (), "lowest", ({"x": 1},))],
    )
    first, second = load(tmp_path).stages
    assert [r.run_id for r in second.runs] == [r.run_id for r in both]
    assert (second.rule, second.chosen) == ("lowest", ({"x": 1},))
    assert [r.sample for r in first.runs] == [0, 1] and first.is_search and not second.is_search


def test_the_table_is_typed_and_complete(tmp_path):
    put(tmp_path, stages_of(seeds({"a": [1 / 3, None]})))
    table = load(tmp_path).table
    assert table["scores.frechet"].to_pylist() == [1 / 3, None]
    assert table["status"].to_pylist() == ["finished", "diverged"]
    assert table["protocol.n_fake"].to_pylist() == [2000, 2000]
    assert table["hyperparameters.learning_rate"].to_pylist() == [0.1, 0.1]
    text = (tmp_path / "rows.csv").read_text().splitlines()
    assert text[0].split(",") == table.column_names and len(text) == 3


def rewrite_rows(folder, change):
    """Change the content of rows.parquet."""
    path = folder / "rows.parquet"
    table = pq.read_table(path)
    pq.write_table(change(table), path)


def newer(table):
    metadata = json.loads(table.schema.metadata[b"created_equal"]) | {"schema": 9}
    return table.replace_schema_metadata({"created_equal": json.dumps(metadata)})


def not_a_number(table):
    place = table.column_names.index("scores.frechet")
    return table.set_column(place, "scores.frechet", [[float("nan")] * len(table)])


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (newer, "rows of schema 9; this suite reads"),
        (lambda t: t.drop_columns(["seed", "variant"]), "lacks the columns seed, variant"),
        (lambda t: t.replace_schema_metadata({}), "was not written by `bench report`"),
        (not_a_number, "the row of run .* is damaged: scores .* are not finite"),
    ],
)
def test_damaged_rows_are_reported_in_one_sentence(tmp_path, change, match):
    put(tmp_path, stages_of(seeds({"a": [1.0, 2.0]})))
    rewrite_rows(tmp_path, change)
    with pytest.raises(UserError, match=match):
        load(tmp_path)


def test_a_score_that_was_changed_by_hand_is_not_shown(tmp_path):
    put(tmp_path, stages_of(seeds({"a": [1.0, 2.0]})))

    def better(table):
        place = table.column_names.index("scores.frechet")
        return table.set_column(place, "scores.frechet", [[0.001, 0.001]])

    rewrite_rows(tmp_path, better)
    with pytest.raises(UserError, match="scores final/frechet-.* of run .* do not have the digest"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["rows.parquet", "history.parquet", "plan.json"])
def test_a_file_that_is_not_the_one_in_the_sums_is_refused(tmp_path, name):
    write_report(stages_of(seeds({"a": [1.0, 2.0]})), tmp_path)
    assert load(tmp_path).name == "s"
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content + b" ")
    with pytest.raises(UserError, match=f"{name} is not the file that SHA256SUMS lists"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("rows.parquet", b"rows", "is no Parquet file"),
        ("plan.json", b'{"version": 99}', "has version 99; this suite reads 4"),
        ("plan.json", b'{"version": 3}', "under version 1 of the suite"),
        ("plan.json", b'{"version": 4, "stages": [{}]}', "plan.json is damaged"),
        ("runs.jsonl", b"", "rows of run a-digits-0-0-infogan, which runs.jsonl lacks"),
        ("runs.jsonl", b"{}\n", "line 1, is no run"),
        ("runs.jsonl", b"\xff", "cannot read .*runs.jsonl"),
        ("plan.json", b'{"version": 4, "stages": []}', "plan.json is damaged"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, name, content, match):
    put(tmp_path, stages_of(seeds({"a": [1.0, 2.0]})))
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=match):
        load(tmp_path)


def test_a_run_named_like_a_path_is_refused(tmp_path):
    """Its picture would be written outside the report's folder."""
    (one,) = seeds({"a": [1.0]})
    put(tmp_path, stages_of([replace(one, run_id="../x", rows=()), *seeds({"a": [1.0]})]))
    with pytest.raises(UserError, match=r"has a run '../x', which is no name"):
        load(tmp_path)


@pytest.mark.parametrize(
    "change",
    [{"facts": []}, {"facts": {"wall_seconds": "x"}}, {"chain": None}, {"sample": "x"},
     {"overrides": [1]}, {"status": None}],
)  # fmt: skip
def test_a_run_with_a_field_of_another_type_is_named(tmp_path, change):
    put(tmp_path, stages_of(seeds({"a": [1.0]})))
    path = tmp_path / "runs.jsonl"
    path.write_text(json.dumps(json.loads(path.read_text()) | change) + "\n")
    with pytest.raises(UserError, match="line 1, is no run: a field is"):
        load(tmp_path)


@pytest.mark.parametrize("value", [float("nan"), "x"])
def test_a_curve_that_is_no_number_is_named(tmp_path, value):
    history = {"d_loss": (np.array([10.0]), np.array([1.0]))}
    put(tmp_path, stages_of([replace(r, history=history) for r in seeds({"a": [1.0]})]))
    path = tmp_path / "history.parquet"
    table = pq.read_table(path)
    place = table.column_names.index("d_loss")
    pq.write_table(table.set_column(place, "d_loss", [[value]]), path)
    with pytest.raises(UserError, match="d_loss of run .* is "):
        load(tmp_path)


@pytest.mark.parametrize("name", ["history.parquet", "rows.parquet"])
def test_a_table_without_its_columns_is_named(tmp_path, name):
    put(tmp_path, stages_of(seeds({"a": [1.0]})))
    path = tmp_path / name
    pq.write_table(pq.read_table(path).drop_columns(["run_id"]), path)
    with pytest.raises(UserError, match=rf"{name} lacks the column.* run_id"):
        load(tmp_path)
    if name == "rows.parquet":
        with pytest.raises(UserError, match=rf"{name} lacks the column run_id"):
            write_report(stages_of(seeds({"a": [1.0]})), tmp_path)


def test_a_missing_file_is_named(tmp_path):
    put(tmp_path, stages_of(seeds({"a": [1.0]})))
    (tmp_path / "rows.parquet").unlink()
    with pytest.raises(UserError, match="no file .*rows.parquet .present: environments.json"):
        load(tmp_path)


def test_a_larger_report_is_not_replaced_by_a_smaller_one(tmp_path):
    write_report(stages_of(seeds({"a": [1.0, 2.0]})), tmp_path)
    before = files_of(tmp_path)
    with pytest.raises(UserError, match="the report of 2 scored runs; these are 1"):
        write_report(stages_of(seeds({"a": [1.0]})), tmp_path)
    assert files_of(tmp_path) == before


def test_files_of_an_earlier_report_are_deleted_and_others_stay(tmp_path):
    write_report(stages_of(seeds({"a": [1.0]}, dataset="x")), tmp_path)
    old = tmp_path / "tables" / "stage0-x-quick.csv"
    changed = tmp_path / "figures" / "stage0-x-quick-frechet.svg"
    assert old.is_file() and changed.is_file()
    changed.write_text("drawn by hand")
    (tmp_path / "README.md").write_text("mine")
    write_report(stages_of(seeds({"a": [1.0, 2.0]}, dataset="y")), tmp_path)
    assert not old.exists() and changed.read_text() == "drawn by hand"
    assert (tmp_path / "README.md").read_text() == "mine"
    names = {line.split("  ")[1] for line in (tmp_path / SUMS).read_text().splitlines()}
    assert "tables/stage0-y-quick.csv" in names and "README.md" not in names


@pytest.mark.parametrize("up", ["..", "absolute"])
def test_sums_that_name_a_file_elsewhere_delete_nothing(tmp_path, up):
    folder, other = tmp_path / "report", tmp_path / "other.txt"
    write_report(stages_of(seeds({"a": [1.0]})), folder)
    other.write_text("mine")
    name = str(other) if up == "absolute" else "../other.txt"
    digest = hashlib.sha256(b"mine").hexdigest()
    with open(folder / SUMS, "a") as sums:
        sums.write(f"{digest}  {name}\n")
    with pytest.raises(UserError, match="SHA256SUMS is damaged: line"):
        write_report(stages_of(seeds({"a": [1.0, 2.0]})), folder)
    assert other.read_text() == "mine"


def test_a_study_is_reported_from_its_runs_or_else_from_its_rows(mixed, tmp_path, monkeypatch):
    def make_report(name, root, to):
        return write_report(load_stages(name, root), to or published_folder(name))

    monkeypatch.chdir(tmp_path)
    first = make_report("s", mixed.root, None)
    assert first.folder.as_posix() == "results/s"
    bytes_ = files_of(first.folder)
    again = make_report("s", tmp_path / "no-runs", None)
    named = make_report("results/s", mixed.root, tmp_path / "elsewhere")
    assert files_of(again.folder) == files_of(named.folder) == bytes_
    with pytest.raises(UserError, match="no sweep 'other'"):
        make_report("other", mixed.root, None)


def test_two_tables_of_one_name_are_refused(tmp_path):
    one, two = seeds({"a": [1.0]}, dataset="b-c"), seeds({"a": [2.0]}, dataset="c")
    stages = [
        StageRecord("s", "command", name, tuple(runs), ())
        for name, runs in (("x", one), ("x-b", two))
    ]
    with pytest.raises(UserError, match="two tables of this study would be called x-b-c-quick"):
        write_report(stages, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_run_of_two_stages_is_kept_once(tmp_path):
    shared = run("a", 1.0)
    stages = stages_of([shared, run("a", 2.0, sample=1)], [shared, run("a", 3.0, seed=1)])
    put(tmp_path, stages)
    study = load(tmp_path)
    assert len(study.rows) == 3 and len((tmp_path / "runs.jsonl").read_text().splitlines()) == 3
    assert [r.run_id for r in study.stages[1].runs] == [r.run_id for r in stages[1].runs]


def test_read_stages_reads_each_protocol_once(mixed):
    (stage,) = read_stages(mixed.root, "s")
    rows = [r for run in stage.runs for r in run.rows if run.variant == "ns_gan"]
    assert len({id(row.protocol) for row in rows}) == 1


def test_columns_are_the_fixed_ones_then_those_of_the_mappings_by_name():
    records = [{f"scores.{name}": 1.0 for name in "fbd"}, {f"scores.{name}": 1.0 for name in "eca"}]
    columns = list_columns([record | {"protocol.name": "quick"} for record in records])
    assert columns == [
        *(name for name in ROW_COLUMNS if "*" not in name),
        "protocol.name",
        *(f"scores.{name}" for name in "abcdef"),
    ]


def test_a_long_history_keeps_its_first_and_last_step_and_few_between(tmp_path):
    folder = RunFolder(tmp_path, "a")
    folder.history.parent.mkdir(parents=True)
    lines = [f"{step},{step},{step / 2},\n" for step in range(1, 2 * POINTS + 1)]
    folder.history.write_text("step,g_step,d_loss,g_loss\n" + "".join(lines))
    steps, losses = read_history(folder)["d_loss"]
    assert steps.tolist() == [*range(1, 2 * POINTS, 2), 2 * POINTS]
    assert losses.tolist() == [step / 2 for step in steps]


def test_a_picture_that_was_cut_off_is_named(tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8)).save(
        buffer, "png"
    )
    (tmp_path / "final.png").write_bytes(buffer.getvalue()[:500])
    with pytest.raises(UserError, match="final.png is no picture"):
        read_picture(tmp_path / "final.png")
