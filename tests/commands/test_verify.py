"""`bench verify` and `bench reproduce`: identical, or the first point of difference."""

import json
import shlex
import sys
from dataclasses import replace

import pytest

from bench.commands import cli
from bench.commands.reproduce import format_steps, reproduce_steps
from bench.commands.verify import verify_published, verify_runs
from bench.config import build
from bench.config.process_settings import process_settings
from bench.core.errors import UserError
from bench.execution.packs.pack_runner import PackRunner
from bench.execution.queue import PendingRun
from bench.runs.record import (
    PublishedRun,
    describe_run,
    read_published_runs,
    write_published_runs,
)
from bench.runs.rows import read_rows
from bench.training.job import prepare_job


@pytest.fixture
def run(finished, tiny):
    """A finished run on points, and the overrides that made it."""
    settings = ("dataset=ring", "score.every=2", "d_steps=8")
    return finished(*settings, network="mlp"), tiny(*settings, network="mlp")


def change(path, what):
    content = json.loads(path.read_text())
    what(content)
    path.write_text(json.dumps(content))


def test_a_run_is_identical_and_its_folder_untouched(run, capsys):
    job, _ = run
    before = {p: p.stat().st_mtime_ns for p in job.folder.path.rglob("*")}
    assert verify_runs(job.folder.root, [job.folder.run_id[:8]], []) == 0
    # initial, eight points, generator, samples
    rows = read_rows(job.folder.root, [job.folder.run_id])
    n_numbers = sum(len(row.scores) + len(row.details) for row in rows)
    said = f"identical: 11 digests of weights and samples, {n_numbers} numbers of scores\n"
    assert len(rows) == 3 and n_numbers > 30 and said in capsys.readouterr().out
    assert {p: p.stat().st_mtime_ns for p in job.folder.path.rglob("*")} == before


def test_a_packed_run_is_trained_again_alone_in_its_pack(tiny, monkeypatch, capsys):
    monkeypatch.setattr("bench.vectorized.trainer.TRIAL_STEPS", 0)
    overrides = tiny("dataset=ring", "packed=3", "d_steps=8", network="mlp")
    jobs = [prepare_job(build.compose_config([*overrides, f"seed={seed}"])) for seed in (0, 1)]
    queue = [PendingRun(job.folder.run_id, lambda share_with, job=job: job) for job in jobs]
    with process_settings(jobs[0].plain):
        PackRunner(queue, 3, skip_if_active=False).run()
    assert (
        verify_runs(jobs[1].folder.root, [jobs[1].folder.run_id], []) == 0
    )  # from the second slot
    assert "identical: 11 digests" in capsys.readouterr().out


def test_the_first_difference_is_named_with_what_differs_in_the_environment(run, capsys):
    job, _ = run
    folder = job.folder

    def other(chain):
        for link in chain:
            if link[0] in ("step-5", "step-6"):
                link[1] = "0" * 32

    change(folder.digests, other)
    change(folder.provenance, lambda p: p["environment"]["packages"].update(torch="1.0"))
    assert verify_runs(folder.root, [folder.run_id], []) == 1
    said = capsys.readouterr().out
    assert f"DIFFERS: weights at step-5: {'0' * 32} then," in said and "step-6" not in said
    assert "torch: 1.0 then," in said and said.strip().endswith("1 of 1 differ")


def test_a_score_that_was_changed_is_found(run, capsys):
    job, _ = run
    row = job.folder.row_files("best-")[0]
    change(row, lambda content: content["scores"].update(frechet=0.123))
    assert verify_runs(job.folder.root, [job.folder.run_id], []) == 1
    said = capsys.readouterr().out
    assert "DIFFERS: scores best/frechet-" in said and "the environments are the same" in said


