"""Sweeps as they are launched: explicit runs, plans, what is skipped, what is launched again."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from hydra.core.plugins import Plugins
from omegaconf import OmegaConf
from support import ROOT, TINY

from bench.commands import cli
from bench.commands.status import show_status
from bench.config import build
from bench.core.errors import UserError
from bench.reporting.data.collect import read_stages
from bench.runs.plans import Plan, PlannedRun, StagePlan, read_plan
from bench.runs.run_status import RunStatus
from bench.sweeping import launch_rounds
from bench.sweeping.launch_rounds import LaunchRounds
from bench.sweeping.merging import current_run_check, merge_plan
from bench.sweeping.planning import save_plan
from bench.sweeping.stages import parse_stages
from bench.train import main


def statuses(root: Path) -> dict[str, dict]:
    return {p.parent.name: json.loads(p.read_text()) for p in root.glob("runs/*/status.json")}


def test_stages_are_planned_carried_out_and_skipped(launch, launched, tmp_path):
    done = launched
    assert done.returncode == 0, done.stdout + done.stderr
    assert "stage search: 4 runs planned, 0 skipped; 16 discriminator steps to go" in done.stdout
    assert "stage again: 4 runs planned, 0 skipped" in done.stdout
    assert "sweep tiny: 8 planned, 8 finished" in done.stdout
    plan = read_plan(tmp_path / "runs", "tiny")
    search, again = plan.stages
    order = [(e.variant, e.sample, e.seed) for e in search.runs]
    assert order == [("ns_gan", 0, 0), ("vae", 0, 0), ("ns_gan", 1, 0), ("vae", 1, 0)]
    assert set(plan.run_ids) == set(statuses(tmp_path))
    assert "lowest selection.frechet of the best checkpoint" in again.rule
    rows = {
        e.run_id: json.loads(next((tmp_path / "runs" / e.run_id).glob("row-best-*")).read_text())
        for e in search.runs
    }
    for choice in again.chosen:
        mine = [e for e in search.runs if e.variant == choice["variant"]]
        scores = {e.sample: rows[e.run_id]["details"]["selection.frechet"] for e in mine}
        assert choice["sample"] == min(scores, key=scores.get)
        assert choice["score"] == min(scores.values())
        chosen = next(e for e in mine if e.sample == choice["sample"])
        seeds = [e for e in again.runs if e.variant == choice["variant"]]
        assert [e.seed for e in seeds] == [1, 2]
        without = [[o for o in e.overrides if not o.startswith("seed=")] for e in (chosen, *seeds)]
        assert without[0] == without[1] == without[2]
    written = {p: p.stat().st_mtime_ns for p in tmp_path.glob("runs/*/checkpoints/*")}
    again_done = launch()
    assert "4 runs planned, 4 skipped" in again_done.stdout and again_done.returncode == 0
    assert "8 planned, 8 finished (8 skipped)" in again_done.stdout
    assert {p: p.stat().st_mtime_ns for p in tmp_path.glob("runs/*/checkpoints/*")} == written


def test_a_lost_row_is_made_again_and_a_changed_file_is_explained(launch, launched, tmp_path):
    run = read_plan(tmp_path / "runs", "tiny").stages[0].runs[0].run_id
    for row in (tmp_path / "runs" / run).glob("row-final-*"):
        row.unlink()
    done = launch()
    assert "stage search: 4 runs planned, 3 skipped" in done.stdout and done.returncode == 0
    text = TINY.replace("samples: 2", "samples: 3")
    changed = launch("hydra.sweeper.plan_only=true", text=text)
    assert changed.returncode == 0, changed.stderr
    changes = re.search(r"sweep tiny: changed since it was planned: (.*)", changed.stdout)[1]
    # the stream of draws is one for all variants: with more samples the VAE's are others
    assert (
        "stage search has 3 runs that were not planned before, 1 are no longer planned" in changes
    )
    assert "(their rows stay), 3 are as before" in changes
    assert (tmp_path / "runs/plans/tiny/earlier/001/search.json").is_file()
    assert "stage search: 6 runs planned, 3 skipped" in changed.stdout


def test_forced_runs_are_trained_anew_and_what_was_there_is_kept(launch, tmp_path):
    narrow = ("variant=vae",)
    launch(*narrow)
    before = statuses(tmp_path)
    forced = launch(*narrow, "force=true")
    assert forced.returncode == 0 and "stage search: 2 runs planned, 0 skipped" in forced.stdout
    kept = (tmp_path / "runs" / "earlier").iterdir()
    assert sorted(p.name for p in kept) == sorted(f"{run_id}-1" for run_id in before)
    assert statuses(tmp_path).keys() == before.keys()
    plan = read_plan(tmp_path / "runs", "tiny")
    texts = [plan.command, *(text for run in plan.runs for text in run.overrides)]
    assert not any("force=" in text for text in texts)
    refused = launch(*narrow, "force=maybe")
    assert refused.returncode == 2 and "force is 'maybe'" in refused.stderr
    assert "4 planned, 4 finished (4 skipped)" in launch(*narrow).stdout


def test_a_launcher_that_gives_up_costs_a_round_and_no_row(launch, monkeypatch):
    """Its first round ends with one of three runs done; joblib's does where a worker is killed."""
    instantiate_launcher, rounds = Plugins.instantiate_launcher, []

    def fragile_launcher(*given, **named):
        launcher = instantiate_launcher(*given, **named)
        launch_all = launcher.launch

        def give_up_once(job_overrides, initial_job_idx):
            rounds.append(len(job_overrides))
            if len(rounds) == 1:
                launch_all(job_overrides[:1], initial_job_idx=initial_job_idx)
                raise RuntimeError("a worker was killed")
            return launch_all(job_overrides, initial_job_idx=initial_job_idx)

        launcher.launch = give_up_once
        return launcher

    monkeypatch.setattr(Plugins, "instantiate_launcher", fragile_launcher)
    text = TINY.split("hydra:")[0] + "hydra: {sweeper: {params: {seed: '0,1,2'}}}"
    done = launch(text=text)
    assert done.returncode == 0 and rounds == [3, 2], done.stdout + done.stderr
    assert "the launcher gave up" in done.stderr and "Traceback" not in done.stderr
    assert "round 2 of 3" in done.stdout and "3 planned, 3 finished" in done.stdout


