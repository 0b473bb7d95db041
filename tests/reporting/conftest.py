"""Fixtures: sweeps on disk, written by the suite's own writers, and studies in memory."""

import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from made import measures_of
from PIL import Image

from bench.core.files import write_bytes, write_json, write_text
from bench.reporting.data.records import RunRecord, StageRecord
from bench.reporting.tables.comparisons import build_comparisons
from bench.reporting.tables.score_choice import ALL_SCORES
from bench.runs.folder import RunFolder
from bench.runs.plans import PlannedRun, StagePlan, write_plan
from bench.runs.rows import Row, write_row


@pytest.fixture(autouse=True, scope="module")
def no_pixels(svg_only):
    """Figures are written as SVG only."""


PROTOCOL = {
    "name": "quick",
    "extractor": "digits_convnet",
    "weight_hash": "ab12",
    "resize": "none",
    "quantised": True,
    "split": "test",
    "n_real": 360,
    "n_fake": 2000,
    "latent_seed": 0,
    "prior": "uniform",
    "batch_norm": "running averages",
    "ema": None,
    "conditional": False,
}
DIRECTIONS = {"recall": "higher", "frechet": "lower"}
NOT_FINITE = "d_loss is not finite at step 20"


def row(
    run_id, variant, seed, scores, *, status="finished", dataset="digits", protocol=None,
    details=None, checkpoint="final", hyperparameters=None, measures=None,
):  # fmt: skip
    return Row(
        run_id=run_id,
        variant=variant,
        loss=variant,
        model="gan",
        network="infogan",
        dataset=dataset,
        seed=seed,
        d_steps=40,
        g_steps=40,
        images=2560,
        status=status,
        cause=NOT_FINITE if status == "diverged" else "",
        checkpoint=checkpoint,
        protocol=PROTOCOL | (protocol or {}),
        measures=measures_of(DIRECTIONS) if measures is None else measures,
        hyperparameters=hyperparameters or {"learning_rate": 0.001},
        scores=scores,
        details=details or {},
    )


@dataclass
class Written:
    """Write a sweep to disk; each call adds a run."""

    root: Path
    runs: list = field(default_factory=list)
    entries: list = field(default_factory=list)
    claims: bool = False

    def plan(self):
        """Write a plan of eight runs; those not added yet are of a data set of their own."""
        more = [
            PlannedRun(f"missing{n}", ("dataset=none",), "none", "none", 0)
            for n in range(len(self.entries), 8)
        ]
        stage = StagePlan("all", (*self.entries, *more))
        command = "python -m bench.train -m sweeps=s"
        write_plan(self.root, "s", command, [stage], [], claims=self.claims)

    def run(self, variant, seed, frechet=None, *, status="finished", settings=(), **row_fields):
        """Add a run with a row; frechet=None gives a row without scores."""
        run_id = self.add_run_without_row(variant, seed, status=status, settings=settings)
        self.score(run_id, variant, seed, frechet, status=status, **row_fields)
        return run_id

    def score(self, run_id, variant, seed, frechet=None, recall=0.5, scores=None, **row_fields):
        """Give a run a row; return the path of its file."""
        if scores is None:
            scores = {} if frechet is None else {"frechet": float(frechet), "recall": recall}
        return write_row(self.root, row(run_id, variant, seed, scores, **row_fields))

    def add_run_without_row(self, variant, seed, *, status="failed", settings=()):
        """Add a run without any row."""
        run_id = f"{len(self.runs):016x}"
        overrides = (f"variant={variant}", *settings, f"seed={seed}")
        named = [s.partition("=")[2] for s in settings if s.startswith("dataset=")]
        dataset = named[0] if named else "digits"
        self.entries.append(PlannedRun(run_id, overrides, variant, dataset, seed))
        self.runs.append(run_id)
        self.plan()
        folder = RunFolder(self.root, run_id)
        costs = {"d_steps": 40, "g_steps": 40, "images": 2560}
        folder.write_status(status, wall_seconds=3.0 + seed, peak_memory_gib=0.25, **costs)
        facts = {"python": "3.11.7", "packages": {"torch": "2.13.0"}, "commit": None, "dirty": None}
        data = {"train": {"digest": "0" * 64, "count": 100}}
        provenance = {"overrides": [], "environment": facts, "data": data}
        write_json(folder.provenance, provenance)
        losses = "".join(f"{step},{step},{1 / step},\n" for step in range(10, 50, 10))
        write_text(folder.history, f"step,g_step,d_loss,g_loss\n{losses}")
        return run_id

    def picture(self, run_id):
        """Give a run its picture of samples."""
        pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "png")
        write_bytes(self.root / run_id / "samples" / "final.png", buffer.getvalue())

    def add_real_baseline(self, frechet, **protocol):
        """Add real samples scored against real ones."""
        scores = {"frechet": frechet, "recall": 0.9}
        write_row(self.root, row("real-0", "real", 0, scores, protocol=protocol))

    def add_split_half(self, frechet, count):
        """Add real samples scored against others of the same split."""
        scores = {"frechet": frechet}
        protocol = {"split": "train", "n_real": count, "n_fake": count, "floor": "train"}
        write_row(self.root, row("real-0", "real_halves", 0, scores, protocol=protocol))


