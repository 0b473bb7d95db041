"""Sweeps whose runs share packs: which do, how large packs are, what the plan stores."""

import re
from dataclasses import replace
from types import SimpleNamespace

import joblib
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf
from support import ROOT, TINY

from bench.commands.status import show_status
from bench.config.override_text import override_text
from bench.core.errors import UserError
from bench.core.signals import INTERRUPT
from bench.execution import queue
from bench.runs.plans import PlannedRun, read_plan
from bench.runs.run_status import RunStatus
from bench.sweeping import packing
from bench.sweeping.jobs import job_overrides, make_jobs
from bench.sweeping.launchers import find_launcher, launchers_by_name
from bench.sweeping.packing import PackableGroup, PackPlanner
from bench.sweeping.planning import estimate_seconds
from bench.sweeping.run_spec import RunSpec
from hydra_plugins.created_equal_sweeper import CreatedEqualSweeper


def sweep_of(params: str) -> str:
    return TINY.split("hydra:")[0] + f"hydra: {{sweeper: {{params: {{{params}}}}}}}\n"


def packs_of(runs) -> dict[str, tuple[int, int]]:
    """Return variant -> slots, and number of kinds of packs."""
    kinds_by_variant = {}
    for run in runs:
        kinds_by_variant.setdefault(run.variant, set()).add((run.slots, run.pack))
    return {
        v: (max(slots for slots, _ in kinds), len(kinds)) for v, kinds in kinds_by_variant.items()
    }


def test_packs_of_a_given_size_are_planned_trained_skipped_and_shown(launch, tmp_path, capsys):
    text = sweep_of("seed: '0,1,2'")
    done = launch("pack=2", text=text)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 planned, 3 finished" in done.stdout
    plan = read_plan(tmp_path / "runs", "tiny")
    assert packs_of(plan.runs) == {"ns_gan": (2, 1)}
    assert all("packed=2" in e.overrides and "pack=2" not in e.overrides for e in plan.runs)
    again = launch("pack=2", text=text)
    assert again.returncode == 0 and "3 planned, 3 finished (3 skipped)" in again.stdout
    capsys.readouterr()
    assert show_status(tmp_path / "runs", "tiny", every=None)
    unpacked = launch("hydra.sweeper.plan_only=true", text=text)
    assert "3 runs that were not planned before, 3 are no longer planned" in unpacked.stdout
    assert "(their rows stay), 0 are as before" in unpacked.stdout


@pytest.mark.slow
def test_the_stages_of_a_search_are_packed_and_what_shares_nothing_runs_alone(launch, tmp_path):
    done = launch("pack=3", text=TINY.replace("choice: [1, 5]", "choice: [5]"))
    assert done.returncode == 0, done.stdout + done.stderr
    search, again = read_plan(tmp_path / "runs", "tiny").stages
    assert "ns_gan on ring runs alone: no other run can share a pack with it" in done.stdout
    assert packs_of(again.runs) == {"ns_gan": (3, 1), "vae": (3, 1)}
    assert packs_of(search.runs)["vae"] == (3, 1)  # it has no n_dis
    assert "8 planned, 8 finished" in done.stdout


def test_only_the_first_stage_ends_the_command_where_nothing_can_be_packed(monkeypatch):
    group = PackableGroup("key", "ns_gan on ring", {}, "cpu", ())
    monkeypatch.setattr(PackPlanner, "_group_of", lambda self, run: group)
    monkeypatch.setattr(PackPlanner, "_check_memory", lambda self, group: None)
    monkeypatch.setattr(packing, "why_config_not_packable", lambda plain: "")
    monkeypatch.setattr(packing, "why_not_packable", lambda model: "")
    monkeypatch.setattr(packing, "_why_untraceable", lambda group, model: "")
    monkeypatch.setattr(packing.build, "build_model", lambda cfg: None)
    one, two = (RunSpec((), (("seed", seed),), 0) for seed in (0, 1))
    with pytest.raises(UserError, match="no two of the 1 runs can share a pack"):
        PackPlanner(2, None, {}, 1).assign_packs("search", [one])
    stages = PackPlanner(2, None, {}, 1)
    assert {dict(run.varied)["packed"] for run in stages.assign_packs("search", [one, two])} == {2}
    assert stages.assign_packs("again", [one]) == [one]
    monkeypatch.setattr(packing, "why_not_packable", lambda model: "of another kind")
    assert stages.assign_packs("last", [one, two]) == [one, two]