def test_published_rows_are_verified_and_reproduced(run, tmp_path, capsys):
    job, overrides = run
    folder = tmp_path / "results"
    write_published_runs(folder, [describe_run(job.folder, overrides)])
    record = read_published_runs(folder)[0]
    assert not [o for o in record.overrides if o.startswith(("runs_root", "trainer.progress"))]
    assert verify_published(folder, [], (3, 0), []) == 0
    assert "[1/1]" in capsys.readouterr().out
    assert (
        reproduce_steps(tmp_path / "runs", None, record.run_id)[2:-1]
        == reproduce_steps(tmp_path, str(folder), record.run_id)[2:-1]
    )
    command = next(
        c for c in reproduce_steps(tmp_path, str(folder), record.run_id) if c[:6] == "python"
    )
    again = [*shlex.split(command)[3:], f"runs_root={tmp_path / 'again'}"]
    assert prepare_job(build.compose_config(again)).folder.run_id == record.run_id
    lines = (folder / "runs.jsonl").read_text()
    (folder / "runs.jsonl").write_text(lines.replace("dataset=ring", "dataset=grid"))
    assert verify_published(folder, [], (None, 0), []) == 1
    assert "makes run " in capsys.readouterr().out


def test_where_nothing_can_be_compared_nothing_is_called_identical(run, tmp_path):
    job, overrides = run
    folder = tmp_path / "r"
    whole = describe_run(job.folder, overrides)
    failed = replace(whole, status="failed")
    for runs in ([], [failed]):
        write_published_runs(folder, runs)
        with pytest.raises(UserError, match=f"none of the {len(runs)} runs .* has ended"):
            verify_published(folder, [], (None, 0), [])
    for less in ({"chain": {}}, {"scores": {}}):
        write_published_runs(folder, [replace(whole, **less)])
        with pytest.raises(UserError, match="no digests of its weights, or none of its scores"):
            verify_published(folder, [], (None, 0), [])


def test_scores_of_other_protocols_are_not_called_identical(run, tmp_path, capsys):
    job, overrides = run
    whole = describe_run(job.folder, overrides)
    name, *others = whole.scores
    write_published_runs(tmp_path, [replace(whole, scores={f"{name}x": "0"})])
    assert verify_published(tmp_path, [], (None, 0), []) == 1
    assert "none of its scores is made under the same protocol" in capsys.readouterr().out
    write_published_runs(tmp_path, [replace(whole, scores={**whole.scores, f"{name}x": "0"})])
    assert verify_published(tmp_path, [], (None, 0), []) == 0
    assert f"not compared: 1 of {len(others) + 2} scores" in capsys.readouterr().out


def test_names_in_a_recipe_start_no_line_and_no_command():
    environment = {"commit": "a; rm -rf x", "python": "3\nrm y", "config_dirs": ["a b"]}
    environment["code"] = {"f\n.py": "ab\x1b[31m"}
    lines = format_steps(
        PublishedRun("r\nid", ("loss=a; b",), "v\nrm z", "d", 0, "finished", {}, {}, environment),
        ["bench", "verify", "r\nid"],
    )
    text = "\n".join(lines)
    assert all(line.isprintable() for line in lines) and "git checkout 'a; rm -rf x'" in text
    assert "--config-dir 'a b' 'loss=a; b'" in text
    runs = [line for line in lines if not line.startswith("#")]
    assert [line.split()[0] for line in runs] == ["git", "pip", "python"]


def test_bad_input_is_one_sentence(run, tmp_path, monkeypatch, capsys):
    job, _ = run
    with pytest.raises(UserError, match="no single run"):
        verify_runs(job.folder.root, ["nobody"], [])
    with pytest.raises(UserError, match="no published runs in .*present: nothing"):
        verify_published(tmp_path / "nowhere", [], (None, 0), [])
    write_published_runs(tmp_path / "r", [describe_run(job.folder, ())])
    with pytest.raises(UserError, match="no run 'x' among the 1 of"):
        verify_published(tmp_path / "r", ["x"], (None, 0), [])
    (tmp_path / "r" / "runs.jsonl").write_text('{"run_id": 3}\n')
    with pytest.raises(UserError, match="line 1, is no run"):
        read_published_runs(tmp_path / "r")
    job.folder.write_status("interrupted", "asked to stop")
    with pytest.raises(UserError, match="is interrupted: there is nothing to compare"):
        verify_runs(job.folder.root, [job.folder.run_id], [])
    for words in (["verify"], ["verify", "x", "--sample", "3"]):
        monkeypatch.setattr(sys, "argv", ["bench", *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        assert left.value.code == 2 and "bench verify wants" in capsys.readouterr().err