@pytest.mark.slow
def test_a_killed_worker_costs_a_round_and_no_row(tmp_path):
    """A loss that kills its own process once: joblib's whole pool goes down with it."""
    (tmp_path / "deadly.py").write_text(
        "import os, pathlib\n"
        "from bench.losses.nonsaturating import generator_loss as sane\n"
        "def generator_loss(fake_logits):\n"
        "    mark = pathlib.Path('killed')\n"
        "    if len(fake_logits) > 2 and not mark.exists():  # 2: tried when it is built\n"
        "        mark.touch()\n"
        "        os.kill(os.getpid(), 9)\n"
        "    return sane(fake_logits)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "bench.train", "-m", "hydra/launcher=joblib",
         "hydra.launcher.n_jobs=2", "dataset=ring", "network.width=8", "network.depth=2",
         "d_steps=4", "score.n_fake=60", "score.n_real=100", "trainer.progress=false",
         "trainer.pictures=0", "seed=0,1,2", "loss.generator._target_=deadly.generator_loss"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, env=env,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the launcher gave up" in done.stderr and "Traceback" not in done.stderr
    assert "round 2 of 3" in done.stdout and "3 planned, 3 finished" in done.stdout


def test_a_failing_run_is_tried_twice_and_counted(run_command, tmp_path):
    (tmp_path / "broken_twice.py").write_text(
        "import pathlib\n"
        "def generator_loss(fake_logits):\n"
        "    if len(fake_logits) == 2:  # tried on zeros when it is built\n"
        "        return fake_logits.mean()\n"
        "    with pathlib.Path('tries').open('a') as tries:\n"
        "        tries.write('x')\n"
        "    raise RuntimeError('made to fail')\n"
    )
    done = run_command(
        main, "-m", "dataset=ring", "network.width=8", "network.depth=2", "d_steps=4",
        "score.n_fake=60", "trainer.progress=false", "trainer.pictures=0", "seed=0",
        "loss.generator._target_=broken_twice.generator_loss",
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert (tmp_path / "tries").read_text() == "xxxx"  # twice on a copy first, as own code is
    assert "1 planned, 1 failed" in done.stdout and "made to fail" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["variant=wgen"], "no variant 'wgen'"),
        (["dataset=mnits"], "no dataset 'mnits'"),
        (
            ["dataset=mnist", "+hydra.sweeper.stages.search.of_dataset={ring: {}}"],
            "has no dataset mnist",
        ),
        (["seed=3"], "seed is what the sweep 'tiny' varies itself"),
        (["hyperparameters.learning_rate=0.1"], "is what the sweep 'tiny' varies itself"),
        (["d_steps=3,4"], "d_steps has several values"),
        (["hydra.sweeper.rounds=0"], "hydra.sweeper.rounds is 0"),
        (["hydra.sweeper.stages.search.variants=[none_such]"], "no variant 'none_such'"),
        (["batch_size=1"], "batch_size is 1"),
        (["score.split=dev"], "score.split is 'dev'; dataset 'ring' has "),
    ],
)
def test_bad_input_is_one_sentence_before_anything_is_written(
    launch, tmp_path, overrides, sentence
):
    done = launch(*overrides)
    assert done.returncode == 2, done.stdout + done.stderr
    assert sentence in done.stderr and "Traceback" not in done.stderr and "  fix: " in done.stderr
    assert not list(tmp_path.glob("runs/*/status.json"))
    assert not list(tmp_path.glob("runs/plans/*"))