@pytest.mark.slow
def test_what_shares_nothing_in_a_later_stage_runs_alone(launch, tmp_path, monkeypatch):
    """The search has two runs, what follows it one: nothing is lost to a refusal then."""
    monkeypatch.setattr("bench.vectorized.trainer.TRIAL_STEPS", 0)
    text = TINY.replace("[ns_gan, vae]", "[ns_gan]").replace("choice: [1, 5]", "choice: [1]")
    text = text.replace("seeds: [1, 2]", "seeds: [1]")
    done = launch("pack=2", text=text)
    assert done.returncode == 0 and "3 planned, 3 finished" in done.stdout, done.stderr
    assert "ns_gan on ring runs alone: no other run can share a pack with it" in done.stdout
    search, again = read_plan(tmp_path / "runs", "tiny").stages
    assert packs_of(search.runs) == {"ns_gan": (2, 1)}
    assert packs_of(again.runs) == {"ns_gan": (0, 1)}


def test_an_interrupted_pack_reports_the_state_of_each_run(launch, tmp_path, monkeypatch):
    """Of a queue of four one is refused, one has finished, one stops, one has not begun."""
    from bench import train
    from bench.training.monitor import Monitor

    monkeypatch.setattr("bench.vectorized.trainer.TRIAL_STEPS", 0)
    prepare_job, after_step, returned = queue.prepare_job, Monitor.after_step, []

    def damaged(cfg, share_with=None):
        if cfg.seed == 0:
            raise OSError("made to fail")
        return prepare_job(cfg, share_with)

    def stop_at_step_2(self, model):
        if (model.training_settings.seed, model.d_steps) == (2, 2):
            INTERRUPT.requested = True
        after_step(self, model)

    def recorded(cfg, run_sweep_job=train._run_sweep_job):
        returned.append(run_sweep_job(cfg))
        return returned[-1]

    monkeypatch.setattr(queue, "prepare_job", damaged)
    monkeypatch.setattr(Monitor, "after_step", stop_at_step_2)
    monkeypatch.setattr(train, "_run_sweep_job", recorded)
    monkeypatch.setattr(INTERRUPT, "requested", False)
    done = launch("pack=1", text=sweep_of("seed: 'range(4)'"))
    assert done.returncode == 130
    plan = read_plan(tmp_path / "runs", "tiny")
    states = {run.seed: returned[0][run.run_id] for run in plan.runs}
    assert states == {0: "refused", 1: "finished", 2: "interrupted", 3: "interrupted"}
    assert list(plan.refused.values()) == ["OSError: made to fail"]


def test_a_pace_in_a_pack_is_divided_by_the_runs_that_were_in_it():
    """Two runs in a pack of 4 that trained 8 s for 4 steps: 1 s a step and run."""
    two = [replace(run, steps=4) for run in planned_runs("a", 4, 2)]
    done = RunStatus("finished", facts={"wall_seconds": 8.0, "d_steps": 4})
    assert [run.seconds for run in estimate_seconds(two, [done, done])] == [4.0, 4.0]


@pytest.fixture
def paces(monkeypatch):
    """Set the speedup that is measured for each number of slots, and record what was measured."""
    speedups, measured = {}, []

    def faster(cfg, samples, slots, alone, runs):
        measured.append(slots)
        return speedups[slots]

    monkeypatch.setattr("bench.execution.packs.autotune.speedup", faster)
    return SimpleNamespace(speedups=speedups, measured=measured)


ONE = sweep_of("seed: 'range(9)'")


def test_auto_takes_the_fastest_says_why_and_asks_once(launch, tmp_path, paces):
    paces.speedups |= {2: 1.21, 4: 1.34, 8: 1.3}
    done = launch("pack=auto", "hydra.sweeper.plan_only=true", text=ONE)
    assert done.returncode == 0, done.stderr
    why = "packs of 4, 1.34 times one at a time (R=2 1.21, 4 1.34, 8 1.30)"
    assert f"ns_gan on ring (9 runs): {why}\n" in done.stdout
    plan = read_plan(tmp_path / "runs", "tiny")
    assert {run.slots for run in plan.runs} == {4} and paces.measured == [2, 4, 8]
    (choice,) = plan.packs.values()
    assert choice == {"slots": 4, "why": why, "most": 9}
    paces.speedups |= {8: 5}
    again = launch("pack=auto", "hydra.sweeper.plan_only=true", text=ONE)
    assert again.returncode == 0, again.stderr
    assert "not planned before" not in again.stdout and paces.measured == [2, 4, 8]
    assert f"ns_gan on ring (9 runs): {why} (measured before)\n" in again.stdout
    assert read_plan(tmp_path / "runs", "tiny").run_ids == plan.run_ids
    more = launch("pack=auto", "hydra.sweeper.plan_only=true", text=sweep_of("seed: 'range(12)'"))
    assert "ns_gan on ring (12 runs): packs of 8, 5.00 times" in more.stdout
    assert [c["most"] for c in read_plan(tmp_path / "runs", "tiny").packs.values()] == [12]