@pytest.fixture(scope="session")
def write_sweep():
    """Return `Written`, for a sweep that several tests read."""
    return Written


@pytest.fixture
def written(tmp_path):
    """Return an empty sweep "s" of eight planned runs."""
    sweep = Written(tmp_path / "runs")
    sweep.plan()
    return sweep


@pytest.fixture
def mixed(written):
    """Write seven of eight runs: wgan 2, 4 and a failure, ns_gan 5 and 7, mine diverged twice."""
    for variant, seed, frechet in (("ns_gan", 0, 5), ("ns_gan", 1, 7), ("wgan", 0, 2)):
        written.picture(written.run(variant, seed, frechet))
    written.picture(written.run("wgan", 1, 4, protocol={"prior": "normal"}))
    written.run("mine", 0, status="diverged")
    written.run("mine", 1, status="diverged")
    written.add_run_without_row("wgan", 2)
    written.add_real_baseline(0.25, prior=None, n_fake=1297)
    return written


class Made:
    """Make stages in memory; each call adds a run to one of them."""

    def __init__(self):
        self.stages = {}
        self.baselines = []

    def run(
        self, variant, frechet=None, *, stage="seeds", sample=0, seed=0, scores=None, details=None,
        settings=None, history=None, picture=None, status=None, checkpoint="final", facts=None,
    ):  # fmt: skip
        """Add a run with a row; without a score it diverged."""
        runs = self.stages.setdefault(stage, [])
        run_id = f"{len(runs):08x}-{stage}"
        status = status or ("diverged" if frechet is None else "finished")
        found = {} if frechet is None else {"frechet": float(frechet), **(scores or {})}
        metrics = {"frechet": "lower", **dict.fromkeys(scores or {}, "higher")}
        one = row(
            run_id, variant, seed, found, status=status, details=details, checkpoint=checkpoint,
            hyperparameters=settings, measures=measures_of(metrics | self.metrics),
        )  # fmt: skip
        overrides = (f"variant={variant}", f"hyperparameters.sample={sample}", f"seed={seed}")
        curves = {
            name: (np.array(steps, float), np.array(values, float))
            for name, (steps, values) in (history or {}).items()
        }
        runs.append(
            RunRecord(
                run_id, variant, "digits", seed, sample, overrides, status, "", facts or {}, {},
                (one,), history=curves, picture=picture,
            )
        )  # fmt: skip

    metrics = {"precision": "higher", "recall": "higher"}
    real_picture = None  # PNG

    def add_real_baseline(self, **scores):
        """Add real samples scored against real ones."""
        fields = {"protocol": {"floor": "train"}}
        fields["measures"] = measures_of({"frechet": "lower"} | self.metrics)
        self.baselines.append(row("real-0", "real", 0, scores, **fields))

    def search(self, variant, frechet, **more):
        """Add a configuration for each score, None for one that diverged; seed 0."""
        for sample, score in enumerate(frechet):
            settings = {"learning_rate": 10.0 ** -(1 + sample % 5), "d_batch_norm": sample % 2 == 0}
            extra = {name: values[sample] for name, values in more.items()}
            self.run(variant, score, stage="wide", sample=sample, **{"settings": settings} | extra)

    def seeds(self, variant, frechet, **more):
        """Add a seed for each score, None for one that diverged."""
        for seed, score in enumerate(frechet):
            extra = {name: values[seed] for name, values in more.items()}
            self.run(variant, score, seed=seed, **extra)

    def records(self):
        """Return the stages."""
        baselines = tuple(self.baselines)
        pictures = {} if self.real_picture is None else {"real-0": self.real_picture}
        return [
            StageRecord("s", "command", stage, tuple(runs), baselines, real_pictures=pictures)
            for stage, runs in self.stages.items()
        ]

    def comparisons(self, choice=ALL_SCORES):
        """Compare the methods of all stages, the last stage first."""
        return build_comparisons(self.records(), choice)


@pytest.fixture
def made():
    """Return an empty study in memory."""
    return Made()
