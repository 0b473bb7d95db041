"""What is asked for is done or refused in one sentence, and nothing is left behind."""

import pytest
from omegaconf import OmegaConf

from bench import train
from bench.commands import cli
from bench.config import build
from bench.config.validate import UNREAD_WHILE
from bench.core.text import printable
from bench.execution.run import execute
from bench.runs.rows import read_rows
from bench.training.job import prepare_job

PLAN_ONLY = "hydra.sweeper.plan_only=true"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-m", "sweeps=quick,none"], "sweeps has several values"),
        (["-m", "pack=2,4"], "pack has several values"),
        (["-m", "force=true,false"], "force has several values"),
        (["hydra/launcher=joblib"], "works in a sweep only"),
        (["hydra.job.chdir=true"], "would move paths"),
        (["batch_size=5000"], "batch_size is 5,000, and the training split has 1,000 samples"),
        (["-m", "variant=glob(zzz*)"], "this sweep has no run"),
        (["-m", "+lr=1e-3,1e-4"], "nothing reads lr"),
        (["+dataset.batch=3"], "nothing reads dataset.batch"),
        (["-m", "dataset=ring", "log_every=1,2", PLAN_ONLY], "log_every all give the same runs"),
        (['runs_root="~/xyz"'], "the shell did not expand ~"),
        (["dataset.root=/a=b"], "quotes of its own"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_would_change_nothing_is_refused(run_command, tmp_path, words, sentence):
    done = run_command(train.main, *words)
    assert done.returncode == 2 and sentence in done.stderr.replace("\n", " "), done.stderr
    assert done.stderr.startswith("error: ") and "\n  fix: " in done.stderr
    assert not [p for p in tmp_path.rglob("*.json")]


def test_a_seed_named_twice_is_run_once_and_said(run_command):
    done = run_command(train.main, "-m", "dataset=ring", "seed=1,1", PLAN_ONLY)
    assert done.returncode == 0 and "1 runs come out the same as others" in done.stdout


def test_what_changes_nothing_beside_the_rest_is_said(run_command):
    words = ("variant=vae", "dataset=ring", "preset=study", "+hyperparameters.n_dis=3", "d_steps=2")
    words += ("trainer.workers=2", "score.keep_last=5", "log_every=1")
    done = run_command(train.main, *words, "score.n_fake=60", "trainer.pictures=0")
    assert done.returncode == 0
    said = sorted(line for line in done.stderr.splitlines() if "changes nothing" in line)
    assert said == [
        "caution: hyperparameters.n_dis changes nothing: variant 'vae' does not use it",
        "caution: score.keep_last changes nothing while score.every is null",
        "caution: trainer.workers changes nothing while trainer.data is device",
    ]
    groups = build.compose_config([])
    assert all(OmegaConf.select(groups, key) is not None for key in UNREAD_WHILE)


def test_a_measure_can_be_taken_out_of_a_score(tiny, run_command, tmp_path):
    job = prepare_job(build.compose_config(tiny("dataset=ring", network="mlp")))
    execute(job)
    few = ["score", str(job.folder.path), "--runs-root", str(job.folder.root), "score.n_fake=19"]
    done = run_command(cli.main, *few)
    assert done.returncode == 2 and "'~score.metrics.frechet_infinity' takes it out" in done.stderr
    removed = {"frechet_infinity", "prd"}
    done = run_command(cli.main, *few, *(f"~score.metrics.{name}" for name in removed))
    assert done.returncode == 0, done.stderr
    (row,) = (
        r for r in read_rows(job.folder.root, [job.folder.run_id]) if r.protocol["n_fake"] == 19
    )
    assert "frechet" in row.scores and not removed & row.measures.keys()
    done = run_command(cli.main, *few, "~score.metrics.none")
    assert done.returncode == 2 and "no score.metrics.none to take out" in done.stderr


def test_what_a_terminal_cannot_show_is_shown_as_escapes():
    assert printable("a\x1b[31m\nb\u202e") == "a\\x1b[31m\\nb\\u202e"
    assert printable("caf\u00e9 \u65e5\u672c") == "caf\u00e9 \u65e5\u672c"