def test_auto_tries_again_what_failed_when_it_was_tried(launch, tmp_path, paces):
    """The fixture has no speedup for 2 slots: KeyError."""
    done = launch("pack=auto", "hydra.sweeper.plan_only=true", text=ONE)
    assert "ns_gan on ring (9 runs): one at a time, a step that was tried failed\n" in done.stdout
    assert read_plan(tmp_path / "runs", "tiny").packs == {}
    paces.speedups |= {2: 1.5, 4: 1}
    again = launch("pack=auto", "hydra.sweeper.plan_only=true", text=ONE)
    assert "ns_gan on ring (9 runs): packs of 2" in again.stdout


def test_auto_does_not_pack_where_that_is_not_clearly_faster(launch, tmp_path, paces):
    paces.speedups |= {2: 1.04, 4: 0.9}
    done = launch("pack=auto", "hydra.sweeper.plan_only=true", text=ONE)
    why = "one at a time, a pack is not clearly faster (R=2 1.04, 4 0.90)"
    assert f"ns_gan on ring (9 runs): {why}\n" in done.stdout
    plan = read_plan(tmp_path / "runs", "tiny")
    launch("hydra.sweeper.plan_only=true", text=ONE)
    assert read_plan(tmp_path / "runs", "tiny").run_ids == plan.run_ids  # as without packs


def test_auto_stays_within_memory_and_says_so(launch, monkeypatch, paces):
    paces.speedups |= {2: 1.5, 4: 3}
    monkeypatch.setattr(
        "bench.execution.packs.memory_check.required_bytes", lambda cfg, samples: 2**30
    )
    monkeypatch.setattr(
        "bench.execution.packs.memory_check.available_bytes", lambda device: 3 * 2**30
    )
    done = launch("pack=auto", "hydra.sweeper.plan_only=true", text=ONE)
    assert "packs of 2, 1.50 times one at a time (R=2 1.50; a pack of 4 would need" in done.stdout


def test_auto_runs_alone_what_cannot_be_packed(launch, paces):
    paces.speedups |= {2: 1.5, 4: 1}
    text = sweep_of("variant: 'ns_gan,lda', seed: '0,1'")
    done = launch("pack=auto", "hydra.sweeper.plan_only=true", text=text)
    assert done.returncode == 0 and "4 planned" in done.stdout, done.stderr
    assert re.search("^lda on ring runs alone: .+$", done.stdout, re.M)
    assert "ns_gan on ring (2 runs): packs of 2" in done.stdout


@pytest.mark.parametrize(
    ("overrides", "params", "sentence"),
    [
        (["pack=some"], "seed: '0,1'", "pack is 'some'"),
        (["pack=0"], "seed: '0,1'", "pack is 0"),
        (["pack=2,4"], "seed: '0,1'", "pack has several values"),
        (["pack=2", "packed=2"], "seed: '0,1'", "packed= and pack= both say"),
        (["pack=2"], "variant: 'ns_gan,vae'", "no two of the 2 runs can share a pack"),
        (["pack=2"], "variant: 'ns_gan,lda', seed: '0,1'", "lda on ring cannot train in a pack: "),
        (["pack=2", "precision=bf16"], "seed: '0,1'", "cannot train in a pack: precision=bf16"),
        (["pack=100000000"], "seed: '0,1'", "a pack of 100000000 would need about"),
    ],
)
def test_bad_input_is_one_sentence_and_no_plan(launch, tmp_path, overrides, params, sentence):
    done = launch(*overrides, text=sweep_of(params))
    assert done.returncode == 2, done.stdout + done.stderr
    assert sentence in done.stderr and "Traceback" not in done.stderr and "  fix: " in done.stderr
    assert not list(tmp_path.glob("runs/*/status.json")) and not list(tmp_path.glob("runs/plans/*"))


def test_a_member_that_this_machine_would_make_otherwise_is_refused_and_no_other(
    launch, tmp_path, monkeypatch
):
    """A plan for another kind of device would do that; here the seed is another."""
    monkeypatch.setattr("bench.vectorized.trainer.TRIAL_STEPS", 0)
    text = sweep_of("seed: '0,1'")
    from bench.runs import plans

    read = plans.read_plan

    def elsewhere(root, name):
        plan = read(root, name)
        zero, one = plan.runs
        other = replace(one, overrides=tuple(o.replace("seed=1", "seed=7") for o in one.overrides))
        return replace(plan, stages=(plans.StagePlan("all", (zero, other)),))

    monkeypatch.setattr("bench.execution.queue.read_plan", elsewhere)
    done = launch("pack=2", text=text)
    assert done.returncode == 2 and "2 planned, 1 finished, 1 refused" in done.stdout
    expected = next(e.run_id for e in read_plan(tmp_path / "runs", "tiny").runs if e.seed == 1)
    why = rf"^refused: this machine would make run \w+ where {expected} was planned$"
    assert re.search(why, done.stderr, re.M)


