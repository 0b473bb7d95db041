"""A sweep goes on from a published report, on a machine that has none of its runs."""

import shutil

from support import ROOT, TINY

from bench.commands import cli
from bench.reporting.archive.read import load
from bench.reporting.archive.restore import restore_runs
from bench.reporting.report import load_stages, write_report
from bench.runs.plans import read_plan
from bench.runs.rows import read_rows


def publish(root, folder):
    write_report(load_stages("tiny", root), folder)
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_nothing_is_trained_twice_and_the_report_has_the_same_bytes(launch, launched, tmp_path):
    runs = tmp_path / "runs"
    published = publish(runs, tmp_path / "out")
    plan = read_plan(runs, "tiny")
    shutil.rmtree(runs)
    done = launch(f"hydra.sweeper.published={tmp_path / 'out'}")
    assert done.returncode == 0, done.stderr
    count = len(plan.run_ids)
    assert f"{count} runs restored from" in done.stdout
    assert f"{count} planned, {count} finished ({count} skipped)" in done.stdout
    assert not list(runs.glob("*/generator.safetensors")) and not list(runs.glob("*/config.yaml"))
    again = read_plan(runs, "tiny")
    assert again.run_ids == plan.run_ids
    assert [s.chosen for s in again.stages] == [s.chosen for s in plan.stages]
    remade = publish(runs, tmp_path / "again")
    command = f" hydra.sweeper.published={tmp_path / 'out'}".encode()
    assert set(remade) == set(published)
    different = [n for n in published if remade[n].replace(command, b"") != published[n]]
    assert set(different) <= {"SHA256SUMS"}, different


def test_only_what_was_not_published_is_trained(launch, launched, tmp_path):
    runs = tmp_path / "runs"
    publish(runs, tmp_path / "out")
    shutil.rmtree(runs)
    more = TINY.replace("seeds: [1, 2]", "seeds: [1, 2, 3]")
    done = launch(f"hydra.sweeper.published={tmp_path / 'out'}", text=more)
    assert done.returncode == 0, done.stderr
    trained = {path.parent.name for path in runs.glob("*/config.yaml")}
    fresh = {r.run_id for r in read_plan(runs, "tiny").runs if r.seed == 3}
    assert trained == fresh and len(fresh) == 2


def test_real_samples_come_back_with_all_their_rows_and_their_picture(tmp_path):
    published = load(ROOT / "results/quick")
    assert restore_runs(ROOT / "results/quick", tmp_path) == 20
    wanted = published.stages[-1].baselines
    rows = read_rows(tmp_path, dict.fromkeys(row.run_id for row in wanted))
    assert sorted(row.variant for row in rows) == sorted(row.variant for row in wanted)
    assert {"real", "real_halves"} <= {row.variant for row in rows}
    (picture,) = published.stages[-1].real_pictures.items()
    assert (tmp_path / picture[0] / "samples/final.png").read_bytes() == picture[1]
    assert restore_runs(ROOT / "results/quick", tmp_path) == 0


def test_a_folder_that_is_no_report_is_one_sentence(launch, tmp_path):
    done = launch(f"hydra.sweeper.published={tmp_path / 'nowhere'}")
    assert done.returncode == 2 and "no published runs in" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_variant_that_the_sweep_does_not_name_is_drawn_after_all_others(launch, tmp_path):
    done = launch("hydra.sweeper.plan_only=true", "variant=ns_gan,vae,wgan")
    assert done.returncode == 0, done.stderr
    (search,) = read_plan(tmp_path / "runs", "tiny").stages
    named = {r.run_id for r in search.runs if r.variant != "wgan"}
    ours = [r for r in search.runs if r.variant == "wgan"]
    launch("hydra.sweeper.plan_only=true", "hydra.sweeper.rounds=2")
    (search,) = read_plan(tmp_path / "runs", "tiny").stages
    assert {r.run_id for r in search.runs if r.variant != "wgan"} == named
    assert [r.sample for r in ours] == [0, 1]
    assert any("learning_rate" in o for o in ours[1].overrides)


def test_a_variant_of_ones_own_brings_its_ranges_and_is_ranked_beside_published_ones(
    launch, launched, tmp_path, run_command
):
    runs = tmp_path / "runs"
    publish(runs, tmp_path / "out")
    shutil.rmtree(runs)
    own = tmp_path / "conf/variant/mine.yaml"
    own.parent.mkdir()
    own.write_text("""# @package _global_
defaults:
  - override /loss: hinge
  - override /penalty: r1
hyperparameters: {learning_rate: 1.0e-3, beta1: 0.5, n_dis: 1, d_batch_norm: false}
search_space: {penalty_weight: {log_uniform: [0.1, 10.0]}}
""")
    done = launch("variant=mine", f"hydra.sweeper.published={tmp_path / 'out'}")
    assert done.returncode == 0, done.stderr
    assert "4 planned, 4 finished" in done.stdout
    plan = read_plan(runs, "tiny")
    assert {run.variant for run in plan.runs} == {"mine"}
    drawn = [o for o in plan.stages[0].runs[1].overrides if "penalty_weight" in o]
    assert len(drawn) == 1 and 0.1 <= float(drawn[0].partition("=")[2]) <= 10
    command = ["report", "tiny", "--with", str(tmp_path / "out"), "--to", str(tmp_path / "both")]
    done = run_command(cli.main, *command, f"--runs-root={runs}")
    assert done.returncode == 0, done.stderr
    rows = (tmp_path / "both/rows.csv").read_text()
    assert {"mine", "vae", "ns_gan"} <= {line.split(",")[4] for line in rows.splitlines()[1:]}
