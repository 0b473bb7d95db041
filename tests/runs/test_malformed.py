"""Files of a runs root that are damaged, or no files: each reader says so in one sentence."""

import json
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import restored

from bench.commands.reproduce import reproduce_steps
from bench.commands.status import show_status
from bench.core.errors import UserError
from bench.core.files import find_misfit, parse_json, read_json, write_json
from bench.reporting.data.collect import add_curves, read_stages
from bench.runs.candidates import best_candidate, read_candidates
from bench.runs.digests import read_digests
from bench.runs.folder import RunFolder, find_run
from bench.runs.heartbeat import active_elsewhere, archive_run, file_clock, process_exists
from bench.runs.plans import PlannedRun, StagePlan, read_plan, read_plan_head, write_plan
from bench.runs.record import describe_run, read_overrides
from bench.runs.rows import Row, write_row
from bench.runs.run_status import StatusReader

RUN = PlannedRun(
    "a1b2", ("variant=ns_gan",), "ns_gan", "digits", 0, request=("asked",), data="digest"
)
ROW = Row(
    run_id=RUN.run_id, variant="ns_gan", loss="nonsaturating", model="gan", network="infogan",
    dataset="digits", seed=0, d_steps=10, g_steps=10, images=640, status="finished", cause="",
    checkpoint="final", protocol={"name": "quick", "data": "digest"},
    measures={"frechet": {"scores": {"frechet": "lower"}, "arguments": {}, "request": "asked"}},
    hyperparameters={"learning_rate": 1e-3, "d_batch_norm": True},
    scores={"frechet": 1.5}, code={"loss.py": "0123"},
)  # fmt: skip
COUNTS = {"d_steps": 10, "g_steps": 10, "images": 640}
FILES = {
    "status.json": {"status": "finished", "cause": "", **COUNTS, "wall_seconds": 1.5},
    "provenance.json": {
        "overrides": ["seed=0", "variant=ns_gan"],
        "data": {"train": {"digest": "0123", "count": 9}},
        "environment": {"semantics_version": 2, "packages": {"torch": "2"}, "code": {"a": "b"}},
    },
    "candidates.json": {
        "choice": {"split": "validation", "every": 5},
        "steps": [{"d_steps": 5, "g_steps": 5, "frechet": 2.5}],
    },
    "digests.json": [["step-0", "0123"], ["generator", "4567"]],
    "pulse.json": {"host": "another", "pid": 7, "step": 3, "d_steps": 10, "phase": "training"},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """A runs root with the plan of a sweep and its run, which another machine is at."""
    root = tmp_path_factory.mktemp("runs")
    for name, content in FILES.items():
        write_json(root / RUN.run_id / name, content)
    (root / RUN.run_id / "config.yaml").write_text("{}")
    write_row(root, ROW)
    write_plan(root, "s", "command", [StagePlan("all", (RUN,), "", ({"a": 1},))], ["later"])
    assert read_all(root) == []
    return root


def files(root: Path) -> list[Path]:
    """Every JSON file of the root."""
    return sorted(path for path in root.rglob("*.json"))


def read_all(root: Path) -> list[str]:
    """Read what there is by every reader; return their sentences."""
    folder, refused = RunFolder(root, RUN.run_id), []
    for read in (
        folder.read_status,
        folder.read_provenance,
        lambda: find_run(root, RUN.run_id),
        lambda: best_candidate(read_candidates(folder.candidates).checkpoints),
        lambda: read_digests(folder.digests),
        lambda: read_overrides(folder),
        lambda: describe_run(folder, ()),
        lambda: active_elsewhere(folder.heartbeat, file_clock(root)),
        lambda: StatusReader(root).read([RUN]),
        lambda: read_plan_head(root, "s"),
        lambda: read_plan(root, "s"),
        lambda: show_status(root, "s", every=None),
        lambda: reproduce_steps(root, None, RUN.run_id),
        lambda: add_curves(root, read_stages(root, "s")),
    ):
        try:
            read()
        except UserError as error:
            assert error.fix
            refused.append(error.message)
    return refused


numbers = st.sampled_from([0, -1, 7, 2**40, 10**30, 10**400, 1.5, float("nan"), float("inf")])
junk = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=3) | st.just("\0\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@st.composite
def changed(draw, content):
    """Replace or delete some part of a JSON value."""
    keys = list(content) if isinstance(content, dict) else range(len(content or ()))
    if isinstance(content, str) or not keys or draw(st.integers(0, 3)) == 0:
        return draw(junk)
    content, key = content.copy(), draw(st.sampled_from(keys))
    if draw(st.integers(0, 5)) == 0:
        del content[key]
    elif isinstance(content[key], dict | list):
        content[key] = draw(changed(content[key]))
    else:
        content[key] = draw(junk)
    return content


@pytest.mark.parametrize("index", range(len(FILES) + 3))
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_reader_raises_anything_but_a_sentence(root, index, data):
    path = files(root)[index]
    with restored(path):
        path.write_text(json.dumps(data.draw(changed(json.loads(path.read_text())))))
        read_all(root)


DAMAGES = {
    "folder": lambda path: path.mkdir(),
    "pipe": os.mkfifo,
    "broken link": lambda path: path.symlink_to("nowhere"),
    "deep": lambda path: path.write_text("[" * 100_000),
    "less deep": lambda path: path.write_text("[" * 60 + "]" * 60),
    "bytes": lambda path: path.write_bytes(b"\xff"),
    "empty": lambda path: path.write_text(""),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_no_file_is_named_and_waited_for_by_nobody(root, damage):
    for path in files(root):
        with restored(path):
            path.unlink()
            DAMAGES[damage](path)
            said = read_all(root)
            assert all(path.name in sentence for sentence in said)
            assert bool(said) == (path.name != "pulse.json")


@pytest.mark.parametrize(
    "change",
    [
        {"pid": "seven"},
        {"pid": None},
        {"pid": [7]},
        {"pid": 10**30},
        {"step": "three"},
        {"host": 1},
    ],
)
def test_a_damaged_heartbeat_is_nobodys(root, change):
    path, (planned,) = root / RUN.run_id / "pulse.json", read_plan(root, "s").runs
    row = next((root / RUN.run_id).glob("row-*"))
    with restored(path), restored(row):
        row.write_text(row.read_text().replace('"finished"', '"failed"'))
        assert StatusReader(root).read([planned])[0].state == "running"
        path.write_text(json.dumps(FILES["pulse.json"] | change))
        assert StatusReader(root).read([planned])[0].state == "interrupted"
        assert active_elsewhere(path, file_clock(root)) is None
    assert not process_exists(2**40) and not process_exists(0)


def test_a_heartbeat_of_this_host_with_a_number_that_no_process_has_is_nobodys(tmp_path):
    path = tmp_path / "pulse.json"
    write_json(path, FILES["pulse.json"] | {"host": socket.gethostname(), "pid": 2**40})
    assert active_elsewhere(path, file_clock(tmp_path)) is None


@pytest.mark.parametrize("score", ["NaN", "1" + 400 * "0", "1e400", '"low"', "true"])
def test_a_row_without_a_finite_score_is_not_there_and_is_named(root, score):
    (path,) = (root / RUN.run_id).glob("row-*")
    assert StatusReader(root).read([RUN])[0].state == "finished"
    with restored(path):
        path.write_text(path.read_text().replace("1.5", score))
        (status,) = StatusReader(root).read([RUN])
    assert status.state == "refused" and path.name in status.cause


def test_a_run_with_a_damaged_heartbeat_is_trained_anew_where_asked(root):
    with restored(root / RUN.run_id / "pulse.json"):
        (root / RUN.run_id / "pulse.json").write_text('{"pid": null}')
        archived = archive_run(RunFolder(root, RUN.run_id))
        assert archived is not None
        os.replace(archived, root / RUN.run_id)


SHAPE = {"a": int, "b?": [float | None], str: str}


@pytest.mark.parametrize(
    ("value", "misfit"),
    [
        ({"a": 1}, ""),
        ({"a": 1, "b": [0.5, None], "c": "x"}, ""),
        ({}, "it lacks a"),
        ([], "[] is no dict"),
        ({"a": True}, "a: True is no int"),
        ({"a": 1, "b": [0.5, "x"]}, "b: 1: 'x' is no float | None"),
        ({"a": 1, "c": 2}, "c: 2 is no str"),
    ],
)
def test_the_first_part_that_does_not_fit_is_named(value, misfit):
    assert find_misfit(value, SHAPE) == misfit
    assert find_misfit(True, int | float) and not find_misfit(True, bool | None)


def test_numbers_are_finite_and_lists_not_too_deep():
    assert (
        parse_json("[" * 40 + "1" + "]" * 40) and parse_json("-18446744073709551615") == 1 - 2**64
    )
    for text in ("NaN", "-Infinity", "1e400", "18446744073709551616", "[" * 41 + "1" + "]" * 41):
        with pytest.raises(ValueError):
            parse_json(text)


def test_a_file_that_is_not_there_is_another_sentence(tmp_path):
    with pytest.raises(UserError, match="there is no file"):
        read_json(tmp_path / "none.json")


@pytest.mark.parametrize("name", ["another", "../../../secret", ""])
def test_a_stage_without_a_file_of_its_own_is_named_with_its_plan(root, name):
    path = root / "plans" / "s" / "plan.json"
    (root.parent / "secret.json").write_text("[]")
    with restored(path):
        head = json.loads(path.read_text())
        head["stages"][0]["name"] = name
        path.write_text(json.dumps(head))
        with pytest.raises(
            UserError, match=f"plan.json is damaged: its stage '{name}' has no file"
        ):
            read_plan(root, "s")
