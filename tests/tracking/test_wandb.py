"""What W&B is told of a run: read back from its own files, and from what a server was sent."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from contextlib import suppress
from pathlib import Path
from threading import Timer

import pytest
from services.wandb_records import attempts_at, log_of, records
from services.wandb_server import wandb_server
from support import ROOT

from bench.config import build
from bench.core.errors import Caution, Interrupted, UserError
from bench.core.files import read_json, sha256_of
from bench.core.signals import INTERRUPT, _children
from bench.execution.run import execute
from bench.runs.columns import protocol_label, score_protocol, scores_by_column
from bench.runs.identity import SEMANTICS_VERSION
from bench.runs.rows import read_rows
from bench.tracking.wandb_attempts import Attempts, wait_for_end
from bench.training.job import prepare_job
from bench.training.monitor import Monitor

STEPS = ["d_steps=40", "trainer.checkpoint_every=10", "trainer.pictures=4", "log_every=4"]
OWN = {"_step", "_runtime", "_timestamp", "_wandb"}  # W&B's


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """No setting of whoever runs the tests, and a look at the history after each reading."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("bench.tracking.wandb_tracker.EVERY_SECONDS", 0.0)
    monkeypatch.setattr("bench.training.monitor.HISTORY_SECONDS", 0.0)
    yield
    patience = Timer(20, end_wandb)  # its process may go on for as long as its server is away
    patience.start()
    with suppress(ConnectionError, SystemExit):  # by which it says that its process was killed
        if "wandb" in sys.modules:
            sys.modules["wandb"].teardown()
    patience.cancel()


def end_wandb():
    for child in _children(os.getpid()):
        if b"wandb-core" in Path(f"/proc/{child}/cmdline").read_bytes():
            os.kill(child, signal.SIGKILL)


def job_of(tiny, *overrides, logger="[wandb]"):
    return prepare_job(build.compose_config(tiny(*STEPS, f"logger={logger}", *overrides)))


def attempts(job):
    return attempts_at(job.folder.path / "wandb", job.folder.run_id)