def test_a_narrower_launch_plans_its_part_and_drops_no_run(launch, launched, tmp_path):
    whole = read_plan(tmp_path / "runs", "tiny")
    done = launch("variant=vae")
    assert done.returncode == 0, done.stderr
    assert "stage search: 2 runs planned, 2 skipped; 2 others, planned before" in done.stdout
    assert "sweep tiny: 4 planned, 4 finished (4 skipped)" in done.stdout
    narrow = read_plan(tmp_path / "runs", "tiny")
    assert narrow.run_ids == whole.run_ids and narrow.command == whole.command
    assert [{c["variant"] for c in stage.chosen} for stage in narrow.stages] == [
        set(),
        {"ns_gan", "vae"},
    ]
    assert not list(tmp_path.glob("runs/plans/tiny/earlier"))


def test_a_sweep_without_settings_of_data_sets_runs_on_any(launch, tmp_path):
    done = launch("hydra.sweeper.plan_only=true", "dataset=grid")
    assert done.returncode == 0, done.stderr
    (search,) = read_plan(tmp_path / "runs", "tiny").stages
    assert [run.dataset for run in search.runs] == ["grid"] * 4
    assert [run.sample for run in search.runs] == [0, 0, 1, 1]


def test_a_sweep_that_is_narrowed_first_keeps_its_configurations(launch, tmp_path):
    launch("hydra.sweeper.plan_only=true", "variant=vae")
    narrow = read_plan(tmp_path / "runs", "tiny")
    launch("hydra.sweeper.plan_only=true")
    whole = read_plan(tmp_path / "runs", "tiny")
    assert [e.variant for e in narrow.runs] == ["vae", "vae"]
    assert narrow.run_ids == tuple(e.run_id for e in whole.runs if e.variant == "vae")
    assert any(o.startswith("+hyperparameters.n_dis=") for o in narrow.runs[1].overrides)


