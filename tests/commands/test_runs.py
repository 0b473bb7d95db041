"""Finding runs again, and looking at one."""

import json
import os

import pytest

from bench.commands import cli
from bench.commands.runs import BARS, curve, find_runs
from bench.core.errors import UserError


@pytest.fixture
def runs(finished):
    """Two finished runs of one root, the second of which ended later."""
    first = finished("dataset=ring", network="mlp")
    second = finished("dataset=ring", "seed=1", network="mlp")
    for job, second_of_day in ((first, 100), (second, 200)):
        os.utime(job.folder.path / "status.json", (second_of_day, second_of_day))
    return first, second


def test_runs_are_listed_newest_first_and_filtered(runs, run_command):
    first, second = runs
    root = f"--runs-root={first.folder.root}"
    done = run_command(cli.main, "runs", root)
    ids = [line.split()[0] for line in done.stdout.splitlines()[1:]]
    assert done.returncode == 0 and ids == [second.folder.run_id[:8], first.folder.run_id[:8]]
    assert "ns_gan" in done.stdout and "finished" in done.stdout and "frechet" in done.stdout
    done = run_command(cli.main, "runs", root, "seed=0", "dataset=ring")
    assert first.folder.run_id[:8] in done.stdout and second.folder.run_id[:8] not in done.stdout
    done = run_command(cli.main, "runs", root, "status=failed")
    assert done.returncode == 0 and "no runs that fit status=failed" in done.stdout


def test_a_run_is_shown_with_settings_losses_and_scores(runs, run_command):
    job, _ = runs
    root = f"--runs-root={job.folder.root}"
    done = run_command(cli.main, "show", job.folder.run_id[:8], root)
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert lines[0] == f"run {job.folder.run_id}: ns_gan on ring, seed 0: finished"
    assert lines[1] == "loss=nonsaturating  penalty=none  model=gan  network=mlp"
    assert "learning_rate=5e-05" in lines[2]
    assert any(line.startswith("d_loss ") for line in lines)
    assert any(line.split()[:1] == ["modes_covered"] for line in lines)
    assert any(line.endswith("final.png") for line in lines)


def test_any_selection_of_runs_has_a_report(runs, run_command, tmp_path):
    first, second = runs
    root = f"--runs-root={first.folder.root}"
    for words, n in (["dataset=ring"], 2), ([first.folder.run_id[:8], "seed=0"], 1):
        done = run_command(cli.main, "report", *words, root, f"--to={tmp_path / str(n)}")
        assert done.returncode == 0, done.stderr
        assert f"{n} of {n} run" in " ".join(done.stdout.split()) or str(n) in done.stdout
        text = (tmp_path / str(n) / "report.md").read_text()
        assert f"bench report {' '.join(words)}" in text
        stored = (tmp_path / str(n) / "runs.jsonl").read_text().splitlines()
        assert [json.loads(line)["run_id"] for line in stored] == sorted(
            job.folder.run_id for job in runs[:n]
        )
    done = run_command(cli.main, "report", "dataset=ring", root)
    fewer = run_command(cli.main, "report", "seed=0", root)  # lies elsewhere, and replaces nothing
    assert done.returncode == fewer.returncode == 0
    reports = {path.name for path in (first.folder.root / "reports").iterdir()}
    assert reports == {"dataset_ring", "seed_0"}
    done = run_command(cli.main, "report", "zzz", root)
    assert done.returncode == 2 and "no sweep 'zzz'" in done.stderr


def test_what_is_no_filter_and_what_is_no_run_is_refused(runs, tmp_path):
    job, _ = runs
    with pytest.raises(UserError, match="'colour' is no filter"):
        find_runs(job.folder.root, ["colour=red"])
    job.folder.config.write_text("a: &x [1]\nb: *x\n")  # of a stranger, and not to be expanded
    assert len(find_runs(job.folder.root)) == 1
    assert find_runs(tmp_path / "nowhere") == []


def test_a_curve_goes_from_its_least_to_its_largest_mean():
    assert curve([0.0, 7.0]) == BARS[0] + BARS[7] and curve([3.0, 3.0]) == 2 * BARS[0]
    assert curve([0.0, 0.0, 2.0, 4.0, 7.0, 7.0], width=3) == BARS[0] + BARS[3] + BARS[7]
