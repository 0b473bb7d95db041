"""The commands as a person types them: exit status, sentences, files."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from support import ROOT

from bench import train
from bench.commands import cli
from bench.training.monitor import Monitor

pytestmark = pytest.mark.usefixtures("svg_only")
FAST = [
    "d_steps=4", "log_every=2", "trainer.progress=false", "trainer.pictures=0",
    "score.n_fake=60", "score.n_real=100", "network.width=8", "network.depth=2", "dataset=ring",
    "score.metrics.prd.clusterings=1",
]  # fmt: skip


@pytest.fixture
def bench(run_command):
    """Run `bench ARGUMENTS` in this process."""
    return partial(run_command, cli.main)


@pytest.fixture
def bench_train(run_command):
    """Run `python -m bench.train ARGUMENTS` in this process."""
    return partial(run_command, train.main)


def start(*arguments: str, cwd: Path, module: str = "bench") -> subprocess.CompletedProcess:
    """Run a command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=cwd, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip


def test_help_lists_the_commands_and_imports_no_torch(tmp_path):
    done = start("--help", cwd=tmp_path)
    assert done.returncode == 0
    for command in ("train", "report", "sample", "prepare", "features", "doctor"):
        assert command in done.stdout
    code = (
        "import sys; from bench.commands import cli; cli.build_parser();"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_run_is_trained_scored_sampled_and_skipped(bench, bench_train, tmp_path):
    done = bench_train(*FAST)
    assert done.returncode == 0, done.stderr
    run = Path(re.search(r"run (\w+): ", done.stdout)[1])
    assert "frechet" in done.stdout and "identity" in done.stdout
    drawn = bench("sample", str(run)[:6], "-n", "7", "--to", "points.csv")
    assert drawn.returncode == 0, drawn.stderr
    assert len((tmp_path / "points.csv").read_text().splitlines()) == 7
    again = bench("train", *FAST)
    assert again.returncode == 0 and "skipped" in again.stdout
    report = bench("report", "none")
    assert report.returncode == 2 and "no sweep 'none'" in report.stderr


def test_a_multirun_is_planned_counted_and_reported(bench, bench_train, tmp_path):
    done = bench_train("-m", "variant=ns_gan,wgan", "seed=0", *FAST)
    assert done.returncode == 0, done.stderr
    assert "2 runs planned, 0 skipped" in done.stdout and "2 planned, 2 finished" in done.stdout
    report = bench("report", "none", "--to", "out")
    assert report.returncode == 0, report.stderr
    assert (tmp_path / "out" / "index.html").is_file()
    assert "too few seeds to rank" in report.stdout.lower()
    assert report.stdout.strip().splitlines()[-1].endswith("index.html")
    copy = bench("report", str(tmp_path / "out"), "--to", "copy")  # by the absolute path
    assert copy.returncode == 0, copy.stderr
    same = [(tmp_path / name / "index.html").read_bytes() for name in ("out", "copy")]
    assert same[0] == same[1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["variant=none_such"], "no variant 'none_such'"),
        (["d_stepz=3"], "d_stepz"),
        (["variant="], "variant"),
        (["d_steps=[1"], "config"),
        (["dataset=mnist", "dataset.root=nowhere"], "nowhere"),
        (["runs_root=/proc/no"], "cannot use /proc/no"),
        (["pack=8"], "pack=8 works in a sweep only\n  fix: add -m, or set packed=8\n"),
        (["pack=auto"], "pack=auto works in a sweep only\n  fix: add -m\n"),
        (["-m", "variant=ns_gan,none_such"], "no variant 'none_such'"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_status_two(bench_train, tmp_path, arguments, sentence):
    fast = [] if "dataset=mnist" in arguments else FAST
    done = bench_train(*arguments, *fast)
    assert done.returncode == 2, done.stdout + done.stderr
    assert sentence in done.stderr and "Traceback" not in done.stderr
    assert done.stderr.lower().count("error") == 1 and "  fix: " in done.stderr
    assert not list(tmp_path.rglob("status.json"))


def test_a_process_ends_with_exit_status_two_and_no_traceback(tmp_path):
    done = start("variant=none_such", *FAST, cwd=tmp_path, module="bench.train")
    assert done.returncode == 2 and done.stderr.startswith("error: no variant 'none_such'")
    assert "Traceback" not in done.stderr and not list(tmp_path.iterdir())
    done = start("report", "nobody", cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.startswith("error: no sweep 'nobody'")
    assert "Traceback" not in done.stderr


def test_a_bad_job_among_good_ones_is_refused_and_the_others_run(bench_train):
    done = bench_train("-m", "hyperparameters.n_dis=1,0,2", *FAST)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "refused: " in done.stderr and "n_dis is 0" in done.stderr
    assert "3 planned, 2 finished, 1 refused" in done.stdout
    assert "refused: ns_gan on ring, seed 0" in done.stdout


def test_ctrl_c_ends_a_multirun_too(bench_train, tmp_path, monkeypatch):
    after_step = Monitor.after_step

    def press_ctrl_c(self, model):
        if model.d_steps == 2:
            signal.raise_signal(signal.SIGINT)
        after_step(self, model)

    monkeypatch.setattr(Monitor, "after_step", press_ctrl_c)
    done = bench_train("-m", *FAST, "seed=0,1,2")
    assert done.returncode == 130, done.stdout + done.stderr
    assert "Traceback" not in done.stderr and "interrupted; the same command" in done.stderr
    assert not list(tmp_path.rglob("*.part"))
    (status,) = tmp_path.glob("runs/*/status.json")
    assert json.loads(status.read_text())["status"] == "interrupted"


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_ctrl_c_ends_all_processes_of_a_multirun(tmp_path, launcher):
    command = [sys.executable, "-m", "bench.train", "-m", *FAST, "d_steps=1000000", "seed=0,1,2"]
    workers = {"basic": [], "joblib": ["hydra.launcher.n_jobs=2"]}[launcher]
    process = subprocess.Popen(
        [*command, f"hydra/launcher={launcher}", *workers],
        cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 90
    while len(list(tmp_path.glob("runs/*/status.json"))) < max(1, 2 * len(workers)) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.1)
    time.sleep(3)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert "Traceback" not in err and "interrupted; the same command" in err
    assert not [p for p in tmp_path.rglob("*") if p.name.endswith(".part")]
    statuses = [json.loads(p.read_text())["status"] for p in tmp_path.glob("runs/*/status.json")]
    assert statuses and set(statuses) == {"interrupted"}


def test_bad_arguments_of_other_commands(bench):
    for arguments in (["sample", "nobody"], ["report", "nobody"], ["prepare", "nobody"]):
        done = bench(*arguments)
        assert done.returncode == 2 and done.stderr.startswith("error: "), done.stderr
    assert bench("sample", "x", "-n", "0").returncode == 2
    assert bench("frobnicate").returncode == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["features", "digits_convnet", "dataset=ring"],
        ["features", "digits_convnet", "features.training.settings.epochs=0"],
        ["features", "identity"],
    ],
)
def test_extractors_that_cannot_be_trained_are_one_sentence(bench, tmp_path, arguments):
    done = bench(*arguments)
    assert done.returncode == 2 and done.stderr.startswith("error: "), done.stderr
    assert "Traceback" not in done.stderr and not list(tmp_path.iterdir())


def test_a_diverged_run_is_not_sampled(bench, bench_train, tmp_path):
    unstable = ["variant=lsgan", "loss=lsgan_logits", "hyperparameters.learning_rate=1e30"]
    done = bench_train(*FAST, *unstable)
    assert done.returncode == 0 and "diverged" in done.stdout, done.stderr
    run = re.search(r"run (\w+): ", done.stdout)[1]
    drawn = bench("sample", run)
    assert drawn.returncode == 2 and "is diverged, not finished" in drawn.stderr
    assert not (tmp_path / "samples.csv").exists()


def test_a_failing_run_is_exit_status_one(bench_train, tmp_path):
    (tmp_path / "broken_loss.py").write_text(
        "def generator_loss(fake_logits):\n    raise RuntimeError('made to fail')\n"
    )
    override = "loss.generator._target_=broken_loss.generator_loss"
    done = bench_train(*FAST, override)
    assert done.returncode == 1, done.stderr
    assert "failed" in done.stdout and "made to fail" in done.stdout
    assert next(tmp_path.glob("runs/*/error.txt")).read_text().startswith("Traceback")


@pytest.mark.parametrize("presses", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_ctrl_c_ends_with_130_and_nothing_half_written(tmp_path, presses):
    command = [sys.executable, "-m", "bench.train", *FAST, "d_steps=1000000"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("runs/*/status.json")) and time.monotonic() < deadline:
        time.sleep(0.1)
    while not list(tmp_path.glob("runs/*/history.csv")) and time.monotonic() < deadline:
        time.sleep(0.1)
    for _ in range(presses):
        process.send_signal(signal.SIGINT)
        time.sleep(0.02)  # two at once are one
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert "Traceback" not in err
    assert not [p for p in tmp_path.rglob("*") if p.name.endswith(".part")]
    for path in tmp_path.glob("runs/*/status.json"):
        assert json.loads(path.read_text())["status"] in ("interrupted", "running")


def test_a_loss_from_outside_the_package_trains_and_is_reported(
    bench, bench_train, tmp_path, monkeypatch
):
    """The worked example of docs/add_a_loss.md, files and commands taken from the page."""
    section = (ROOT / "docs/add_a_loss.md").read_text()
    files = re.findall(r"`([\w./]+)`:\n\n```(?:python|yaml)\n(.*?)```", section, re.DOTALL)
    assert [name for name, _ in files] == [
        "mine/squared_hinge.py",
        "mine/conf/loss/squared_hinge.yaml",
        "mine/conf/variant/squared_hinge_gan.yaml",
    ]  # fmt: skip
    for name, content in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    command = re.search(r"```\n(python -m bench.train -m .*?)```", section, re.DOTALL)[1]
    words = command.replace("\\\n", " ").split()[3:]
    words = [w for w in words if not w.startswith(("d_steps", "seed"))]
    monkeypatch.syspath_prepend("mine")  # as `export PYTHONPATH=mine` does
    done = bench_train(*words, "seed=0", *FAST[:6], "dataset=digits", FAST[-1])
    assert done.returncode == 0, done.stderr
    command = re.search(r"```\nbench (report .*?)\n```", section)[1]
    report = bench(*command.split())
    assert report.returncode == 0 and "squared_hinge_gan" in report.stdout, report.stderr
    assert "squared_hinge_gan" in (tmp_path / "runs/reports/none/index.html").read_text()


def test_completion_knows_the_variants(tmp_path):
    env = {**os.environ, "COMP_LINE": "bench-train variant=w", "COMP_POINT": "21"}
    done = subprocess.run(
        [Path(sys.executable).with_name("bench-train"), "-sc", "query=bash"],
        cwd=tmp_path, capture_output=True, text=True, env=env, timeout=60,
    )  # fmt: skip
    assert set(done.stdout.split()) == {"variant=wgan", "variant=wgan_gp", "variant=wgan_lp"}