def test_a_sweep_that_judges_the_claims_says_so_and_its_runs_stay_the_same(launch, tmp_path):
    launch("hydra.sweeper.plan_only=true")
    plain = read_plan(tmp_path / "runs", "tiny")
    launch("hydra.sweeper.plan_only=true", "hydra.sweeper.claims=true")
    judging = read_plan(tmp_path / "runs", "tiny")
    assert (plain.claims, judging.claims) == (False, True)
    assert judging.run_ids == plain.run_ids
    done = launch("hydra.sweeper.plan_only=true", "hydra.sweeper.claims=maybe")
    assert done.returncode == 2 and "hydra.sweeper.claims is 'maybe'" in done.stderr


def test_the_studys_sweeps_alone_judge_its_claims():
    names = {path.stem for path in (ROOT / "conf/sweeps").glob("*.yaml")}
    judging = {
        name
        for name in names
        if build.compose_config([f"sweeps={name}"], keep_hydra=True).hydra.sweeper.claims
    }
    assert judging == {name for name in names if name.startswith("created_equal_")} != set()


TWO_SEEDS = TINY.split("hydra:")[0] + "hydra: {sweeper: {params: {seed: '0,1', variant: vae}}}\n"


def test_a_further_seed_joins_the_plan_and_the_report(launch, tmp_path, run_command):
    """Two seeds, then seed=3: three runs, each trained once, and a report of all three."""
    launch(text=TWO_SEEDS)
    trained = {p: p.stat().st_mtime_ns for p in tmp_path.glob("runs/*/history.csv")}
    done = launch("seed=3", text=TWO_SEEDS)
    assert "1 runs planned, 0 skipped" in done.stdout and done.returncode == 0, done.stderr
    assert "2 others, planned before, stay in the plan" in done.stdout
    plan = read_plan(tmp_path / "runs", "tiny")
    assert [run.seed for run in plan.runs] == [0, 1, 3] and len(trained) == 2
    assert {p: p.stat().st_mtime_ns for p in trained} == trained
    assert plan.command.count("bench.train") == 2 and plan.command.endswith("seed=3")
    (stage,) = read_stages(tmp_path / "runs", "tiny")
    assert [run.seed for run in stage.runs] == [0, 1, 3] and stage.counts["finished"] == 3
    launch("hydra.sweeper.plan_only=true", text=TWO_SEEDS)
    again = read_plan(tmp_path / "runs", "tiny")
    assert (again.run_ids, again.command) == (plan.run_ids, plan.command)
    root, to = f"--runs-root={tmp_path / 'runs'}", f"--to={tmp_path / 'part'}"
    report = run_command(cli.main, "report", "tiny", "seed=3", root, to)
    assert report.returncode == 0, report.stderr
    assert len((tmp_path / "part" / "runs.jsonl").read_text().splitlines()) == 1


def test_a_run_stays_unless_its_overrides_give_another_run_id_now():
    """What cannot be planned here, for want of its data, is not known to have changed."""

    class Templates:
        def plan_run(self, spec):
            if ("dataset", "elsewhere") in spec.shared:
                raise UserError("no data")
            return PlannedRun("today", (), "v", "d", 0)

    def is_current(run_id, *overrides):
        return current_run_check(Templates())(PlannedRun(run_id, overrides, "v", "d", 0))

    assert is_current("today", "seed=0") and is_current("other", "dataset=elsewhere")
    assert not is_current("before", "seed=0")