def told_in(attempt):
    """The records of one attempt by kind, history as plain rows."""
    found = {"history": [], "summary": {}, "config": {}, "exit": None, "run": None, "metric": []}
    for record in records(log_of(attempt)):
        kind = record.WhichOneof("record_type")
        if kind == "history":
            row = {}
            for item in record.history.item:
                row["/".join(item.nested_key)] = json.loads(item.value_json)
            found["history"].append(row)
        elif kind in ("summary", "config"):
            for item in getattr(record, kind).update:
                found[kind][item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
        elif kind == "exit":
            found["exit"] = record.exit.exit_code
        elif kind == "run":
            found["run"] = record.run
        elif kind == "metric":
            found["metric"].append(record.metric)
    return found


def numbers(rows):
    """Steps with their numbers, pictures as the hash of their file."""
    found = []
    for row in rows:
        flat = {k: v for k, v in row.items() if k not in OWN and not k.startswith("samples")}
        picture = row.get("samples/sha256") or row.get("samples", {}).get("sha256")
        found.append((row["_step"], flat | ({"samples": picture} if picture else {})))
    return found


def expected(job):
    """The same from the run's own files, which W&B had no hand in."""
    found = {}
    with open(job.folder.history, encoding="utf-8") as lines:
        for line in csv.DictReader(lines):
            step = int(line.pop("step"))
            values = {name: float(value) for name, value in line.items() if value}
            found[step] = {"g_steps": values.pop("g_step"), **values}
    if job.folder.candidates.exists():
        for one in read_json(job.folder.candidates)["steps"]:
            mine = {"g_steps": one["g_steps"], "selection/frechet": one["frechet"]}
            found[one["d_steps"]] = found.get(one["d_steps"], {}) | mine
    for path in job.folder.samples.glob("step-*.png"):
        found.setdefault(int(path.stem[5:]), {})["samples"] = sha256_of(path)
    return [(n, {"d_steps": n, "images": 64 * n, **found[n]}) for n in sorted(found)]


def stop_after(step, act, monkeypatch):
    """Do something after a step, once."""
    at_end = Monitor.on_train_batch_end

    def hook(self, trainer, model, outputs, batch, batch_idx):
        at_end(self, trainer, model, outputs, batch, batch_idx)
        if model.d_steps == step:
            act()

    monkeypatch.setattr(Monitor, "on_train_batch_end", hook)


@pytest.fixture
def unscored(monkeypatch):
    """Without rows, where a test asks for none."""
    monkeypatch.setattr("bench.execution.lifecycle._score", lambda job, stored: None)
    monkeypatch.setattr("bench.execution.lifecycle.write_row", lambda root, row: None)


def fail(*_, **__):
    raise RuntimeError("made to fail")


def test_what_was_told_agrees_with_the_files_and_the_rows(tiny):
    job = job_of(tiny, "score.every=16", "score.keep_last=1", logger="[csv,tensorboard,wandb]")
    assert execute(job).status == "finished"
    (attempt,) = attempts(job)
    told = told_in(attempt)
    assert numbers(told["history"]) == expected(job)
    at_steps = {*range(4, 41, 4), 10, 20, 30, 40, 16, 32}  # readings, pictures, candidates
    assert [step for step, _ in expected(job)] == sorted(at_steps)
    rows = read_rows(job.folder.root, [job.folder.run_id])
    assert {row.checkpoint for row in rows} == {"final", "best", "last-1"}
    assert {k: v for k, v in told["summary"].items() if "/quick-" in k} == scores_by_column(rows)
    final = next(row for row in rows if row.checkpoint == "final")
    key = f"final/{protocol_label(score_protocol(final, 'frechet'))}/frechet"
    assert told["summary"][key] == final.scores["frechet"]
    status = job.folder.read_status()
    for name in ("status", "cause", "d_steps", "g_steps", "images", "digest"):
        assert told["summary"][name] == status[name]
    assert told["exit"] == 0
    assert {p.name for p in job.folder.path.iterdir()} >= {"csv", "tensorboard", "wandb"}


def test_offline_no_host_is_looked_up(tiny, unscored, monkeypatch):
    """W&B's own errors would be reported to a host of W&B's, by this process and its service."""
    asked = []
    monkeypatch.setattr("socket.getaddrinfo", lambda host, *rest, **words: asked.append(host) or [])
    assert execute(job_of(tiny, "d_steps=4")).status == "finished"
    import wandb

    assert asked == [] and not wandb.env.error_reporting_enabled()


def test_config_labels_and_axes(tiny, unscored):
    job = job_of(tiny, "seed=3", "d_steps=4")
    execute(job)
    told = told_in(attempts(job)[0])
    run, names = told["run"], job.plain["names"]
    assert (run.run_id, run.project) == (job.folder.run_id, "created-equal")
    assert (run.job_type, run.display_name) == ("train", "ns_gan-digits-3")
    assert list(run.tags) == [names["variant"], names["dataset"], f"semantics-{SEMANTICS_VERSION}"]
    assert run.run_group == "" and run.resume
    for key in ("model", "dataset", "seed", "batch_size", "score", "hyperparameters"):
        assert told["config"][key] == job.plain[key]
    assert told["config"]["run_id"] == job.folder.run_id
    assert told["config"]["variant"] == names["variant"]
    assert told["config"]["environment"] == job.folder.read_provenance()["environment"]
    assert told["config"]["data"] == job.folder.read_provenance()["data"]
    assert [(m.name, m.glob_name, m.step_metric) for m in told["metric"]] == [
        ("d_steps", "", ""),
        ("", "*", "d_steps"),
    ]


def test_nothing_of_the_machine_is_kept(tiny, unscored):
    job = job_of(tiny, "d_steps=4")
    execute(job)
    (attempt,) = attempts(job)
    left = {p.suffix for p in (attempt / "files").rglob("*") if p.is_file()}
    assert left == {".png"} and told_in(attempt)["run"].host == ""


def test_a_sweep_is_the_group(tiny, unscored):
    job = job_of(tiny, "sweeps=quick", "d_steps=4")
    execute(job)
    assert told_in(attempts(job)[0])["run"].run_group == "quick"


def test_runs_of_one_process_never_merge_and_a_run_that_is_there_tells_nothing(tiny):
    jobs = [job_of(tiny, f"seed={seed}", "d_steps=8") for seed in (0, 1)]
    for job in (*jobs, *jobs):
        assert execute(job).status == "finished"
    for job in jobs:
        (attempt,) = attempts(job)
        assert told_in(attempt)["run"].run_id == job.folder.run_id
        assert numbers(told_in(attempt)["history"]) == expected(job)


def test_a_diverged_run_has_ended_well_with_its_status(tiny):
    job = job_of(tiny, "variant=lsgan", "loss=lsgan_logits", "hyperparameters.learning_rate=1e30")
    assert execute(job).status == "diverged"
    told = told_in(attempts(job)[0])
    assert told["exit"] == 0 and told["summary"]["status"] == "diverged"
    assert "not finite" in told["summary"]["cause"]
    assert not [key for key in told["summary"] if "/frechet" in key]


def test_a_failed_run_goes_on_without_gap_or_repeat(tiny, monkeypatch):
    job = job_of(tiny, "score.every=8")
    with monkeypatch.context() as patch:
        stop_after(36, fail, patch)
        assert execute(job).status == "failed"
    (first,) = attempts(job)
    told = told_in(first)
    assert told["exit"] == 1
    assert (told["summary"]["status"], told["summary"]["cause"]) == (
        "failed",
        "RuntimeError: made to fail",
    )
    assert [row["_step"] for row in told["history"]][-1] == 32  # the checkpoint is of 32, too
    assert execute(job).status == "finished"
    first_again, second = attempts(job)
    assert first_again == first
    history = [*told_in(first)["history"], *told_in(second)["history"]]
    assert numbers(history) == expected(job)
    assert told_in(second)["exit"] == 0
    assert told_in(second)["run"].run_id == told_in(first)["run"].run_id


def test_steps_beyond_the_checkpoint_are_told_once(tiny, unscored, monkeypatch):
    """The run goes back to step 30 where W&B knows 34; what it knows it is not told again."""
    job = job_of(tiny, "log_every=1")
    with monkeypatch.context() as patch:
        stop_after(37, fail, patch)
        execute(job)
    assert told_in(attempts(job)[0])["history"][-1]["_step"] == 36
    execute(job)
    first, second = (told_in(attempt)["history"] for attempt in attempts(job))
    assert second[0]["_step"] == 37
    assert numbers([*first, *second]) == expected(job) and len(expected(job)) == 40


def test_an_interrupted_run_is_preempted_and_goes_on(tiny, unscored, monkeypatch):
    job = job_of(tiny)
    with monkeypatch.context() as patch:
        stop_after(17, lambda: setattr(INTERRUPT, "requested", True), patch)
        with pytest.raises(Interrupted):
            execute(job)
    first = told_in(attempts(job)[0])
    assert first["exit"] == 130 and first["summary"]["status"] == "interrupted"
    execute(job)
    history = [row for attempt in attempts(job) for row in told_in(attempt)["history"]]
    assert numbers(history) == expected(job)


def test_a_failing_score_is_a_failed_run_and_the_rows_come_with_the_next_attempt(tiny, monkeypatch):
    job = job_of(tiny)
    with monkeypatch.context() as patch:
        patch.setattr("bench.execution.lifecycle._score", fail)
        assert execute(job).status == "failed"
    assert told_in(attempts(job)[0])["exit"] == 1
    assert execute(job).status == "finished"
    first, second = map(told_in, attempts(job))
    assert numbers(first["history"]) == expected(job) and second["history"] == []
    assert second["exit"] == 0
    rows = read_rows(job.folder.root, [job.folder.run_id])
    assert {k: v for k, v in second["summary"].items() if "/quick-" in k} == scores_by_column(rows)


def record_of(job):
    return Attempts(job.folder.path / "wandb", job.folder.run_id)


def test_the_record_says_how_far_each_attempt_got(tiny, unscored, monkeypatch):
    job = job_of(tiny)
    at_step = {}

    def look():
        (at_step[17],) = record_of(job).read().values()
        fail()

    with monkeypatch.context() as patch:
        stop_after(17, look, patch)
        assert execute(job).status == "failed"
    assert at_step == {17: {"last_step": 12, "ended": False}}  # 16 may still get a picture
    execute(job)
    assert record_of(job).read() == {
        attempt.name: {"last_step": step, "ended": True}
        for attempt, step in zip(attempts(job), (12, 40), strict=True)
    }
    assert [told_in(attempt)["history"][-1]["_step"] for attempt in attempts(job)] == [12, 40]


@pytest.fixture
def record(tmp_path):
    """The record of a run `mine` whose attempts are made up, by seconds of their start."""
    attempts = Attempts(tmp_path, "mine")

    def make(second, step=None, *, prefix="offline-", ended=False, run_id="mine"):
        folder = tmp_path / f"{prefix}run-20260101_0000{second:02d}-{run_id}"
        folder.mkdir()
        (folder / f"run-{run_id}.wandb").write_bytes(b"half a rec")
        if step is not None:
            attempts.write(folder.name, step, ended=ended)
        return folder

    attempts.make = make
    return attempts


def test_a_killed_attempt_that_was_offline_is_deleted_and_counts_for_nothing(record):
    assert (record.read(), record.last_step()) == ({}, 0)
    kept = [
        record.make(1, 20, ended=True),
        record.make(2, 30, prefix=""),  # online: its file is not ours to delete
        record.make(3, run_id="other"),
        record.make(4, run_id="not-mine"),
    ]
    killed = [record.make(5, 40), record.make(6)]  # after some steps, and before its first
    record.delete_killed()
    assert all(folder.exists() for folder in kept)
    assert not any(folder.exists() for folder in killed)
    assert record.last_step() == 30


def test_what_was_synced_counts_and_is_not_deleted(record):
    killed, ended = record.make(1, 20), record.make(2, 12, ended=True)
    (killed / "run-mine.wandb.synced").touch()  # by `wandb sync`
    record.delete_killed()
    assert killed.exists() and record.last_step() == 20
    shutil.rmtree(killed)  # by hand
    shutil.rmtree(ended)  # by `wandb clean`
    assert record.last_step() == 12


def test_what_an_online_attempt_has_sent_is_marked_as_synced(record):
    folders = [record.make(1, 20, ended=True), record.make(2, 30, prefix="")]
    record.mark_synced()
    assert [(one / "run-mine.wandb.synced").exists() for one in folders] == [True, False]


def test_a_file_has_ended_when_it_grows_no_more(tmp_path, monkeypatch):
    """It grows three times, while it is waited for."""
    file, parts = tmp_path / "file", ["b", "c", "d"]
    file.write_text("a")
    wait_for_end(tmp_path / "none")

    def sleep(_):
        with open(file, "a") as end:
            end.write(parts.pop(0) if parts else "")

    monkeypatch.setattr("bench.tracking.wandb_attempts.time.sleep", sleep)
    wait_for_end(file)
    assert file.read_text() == "abcd"


def test_the_environment_counts(tiny, unscored, tmp_path, monkeypatch):
    for name, value in {
        "PROJECT": "theirs",
        "RUN_GROUP": "a group",
        "TAGS": "one,two",
        "DIR": str(tmp_path),
        "MODE": "offline",
    }.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    job = job_of(tiny, "d_steps=4", "logger.wandb.offline=false")
    execute(job)
    assert not attempts(job)
    (attempt,) = attempts_at(tmp_path / "wandb", job.folder.run_id)
    run = told_in(attempt)["run"]
    assert (run.project, run.run_group, list(run.tags)) == ("theirs", "a group", ["one", "two"])


def test_disabled_by_the_environment_nothing_is_left(tiny, unscored, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    job = job_of(tiny, "d_steps=4")
    with warnings.catch_warnings():
        warnings.simplefilter("error", Caution)
        assert execute(job).status == "finished"
    assert not attempts(job)


def test_a_missing_package_is_one_sentence_before_anything_is_written(tiny, monkeypatch):
    job = job_of(tiny)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "wandb", None)
        with pytest.raises(UserError, match="logger wandb: .*wandb") as error:
            execute(job)
    assert "pip install" in error.value.fix and not job.folder.path.exists()


@pytest.mark.parametrize(
    "setting",
    ["offline=perhaps", "init_seconds=soon", "+consol=off", "+console=loud"],
)
def test_a_setting_that_cannot_be_is_one_sentence(tiny, setting):
    key = (
        f"+logger.wandb.settings.{setting[1:]}" if setting[0] == "+" else f"logger.wandb.{setting}"
    )
    job = job_of(tiny, key)
    with pytest.raises(UserError, match="^error: logger: logger.wandb") as error:
        execute(job)
    assert "\n" not in error.value.message and not job.folder.path.exists()


def test_no_setting_of_a_logger_is_part_of_a_runs_identity(tiny):
    ids = {
        job_of(tiny, *more, logger=logger).folder.run_id
        for logger, more in (
            ("[none]", ()),
            ("[wandb]", ()),
            ("[wandb]", ("logger.wandb.offline=false", "logger.wandb.project=other")),
        )
    }
    assert len(ids) == 1


@pytest.mark.parametrize("where", ["init", "log", "finish"])
def test_a_failing_wandb_costs_one_caution_and_nothing_else(
    tiny, unscored, tmp_path, monkeypatch, where
):
    few = ("d_steps=12", "trainer.pictures=1")
    plain = job_of(tiny, *few, f"runs_root={tmp_path / 'plain'}", logger="[none]")
    execute(plain)
    job = job_of(tiny, *few)
    import wandb

    with monkeypatch.context() as patch, pytest.warns(Caution) as cautions:
        patch.setattr(wandb if where == "init" else wandb.Run, where, fail)
        assert execute(job).status == "finished"
    (said,) = [str(one.message) for one in cautions if "W&B" in str(one.message)]
    assert said.startswith(f"run {job.folder.run_id}: W&B was") and "made to fail" in said
    assert job.folder.read_status()["digest"] == plain.folder.read_status()["digest"]
    assert job.folder.history.read_text() == plain.folder.history.read_text()


def test_an_unreachable_server_costs_one_caution_and_the_run_is_logged_offline(
    tiny, unscored, monkeypatch
):
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("WANDB_API_KEY", "a" * 40)
    job = job_of(tiny, "logger.wandb.offline=false", "logger.wandb.init_seconds=1")
    with pytest.warns(Caution, match="W&B cannot be reached .*logged offline, `wandb sync"):
        assert execute(job).status == "finished"
    offline = [attempt for attempt in attempts(job) if attempt.name.startswith("offline-")]
    (told,) = map(told_in, offline)
    assert numbers(told["history"]) == expected(job) and told["exit"] == 0


def test_without_an_account_the_run_is_logged_offline(tiny, unscored, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))  # no .netrc
    job = job_of(tiny, "logger.wandb.offline=false", "d_steps=4")
    with pytest.warns(Caution, match="logged offline"):
        assert execute(job).status == "finished"
    assert [a.name.startswith("offline-") for a in attempts(job)] == [True]