def planned_runs(pack: str, slots: int, number: int) -> list[PlannedRun]:
    return [
        PlannedRun(f"{pack}{n}", (), "v", "d", n, pack=pack, slots=slots) for n in range(number)
    ]


@pytest.mark.parametrize(
    ("parallel_jobs", "sizes"), [(1, [9, 1, 1]), (2, [5, 4, 1, 1]), (4, [3] * 3 + [1] * 2)]
)
def test_a_job_of_a_pack_has_a_queue_where_jobs_are_scarce(parallel_jobs, sizes):
    alone = [PlannedRun(name, (), "v", "d", 0) for name in "xy"]
    jobs = make_jobs([*planned_runs("a", 4, 9), *alone], parallel_jobs)
    assert [len(job) for job in jobs] == sizes
    assert jobs[0][0].run_id == "a0" and sum(jobs, [])[-2:] == alone
    assert job_overrides(jobs[-1]) == ["expected_run_id='y'"]
    assert job_overrides(planned_runs("a", 4, 2)) == [
        "expected_run_id='a0'", "pack_members=['a0','a1']"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "settings", "parallel_jobs"),
    [
        ("joblib", {"n_jobs": 3}, 3),
        ("joblib", {"n_jobs": -1}, 4),
        ("slurm", {"array_parallelism": 64}, 64),
        ("ray", {"ray": {"init": {"num_cpus": 8}}}, 4),
        ("submitit_local", {}, 4),
    ],
)
def test_how_many_jobs_of_two_threads_a_launcher_runs_at_once(
    monkeypatch, name, settings, parallel_jobs
):
    monkeypatch.setattr(joblib, "cpu_count", lambda: 9)
    launcher = {"_target_": launchers_by_name()[name].target, **settings}
    spec = find_launcher(OmegaConf.create({"launcher": launcher}))
    assert spec.parallel_jobs(OmegaConf.create(settings), 2) == parallel_jobs
    assert spec.outlives_process == (name == "slurm")


def test_threads_are_divided_out_of_the_workers_that_the_launcher_starts(monkeypatch):
    monkeypatch.setattr(joblib, "cpu_count", lambda: 8)
    launcher = OmegaConf.load(ROOT / "conf/hydra/launcher/joblib.yaml")
    choices = {"hydra/launcher": "joblib"}
    hydra = {"launcher": launcher, "runtime": {"choices": choices}, "mode": RunMode.MULTIRUN}
    config = OmegaConf.create({"threads": 2, "hydra": hydra})
    OmegaConf.set_readonly(config.hydra, True)
    sweeper = CreatedEqualSweeper(None, None, 1, 1, False, False, None)
    sweeper.setup(hydra_context=None, task_function=print, config=config)
    assert sweeper.launcher.joblib["n_jobs"] == 4


def test_a_launcher_without_a_description_runs_one_job_at_a_time():
    launcher = {"_target_": "hydra._internal.core_plugins.basic_launcher.BasicLauncher"}
    spec = find_launcher(OmegaConf.create({"launcher": launcher}))
    assert spec.parallel_jobs(None, 1) == 1
    assert (spec.executable, spec.outlives_process, spec.extra) == (None, False, None)


def test_every_launcher_preset_has_a_description_of_its_name_and_target():
    presets = {path.stem: path for path in (ROOT / "conf/hydra/launcher").glob("*.yaml")}
    targets = {name: OmegaConf.load(path)["_target_"] for name, path in presets.items()}
    assert {name: spec.target for name, spec in launchers_by_name().items()} == targets


LIKE_NUMBERS = (
    "62146430e6730615",
    "1234567890123456",
    "0012",
    "null",
    "true",
    "inf",
    "nan",
    "0o17",
)


@given(
    st.one_of(
        st.sampled_from(LIKE_NUMBERS), st.text(min_size=1), st.from_regex(r"\A[0-9a-f]{16}\Z")
    )
)
def test_a_text_stays_a_text_in_an_override(text):
    """Hydra reads 62146430e6730615 as inf, and it was a run_id."""
    parse = OverridesParser.create().parse_override
    assert parse(f"key={override_text(text)}").value() == text
    listed = override_text([text, text])
    assert parse(f"key={listed}").value() == [text, text]
    run = PlannedRun(text, (), "v", "d", 0, pack="p")
    first, members = map(parse, job_overrides([run, run]))
    assert first.value() == text and members.value() == [text, text]


def test_runs_with_another_number_of_discriminator_steps_share_no_pack(launch, tmp_path):
    text = sweep_of("seed: '0,1', hyperparameters.n_dis: '1,5'")
    done = launch("pack=2", "hydra.sweeper.plan_only=true", text=text)
    assert done.returncode == 0, done.stdout + done.stderr
    assert packs_of(read_plan(tmp_path / "runs", "tiny").runs) == {"ns_gan": (2, 2)}
