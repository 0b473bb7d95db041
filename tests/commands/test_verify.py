"""`bench verify` and `bench reproduce`: identical, or the first point of difference."""

import json
import shlex
import sys

import pytest

from bench.commands import cli
from bench.commands.reproduce import reproduce_steps
from bench.commands.verify import verify_published, verify_runs
from bench.config import build
from bench.config.process_settings import process_settings
from bench.core.errors import UserError
from bench.execution.packs.pack_runner import PackRunner
from bench.execution.queue import PendingRun
from bench.execution.run import execute
from bench.runs.record import describe_run, read_published_runs, write_published_runs
from bench.training.job import prepare_job


@pytest.fixture
def run(tiny):
    """A finished run on points, and the overrides that made it."""
    overrides = tiny("dataset=ring", "score.every=2", "d_steps=8", network="mlp")
    job = prepare_job(build.compose_config(overrides))
    execute(job)
    return job, overrides


def change(path, what):
    content = json.loads(path.read_text())
    what(content)
    path.write_text(json.dumps(content))


def test_a_run_is_identical_and_its_folder_untouched(run, capsys):
    job, _ = run
    before = {p: p.stat().st_mtime_ns for p in job.folder.path.rglob("*")}
    assert verify_runs(job.folder.root, [job.folder.run_id[:8]], []) == 0
    # initial, eight points, generator, samples; rows of the final, the best and the last three
    assert "identical: 14 digests" in capsys.readouterr().out
    assert {p: p.stat().st_mtime_ns for p in job.folder.path.rglob("*")} == before


def test_a_packed_run_is_trained_again_alone_in_its_pack(tiny, capsys):
    overrides = tiny("dataset=ring", "packed=3", "d_steps=8", network="mlp")
    jobs = [prepare_job(build.compose_config([*overrides, f"seed={seed}"])) for seed in (0, 1)]
    queue = [PendingRun(job.folder.run_id, lambda share_with, job=job: job) for job in jobs]
    with process_settings(jobs[0].plain):
        PackRunner(queue, 3, skip_if_active=False).run()
    assert verify_runs(jobs[0].folder.root, [job.folder.run_id for job in jobs], []) == 0
    assert capsys.readouterr().out.count("identical: 12 digests") == 2


def test_a_run_that_was_stored_before_there_were_packs_is_identical(run, capsys):
    job, _ = run
    stored = job.folder.config.read_text()
    job.folder.config.write_text(stored.replace("packed: false\n", ""))
    assert job.folder.config.read_text() != stored
    assert verify_runs(job.folder.root, [job.folder.run_id], []) == 0


def test_the_first_difference_is_named_with_what_differs_in_the_environment(run, capsys):
    job, _ = run
    folder = job.folder

    def other(chain):
        for link in chain:
            if link[0] in ("step-5", "step-6"):
                link[1] = "0" * 32

    change(folder.digests, other)
    change(folder.path / "environment.json", lambda e: e["packages"].update(torch="1.0"))
    assert verify_runs(folder.root, [folder.run_id], []) == 1
    said = capsys.readouterr().out
    assert f"DIFFERS: weights at step-5: {'0' * 32} then," in said and "step-6" not in said
    assert "torch: 1.0 then," in said and said.strip().endswith("1 of 1 differ")


def test_a_score_that_was_changed_is_found(run, capsys):
    job, _ = run
    row = next((job.folder.path / "rows").glob("best-*"))
    change(row, lambda content: content["scores"].update(frechet=0.123))
    assert verify_runs(job.folder.root, [job.folder.run_id], []) == 1
    said = capsys.readouterr().out
    assert f"scores of row {row.name}" in said and "the environments are the same" in said


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