def test_plans_of_two_launches_are_merged_run_by_run():
    """A changed run is dropped, a pack takes the place of the same run alone."""

    def run(name, *choices, group="v"):
        return PlannedRun(name, choices, group, "d", 0)

    a, b, c = run("a", "seed=0"), run("b", "seed=1"), run("c", "seed=2")
    packed = run("p", "seed=1", "packed=2")
    v, w, other = run("v", group="v"), run("w", group="w"), run("x", group="v")
    chosen = tuple({"variant": name, "dataset": "d"} for name in "vw")
    first = StagePlan("search", (a, b, c)), StagePlan("again", (v, w), "lowest", chosen)
    earlier = Plan("s", "one", first, (), {})
    new = Plan("s", "two", (StagePlan("search", (packed,)),), ("again",), {})
    merged = merge_plan(earlier, new, lambda old: old is not c)
    assert [stage.runs for stage in merged.stages] == [(a, packed), (v, w)]
    assert merged.command == "one && two" and merged.waiting == ("again",)
    again = StagePlan("again", (other,), "lowest", ({"variant": "v", "dataset": "d", "sample": 3},))
    last = replace(new, stages=(*new.stages, again), waiting=())
    merged = merge_plan(earlier, last, lambda old: True).stages[1]
    assert merged.runs == (w, other) and [c.get("sample") for c in merged.chosen] == [None, 3]


@pytest.mark.parametrize("place", ["file", "command line"])
def test_other_settings_under_the_name_take_the_place_of_the_plan(launch, tmp_path, place):
    """Runs of other settings are no part of the sweep, wherever the settings stand."""
    launch("hydra.sweeper.plan_only=true", text=TWO_SEEDS)
    text = TWO_SEEDS.replace("d_steps: 4", "d_steps: 6") if place == "file" else TWO_SEEDS
    words = ["d_steps=6"] if place != "file" else []
    done = launch("hydra.sweeper.plan_only=true", "seed=3", *words, text=text)
    assert [run.seed for run in read_plan(tmp_path / "runs", "tiny").runs] == [3], done.stderr
    assert "2 are no longer planned (their rows stay)" in done.stdout


def test_plans_of_other_versions_are_explained(launch, tmp_path):
    head = tmp_path / "runs/plans/tiny/plan.json"
    head.parent.mkdir(parents=True)
    head.write_text(json.dumps({"command": "c", "planned": 3}))  # as version 1 was
    done = launch("hydra.sweeper.plan_only=true")
    assert done.returncode == 0 and "its plan is of version 1 and is written anew" in done.stdout
    content = json.loads(head.read_text())
    head.write_text(json.dumps({**content, "version": 99}))
    done = launch("hydra.sweeper.plan_only=true")
    assert done.returncode == 2 and "written by a newer version of the suite (99" in done.stderr
    head.write_text(json.dumps({**content, "semantics_version": 0}))
    entries = head.with_name("search.json")
    entries.write_text(entries.read_text().replace('"run_id": "', '"run_id": "old'))
    done = launch("hydra.sweeper.plan_only=true")
    assert "the mathematics have version 2 now and had 0" in done.stdout, done.stdout


def test_two_sweeps_share_a_folder_and_a_run(launch, launched, tmp_path, capsys):
    first = read_plan(tmp_path / "runs", "tiny").stages[0].runs[0]
    text = TINY.split("hydra:")[0] + "hydra: {sweeper: {params: {variant: ns_gan, seed: '0,1'}}}"
    other = launch(text=text, sweep="other")
    assert other.returncode == 0 and "2 runs planned, 1 skipped" in other.stdout, other.stderr
    assert first.run_id in read_plan(tmp_path / "runs", "other").run_ids
    show_status(tmp_path / "runs", "other", every=None)
    shown = capsys.readouterr().out
    assert "2 of 2 done" in shown and re.search(r"all +2 +2", shown), shown


def test_a_seed_that_is_named_twice_is_one_run_with_a_message(launch):
    text = TINY.split("hydra:")[0] + "hydra: {sweeper: {params: {seed: '0,1,0'}}}"
    done = launch("hydra.sweeper.plan_only=true", text=text)
    assert "1 runs come out the same as others and are run once" in done.stdout
    assert "2 runs planned" in done.stdout and done.returncode == 0