def test_a_service_that_died_between_two_runs_is_started_again(tiny, unscored):
    """W&B's process serves all runs of a sweep; whoever kills it must not silence those to come."""
    for seed in (0, 1):
        job = job_of(tiny, "d_steps=4", f"seed={seed}")
        execute(job)
        (attempt,) = attempts(job)
        assert [row["_step"] for row in told_in(attempt)["history"]]
        end_wandb()


@pytest.fixture
def server(monkeypatch):
    with wandb_server() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server
        sys.modules["wandb"].teardown()


def without_empty(node):
    """Leave out empty mappings below keys, as W&B's server does."""
    if isinstance(node, list):
        return [without_empty(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: without_empty(item) for key, item in node.items() if item != {}}


def check(server, job, ends):
    """The server has one whole run: history, pictures, rows, ends."""
    assert set(server.runs) == {job.folder.run_id}
    run = server.runs[job.folder.run_id]
    assert numbers(run.history) == expected(job)
    sent = {file for file in run.files if file.endswith(".png")}
    pictures = [row["samples"] for row in run.history if "samples" in row]
    assert {picture["path"] for picture in pictures} == sent
    drawn = {p.read_bytes() for p in job.folder.samples.glob("step-*.png")}
    assert {run.files[file] for file in sent} == drawn
    rows = read_rows(job.folder.root, [job.folder.run_id])
    assert {k: v for k, v in run.summary.items() if "/quick-" in k} == scores_by_column(rows)
    assert run.summary["status"] == job.folder.read_status()["status"]
    assert run.config["run_id"] == job.folder.run_id
    assert run.config["model"] == without_empty(job.plain["model"])
    assert run.starts[0]["jobType"] == "train" and not run.starts[0]["host"]
    assert run.ends == ends


@pytest.mark.slow
def test_online_a_run_and_one_that_goes_on_are_one_history(tiny, server, monkeypatch):
    job = job_of(tiny, "logger.wandb.offline=false", "score.every=8")
    with monkeypatch.context() as patch:
        stop_after(37, fail, patch)
        assert execute(job).status == "failed"
    assert server.runs[job.folder.run_id].history[-1]["_step"] == 32
    assert execute(job).status == "finished"
    check(server, job, [1, 0])


@pytest.mark.slow
def test_what_was_offline_is_sent_whole_by_an_attempt_that_is_online(tiny, server, monkeypatch):
    job = job_of(tiny)
    with monkeypatch.context() as patch:
        stop_after(37, fail, patch)
        assert execute(job).status == "failed"
    assert not server.runs
    online = job_of(tiny, "logger.wandb.offline=false")
    assert execute(online).status == "finished"
    check(server, online, [0])
    sync(job)
    check(server, online, [0])


@pytest.mark.slow
def test_a_server_that_goes_away_costs_one_caution(tiny, monkeypatch):
    with wandb_server() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        job = job_of(tiny, "logger.wandb.offline=false", "logger.wandb.finish_seconds=2")

        def leave():
            server.shutdown()
            server.server_close()

        with monkeypatch.context() as patch, pytest.warns(Caution) as cautions:
            stop_after(20, leave, patch)
            assert execute(job).status == "finished"
    (said,) = [str(one.message) for one in cautions if "W&B" in str(one.message)]
    assert said.startswith(f"run {job.folder.run_id}: W&B was not told how it ended")
    (attempt,) = attempts(job)
    assert numbers(told_in(attempt)["history"]) == expected(job)
    with wandb_server() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        sync(job, "--include-online")
        check(server, job, [0])


@pytest.mark.slow
def test_a_run_that_is_asked_to_stop_does_not_wait_for_a_server_that_is_away(tiny, monkeypatch):
    monkeypatch.setattr("bench.tracking.wandb_tracker.STOPPED_SECONDS", 1.0)
    with wandb_server() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        job = job_of(tiny, "logger.wandb.offline=false", "logger.wandb.finish_seconds=60")

        def leave():
            server.shutdown()
            server.server_close()
            INTERRUPT.requested = True

        began = time.monotonic()
        with monkeypatch.context() as patch, pytest.warns(Caution, match="waited for 1 seconds"):
            stop_after(20, leave, patch)
            with pytest.raises(Interrupted):
                execute(job)
    assert time.monotonic() - began < 30
    assert job.folder.read_status()["status"] == "interrupted"


def sync(job, *options):
    """`wandb sync` of all attempts, as a person would."""
    program = Path(sys.executable).with_name("wandb")
    command = [program, "sync", "--yes", *options, *attempts(job)]
    done = subprocess.run(  # it writes its own log into a folder `wandb` where it runs
        command, cwd=job.folder.root, capture_output=True, text=True, timeout=60, check=True
    )
    assert "ERROR" not in done.stderr, done.stderr


KILLED = """
import os, sys, time
from bench.tracking import wandb_tracker
from bench.training import monitor
monitor.HISTORY_SECONDS = wandb_tracker.EVERY_SECONDS = 0.0
at_end = monitor.Monitor.on_train_batch_end
def hook(self, trainer, model, *rest):
    at_end(self, trainer, model, *rest)
    if model.d_steps == int(sys.argv[1]):
        time.sleep(float(sys.argv[2]))
        os.killpg(0, 9)
monitor.Monitor.on_train_batch_end = hook
from bench.config import build
from bench.training.job import prepare_job
from bench.execution.run import execute
execute(prepare_job(build.compose_config(sys.argv[3:])))
"""


def killed(overrides, step, wait):
    """A run in a process of its own that dies with all it started; W&B writes every 2 seconds."""
    command = [sys.executable, "-c", KILLED, str(step), str(wait), *overrides]
    alone = {name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"}
    done = subprocess.run(command, cwd=ROOT, env=alone, start_new_session=True, capture_output=True)
    assert done.returncode == -9, done.stderr.decode()


@pytest.mark.slow
def test_killed_three_times_offline_the_synced_attempts_are_one_history(tiny, server, monkeypatch):
    """Killed before W&B wrote any history, with half a record written, and with whole ones."""
    overrides = tiny(*STEPS, "logger=[wandb]", "score.every=8")
    job = prepare_job(build.compose_config(overrides))
    with monkeypatch.context() as patch:
        stop_after(13, fail, patch)
        assert execute(job).status == "failed"
    (first,) = attempts(job)
    for step, wait in ((15, 0), (23, 3), (37, 3)):
        killed(overrides, step, wait)
        assert len(attempts(job)) == 2 and attempts(job)[0] == first
        log = log_of(attempts(job)[1])
        if step == 23:
            assert any(record.HasField("history") for record in records(log))
            os.truncate(log, log.stat().st_size - 20)
    assert execute(job).status == "finished"
    steps = [[row["_step"] for row in told_in(attempt)["history"]] for attempt in attempts(job)]
    assert [(one[0], one[-1]) for one in steps] == [(4, 10), (12, 40)]
    sync(job)
    check(server, job, [1, 0])
    sync(job)  # nothing is sent twice
    check(server, job, [1, 0])


@pytest.mark.slow
def test_killed_and_synced_before_it_goes_on_nothing_is_told_twice(tiny, server):
    overrides = tiny(*STEPS, "logger=[wandb]")
    job = prepare_job(build.compose_config(overrides))
    killed(overrides, 23, 3)
    sync(job)
    assert server.runs[job.folder.run_id].history[-1]["_step"] == 16
    assert execute(job).status == "finished"
    sync(job)
    check(server, job, [1, 0])


@pytest.mark.slow
def test_killed_online_the_server_says_how_far_it_is(tiny, server):
    """W&B sends every 15 seconds."""
    overrides = tiny(*STEPS, "logger=[wandb]", "logger.wandb.offline=false")
    job = prepare_job(build.compose_config(overrides))
    killed(overrides, 23, 18)
    assert 0 < server.runs[job.folder.run_id].history[-1]["_step"] < 23
    assert execute(job).status == "finished"
    check(server, job, [0])


@pytest.mark.slow
def test_of_two_processes_one_tells(tiny, server):
    overrides = ["trainer.devices=2", "variant=wgan_gp", "dataset=ring"]
    job = prepare_job(
        build.compose_config(tiny(*STEPS, "logger=[wandb]", *overrides, network="mlp"))
    )
    assert execute(job).status == "finished"
    assert len(attempts(job)) == 1
    sync(job)
    check(server, job, [0])


@pytest.mark.slow
def test_who_does_not_ask_for_wandb_does_not_import_it():
    code = "import sys, bench.execution.run, bench.train; print('wandb' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
