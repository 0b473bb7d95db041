"""Measure the cost of a sweep apart from training, as medians and ratios.

Seconds depend on the machine; no test asserts them.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import torch

from bench.config import build
from bench.execution.run import execute
from bench.runs.plans import read_plan
from bench.runs.run_status import StatusReader, count_states, format_counts
from bench.training.checkpoints import Checkpoints
from bench.training.job import prepare_job

warnings.simplefilter("ignore")
QUIET = ["preset=study", "trainer.progress=false", "trainer.pictures=0", "trainer.accelerator=cpu"]
STRESS = """# @package _global_
defaults:
  - override /dataset: ring
  - _self_
network: {width: 8, depth: 2}
score: {n_fake: 60, n_real: 100}
trainer: {progress: false, pictures: 0}
hydra:
  sweeper:
    plan_only: true
    stages:
      wide:
        variants: [ns_gan, mm_gan, wgan, vae, lsgan, began, hinge_gan, dragan]
        datasets: [ring]
        seeds: {first: 0, count: 63}
        samples: 100
        sampling: {seed: 1, order: [n_dis, learning_rate, beta1]}
        space:
          learning_rate: {log_uniform: [1.0e-4, 1.0e-2]}
          n_dis: {choice: [1, 5]}
          beta1: {uniform: [0.0, 1.0]}
"""


def time_run_overhead(folder: Path) -> None:
    """Time the parts of a run of a few steps in a warm process, without the training itself."""
    parts: dict[str, list[float]] = {"compose": [], "prepare": [], "train, write": [], "score": []}
    for seed in range(6):
        overrides = [
            "sweeps=created_equal_digits",
            "d_steps=20",
            f"seed={seed}",
            f"runs_root={folder}",
        ]
        marks = [time.perf_counter()]
        cfg = build.compose_config(["variant=wgan_gp", *overrides, *QUIET])
        marks.append(time.perf_counter())
        job = prepare_job(cfg)
        marks.append(time.perf_counter())
        execute(job)
        total = time.perf_counter() - marks[-1]
        for row in job.folder.row_files():
            row.unlink()
        started = time.perf_counter()
        execute(job)  # only scores
        score = time.perf_counter() - started
        training = json.loads((job.folder.path / "status.json").read_text())["wall_seconds"]
        for name, seconds in zip(
            parts, (marks[1] - marks[0], marks[2] - marks[1], total - score - training, score),
            strict=True,
        ):  # fmt: skip
            parts[name].append(seconds)
    medians = {name: statistics.median(values[1:]) for name, values in parts.items()}
    overhead = sum(medians.values()) - medians["score"]
    summary = ", ".join(f"{name} {seconds:.2f}" for name, seconds in medians.items())
    print(f"one run, warm process, seconds: {summary}; without training and scores {overhead:.2f}")


def time_checkpoints(folder: Path) -> None:
    """Compare writing a checkpoint of the study's networks with the time between checkpoints."""
    cfg = build.compose_config(["dataset=triangles", "dataset.root=null", "variant=ns_gan", *QUIET])
    model = build.build_model(cfg)
    optimizer_states = []
    for optimizer in model.configure_optimizers():
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
        optimizer_states.append(optimizer.state_dict())
    content = {"state_dict": model.state_dict(), "optimizers": optimizer_states}
    store, seconds = Checkpoints(folder / "checkpoints", 2), []
    for step in range(1, 6):
        started = time.perf_counter()
        store.save(step, lambda path: torch.save(content, path))
        seconds.append(time.perf_counter() - started)
    size = next((folder / "checkpoints").glob("*.ckpt")).stat().st_size / 2**20
    every = cfg.trainer.checkpoint_seconds
    share = statistics.median(seconds) / every
    print(
        f"checkpoint of {size:.0f} MiB: {statistics.median(seconds):.2f} s, every {every} s: "
        f"{share:.2%} of the time"
    )


def compare_two_processes(folder: Path) -> None:
    """Compare the runs per hour of two joblib processes of one thread with those of one."""
    rates = {}
    for jobs in (1, 2, 1, 2):
        root = folder / f"jobs-{jobs}-{len(rates)}"
        command = [
            sys.executable, "-W", "ignore", "-m", "bench.train", "-m", "hydra/launcher=joblib",
            f"hydra.launcher.n_jobs={jobs}", "seed=0,1,2,3,4,5", "variant=wgan_gp", "d_steps=150",
            f"runs_root={root}", *QUIET,
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, env={**os.environ})
        statuses = sorted(p.stat().st_mtime for p in root.glob("*/status.json"))
        starts = sorted(p.stat().st_mtime for p in root.glob("*/config.yaml"))
        rates.setdefault(jobs, []).append(6 / (statuses[-1] - starts[0]))
    ratio = statistics.median(rates[2]) / statistics.median(rates[1])
    print(f"two joblib processes over one, runs per hour: {ratio:.2f}")


def time_planning(folder: Path) -> None:
    """Time planning 50,400 runs, reading their states, and planning again when all have ended."""
    (folder / "conf" / "sweeps").mkdir(parents=True)
    (folder / "conf" / "sweeps" / "stress.yaml").write_text(STRESS)
    command = [sys.executable, "-W", "ignore", "-m", "bench.train", "-m", "--config-dir", "conf",
               "sweeps=stress"]  # fmt: skip

    def plan_seconds() -> float:
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, cwd=folder)
        return time.perf_counter() - started

    first = plan_seconds()
    plan, root = read_plan(folder / "runs", "stress"), folder / "runs"
    status = {"status": "finished", "cause": "", "wall_seconds": 3.0, "d_steps": 2000}
    for run in plan.runs:
        (root / run.run_id / "rows").mkdir(parents=True)
        (root / run.run_id / "status.json").write_text(json.dumps(status))
        protocol = {"data": run.data, "padding": "x" * 3000}
        measures = {asked: {"request": asked, "padding": "x" * 80} for asked in run.request}
        row = {"status": "finished", "protocol": protocol, "measures": measures}
        (root / run.run_id / "rows" / "final-0.json").write_text(json.dumps(row))
    started = time.perf_counter()
    counts = count_states(StatusReader(root).read(plan.runs))
    read_seconds = time.perf_counter() - started
    print(
        f"{len(plan.runs):,} runs: planned in {first:.1f} s (cold process), states read "
        f"({format_counts(counts)}) in {read_seconds:.1f} s, planned again, all skipped, in "
        f"{plan_seconds():.1f} s"
    )


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for number, part in enumerate(
            (time_run_overhead, time_checkpoints, compare_two_processes, time_planning)
        ):
            part(Path(folder) / str(number))
