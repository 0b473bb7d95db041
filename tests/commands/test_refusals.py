"""What is asked for is done or refused in one sentence, and nothing is left behind."""

import re
import sys

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


TINY = ["dataset=ring", "d_steps=2", "log_every=1", "score.n_fake=60", "score.noise_seeds=0"]
TINY += ["trainer.pictures=0", "trainer.progress=false", "trainer.accelerator=cpu"]
TINY += ["score.metrics.prd.clusterings=1"]
MISSING = ["loss.discriminator._target_=no_such_module.loss"]


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
        (["d_step=100"], "there is no key 'd_step'   fix: correct it; did you mean 'd_steps'?"),
        (["-m", "varaint=vae,wgan"], "no key 'varaint'   fix: correct it; did you mean 'variant'?"),
        (["trainer.pictres=0"], "did you mean 'trainer.pictures'?"),
        (["hyperparameters.learning_rat=1"], "did you mean 'hyperparameters.learning_rate'?"),
        (["learning_rate=1"], "did you mean 'hyperparameters.learning_rate'?"),
        (["seed"], "'seed' sets no key   fix: write KEY=VALUE;"),
        (MISSING, "name the folder of no_such_module.py in PYTHONPATH, as in `PYTHONPATH=mine"),
        (["loss=mine"], "or name the folder of your own with --config-dir"),
        (["dataset.shape=32"], "dataset.shape is 32, and this data set holds images [channels, "),
        (["dataset=ring", "dataset.shape=[2,0]"], "holds points [dimensions]   fix: set it to "),
        (["hyperparameters.learning_rate=-1"], "is -1   fix: set it to a finite number from 0 on"),
        (
            ["hyperparameters.beta1=1.0"],
            "is 1.0   fix: set it to a finite number from 0 to below 1",
        ),
        (["hyperparameters.beta1=null"], "hyperparameters.beta1 is null   fix: set it to a number"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_would_change_nothing_is_refused(run_command, tmp_path, words, sentence):
    done = run_command(train.main, *words)
    assert done.returncode == 2 and sentence in done.stderr.replace("\n", " "), done.stderr
    assert done.stderr.startswith("error: ") and "\n  fix: " in done.stderr
    assert not [p for p in tmp_path.rglob("*.json")]


def test_an_error_that_says_what_to_do_has_no_other_fix(run_command):
    done = run_command(train.main, "dataset=ring", "network.width=[1,2]")
    says = "the network's width is [1, 2]; set it to a whole number from 1 on\n"
    assert done.returncode == 2 and done.stderr == f"error: variant 'ns_gan': {says}"


def test_an_override_may_stand_before_a_flag(run_command):
    done = run_command(train.main, "dataset=ring", PLAN_ONLY, "-m", "seed=0,1")
    assert done.returncode == 0 and "2 runs planned" in done.stdout, done.stderr


def test_a_number_that_the_variant_has_not_is_stored_and_said_once(run_command, tmp_path):
    words = ("variant=vae", "preset=study", "hyperparameters.n_dis=7")
    done = run_command(train.main, *TINY, *words)
    said = "caution: hyperparameters.n_dis changes nothing: variant 'vae' does not use it"
    assert done.returncode == 0 and done.stderr.splitlines().count(said) == 1, done.stderr
    (path,) = tmp_path.glob("runs/*/config.yaml")
    assert OmegaConf.load(path).hyperparameters.n_dis == 7


def test_such_a_number_of_a_sweep_over_variants_is_said_once(run_command):
    words = ("variant=vae,ns_gan", "hyperparameters.n_dis=1,2", "preset=study", PLAN_ONLY)
    done = run_command(train.main, "-m", *TINY, *words)
    assert done.returncode == 0 and "3 runs planned" in done.stdout
    assert done.stderr.count("hyperparameters.n_dis changes nothing") == 1


def test_a_failed_run_names_its_traceback_and_failed_scoring_is_said(run_command, tmp_path):
    text = "from bench.scoring.metric_spec import MetricSpec\nclass Own(MetricSpec):\n"
    text += "    def __call__(self, reference, fake):\n        return fake.nothing\n"
    (tmp_path / "own_metric.py").write_text(text)
    metric = "+score.metrics.own={_target_: own_metric.Own}"
    for again in (False, True):
        done = run_command(train.main, *TINY, metric)
        assert done.returncode == 1, done.stderr
        line, *_ = done.stdout.splitlines()
        when = r"before" if again else r"in \d+ s"
        cause = r"AttributeError: 'Features' object has no attribute 'nothing'"
        found = re.fullmatch(
            rf"ns_gan on ring, seed 0: trained {when}, but scoring failed "
            rf"\({cause}; its traceback: (runs/\w+/error.txt)\)",
            line,
        )
        assert found and "fake.nothing" in (tmp_path / found[1]).read_text(), line
    (tmp_path / "own_metric.py").write_text(text.replace("fake.nothing", "{'mine': 1.0}"))
    del sys.modules["own_metric"]
    done = run_command(train.main, *TINY, metric)
    broken = r"metric 'own', own_metric.Own \(own_metric.py, line 2\), returned mine, which its "
    assert re.search(
        rf"scoring failed \(ContractError: {broken}directions do not name", done.stdout
    )


def test_a_seed_named_twice_is_run_once_and_said(run_command):
    done = run_command(train.main, "-m", "dataset=ring", "seed=1,1", PLAN_ONLY)
    assert done.returncode == 0 and "1 runs come out the same as others" in done.stdout


def test_what_changes_nothing_beside_the_rest_is_said(run_command):
    words = ("variant=vae", "dataset=ring", "+hyperparameters.gamma=3", "hyperparameters.n_dis=3")
    words += ("update_order=g_first",)
    words += ("trainer.workers=2", "score.keep_last=5", "log_every=1", "d_steps=2")
    done = run_command(train.main, *words, "score.n_fake=60", "trainer.pictures=0")
    assert done.returncode == 0
    said = sorted(line for line in done.stderr.splitlines() if "changes nothing" in line)
    assert said == [
        "caution: hyperparameters.gamma changes nothing: variant 'vae' does not use it",
        "caution: hyperparameters.n_dis changes nothing: variant 'vae' does not use it",
        "caution: score.keep_last changes nothing while score.every is null",
        "caution: trainer.workers changes nothing while trainer.data is device",
        "caution: update_order changes nothing: model 'vae' does not read update_order",
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