def test_every_committed_sweep_parses():
    for path in sorted((ROOT / "conf/sweeps").glob("*.yaml")):
        cfg = build.compose_config([f"sweeps={path.stem}"], keep_hydra=True)
        sweeper = OmegaConf.to_container(cfg.hydra.sweeper)
        assert bool(sweeper["stages"]) != bool(sweeper["params"]) or path.stem == "none"
        parse_stages(sweeper["stages"])


def test_a_plan_tells_what_changed_in_stages_that_are_due(tmp_path):
    one, two, three, four = (PlannedRun(name, (), "v", "d", 0) for name in "abcd")
    search, again = StagePlan("search", (one, two)), StagePlan("again", (three,))

    def save(*stages, waiting=()):
        return save_plan(tmp_path, Plan("s", "c", stages, waiting, {}))

    assert save(search, again) == ""
    assert save(search, waiting=("again",)) == ""  # it waits, as once before
    assert save(search, again) == ""
    changed = save(StagePlan("search", (one, four)))
    sentence = (
        "stage {} has {} runs that were not planned before, "
        "{} are no longer planned (their rows stay), {} are as before"
    )
    both = sentence.format("search", 1, 1, 1), sentence.format("again", 0, 1, 0)
    assert "; ".join(both) in changed
    assert len(list((tmp_path / "plans").rglob("search.json"))) == 2  # the plan before is kept


@pytest.mark.parametrize("launches", [False, True])
def test_a_launch_ends_after_the_runs_that_another_process_trains(
    tmp_path, monkeypatch, capsys, launches
):
    monkeypatch.setattr(launch_rounds, "POLL_SECONDS", 0)
    running = RunStatus("running", heartbeat={"host": "other"})
    polls = iter([running] * 3)

    def launch(jobs, initial_job_idx):
        launched.append(jobs)
        return [SimpleNamespace(return_value={"a": "finished"})]

    def read(runs):
        first = RunStatus("finished" if launched or not launches else "waiting")
        return [first, next(polls, RunStatus("finished")) if launched or not launches else running]

    launched, launcher = [], SimpleNamespace(launch=launch)
    rounds = LaunchRounds(launcher, tmp_path, "s", 1, 10, 1, outlives_process=False)
    monkeypatch.setattr(rounds.status_reader, "read", read)
    ends = rounds.run([PlannedRun(name, (), "v", "d", 0) for name in "ab"])
    assert [status.state for status in ends] == ["finished", "finished"]
    assert len(launched) == launches
    assert capsys.readouterr().out.count("waiting for 1 runs that other processes train\n") == 1


def test_a_job_that_raises_has_its_runs_refused_with_the_reason(tmp_path):
    class Raised:
        @property
        def return_value(self):
            raise ValueError("no  such\nentry" + "!" * 400)

    rounds = LaunchRounds(None, tmp_path, "s", 1, 10, 1, outlives_process=False)
    rounds._record_end([PlannedRun(name, (), "v", "d", 0) for name in "ab"], Raised())
    reason = "ValueError: no such entry" + "!" * (300 - len("no such entry"))
    assert rounds.status_reader.refused == {"a": reason, "b": reason}


def test_only_conditional_runs_are_planned_with_an_accuracy_of_classes(run_command, tmp_path):
    """Else the unconditional ones, which never have it, would look incomplete for ever."""
    words = ["variant=hinge_gan", "network=sngan", "network.g_width=4", "network.d_width=4"]
    words += ["conditioning=none,projection", "hydra.sweeper.plan_only=true", "dataset=digits"]
    done = run_command(main, "-m", *words)
    assert done.returncode == 0, done.stderr
    plain, conditional = read_plan(tmp_path / "runs", "none").stages[0].runs
    assert len(conditional.request) == len(plain.request) + 1
    assert set(plain.request) < set(conditional.request)
