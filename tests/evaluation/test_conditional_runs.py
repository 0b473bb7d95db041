"""A conditional run from its samples to its row, its pictures, its export."""

import json
import runpy

import numpy as np
import pytest
import torch
from PIL import Image

from bench.commands import cli
from bench.commands.export import export_run
from bench.config import build
from bench.core.errors import UserError
from bench.core.seeds import generator as stream
from bench.evaluation.rescore import rescore
from bench.evaluation.score_run import StoredRun, find_row
from bench.execution.run import execute
from bench.runs.outcome import faults, real_scores
from bench.runs.rows import read_row, read_rows, write_row
from bench.training.sample_pictures import plot_plane

SNGAN = ("variant=hinge_gan", "network=sngan")


@pytest.fixture
def run(finished):
    """Job of a finished conditional run on digits."""
    return finished(*SNGAN, "conditioning=projection", network="sngan")


@pytest.fixture
def unconditional(finished):
    return finished(*SNGAN, network="sngan")


def final_row(job):
    (path,) = job.folder.row_files("final-")
    return read_row(path)


def size_of(path):
    with Image.open(path) as image:
        return image.size


def test_a_row_has_the_accuracy_beside_that_of_real_samples_and_says_how_classes_are_drawn(run):
    row, counts = final_row(run), build.read_class_counts(run.folder)
    assert row.protocol["conditional"] is True
    assert row.protocol["classes_drawn"] == "by the shares of the training split"
    assert 0 <= row.scores["class_accuracy"] <= 1
    shares = {k: v for k, v in row.details.items() if k.startswith("class_accuracy.share_")}
    assert len(shares) == len(counts) == 10 and sum(shares.values()) == pytest.approx(1)
    real = real_scores(run.folder.root, row)
    assert real["class_accuracy"] > 0.9  # the extractor was trained on the training split
    assert find_row(StoredRun(run.folder, run.plain), run.evaluator) == row
    assert execute(run).skipped


def test_samples_of_other_classes_than_those_asked_for_are_a_fault(run):
    row, real = final_row(run), {"class_accuracy": 1.0}
    wrong = "only 20% of the samples are of the class that was asked for"
    for accuracy, said in ((0.2, [wrong]), (0.6, [])):
        row.scores["class_accuracy"] = accuracy
        assert [fault for fault in faults(row, real) if "class that" in fault] == said


def test_an_unconditional_row_is_what_it_was_and_complete_without_the_accuracy(unconditional):
    row, job = final_row(unconditional), unconditional
    assert row.protocol["conditional"] is False and "classes_drawn" not in row.protocol
    assert "class_accuracy" not in row.measures and "class_accuracy" in job.evaluator.requests
    assert row.measures.keys() == job.evaluator.without_labels.requests.keys()
    assert find_row(StoredRun(job.folder, job.plain), job.evaluator) == row
    assert rescore(job.folder, [], "final").already_scored
    real = [
        r for path in job.folder.root.glob("real-*") for r in read_rows(path.parent, [path.name])
    ]
    assert real and not any("class_accuracy" in r.measures for r in real)


def test_a_row_that_says_unconditional_is_no_row_of_a_conditional_run(run):
    """Rows of a suite that did not know of classes are scored again, under the true protocol."""
    path = run.folder.row_files("final-")[0]
    content = json.loads(path.read_text())
    path.unlink()
    content["protocol"]["conditional"] = False
    del content["protocol"]["classes_drawn"]
    path.write_text(json.dumps(content))
    write_row(run.folder.root, read_row(path))
    assert find_row(StoredRun(run.folder, run.plain), run.evaluator) is None
    assert rescore(run.folder, [], "final").row.protocol["conditional"] is True


def test_a_protocol_of_class_accuracy_alone_scores_conditional_runs_alone(run, unconditional):
    alone = {"class_accuracy": run.evaluator.settings.metrics["class_accuracy"]}
    evaluator = run.evaluator.only(alone)
    assert evaluator.for_samples(conditional=True) is evaluator
    with pytest.raises(UserError, match="samples without classes have no class_accuracy"):
        evaluator.for_samples(conditional=False)


def test_pictures_have_a_row_for_each_class(run, unconditional):
    assert size_of(run.folder.samples / "final.png") == (
        8 * 34,
        10 * 34,
    )  # 8 x 8 pixels, four times
    assert size_of(unconditional.folder.samples / "final.png") == (8 * 34, 8 * 34)
    (real,) = {f for f in run.folder.root.glob("real-*/samples/final.png") if size_of(f)[1] == 340}
    pixels = np.asarray(Image.open(real)).reshape(10, 34, 8, 34)
    test = run.splits["test"] if run.evaluator.settings.split == "train" else run.splits["train"]
    first = test.samples[np.flatnonzero(test.labels == 7)[0], 0]
    assert (pixels[7, 1:33:4, 0, 1:33:4] == first).all()


def test_the_rows_are_of_their_class(run, tmp_path, run_command):
    """Thirty samples of ten classes: three each, those of the class alone at the same latents."""
    done = run_command(cli.main, "sample", str(run.folder.path), "-n", "30", "--to", "all.png")
    assert done.returncode == 0 and size_of(tmp_path / "all.png") == (3 * 34, 10 * 34)
    rows = np.asarray(Image.open(tmp_path / "all.png")).reshape(10, 34, 3, 34)
    sampler = build.build_sampler(run.folder)
    wanted = sampler.samples(30, stream(0, "score"), 30, torch.full((30,), 4))[12:15, 0]
    shown = torch.from_numpy(rows[4, 1:33:4, :, 1:33:4].copy()).transpose(0, 1)
    assert torch.equal(shown, (wanted * 255).round().clamp(0, 255).byte())

    done = run_command(cli.main, "sample", str(run.folder.path), "-n", "9", "--class", "4")
    assert done.returncode == 0 and size_of(tmp_path / "samples.png") == (3 * 34, 3 * 34)
    done = run_command(cli.main, "sample", str(run.folder.path), "-n", "5", "--single", "--to", "x")
    drawn = next(sampler.batches(5, stream(0, "score"), 5)).labels["labels"].tolist()
    written = {f"class-{k}/{index:06d}.png" for index, k in enumerate(drawn)}
    assert {str(p.relative_to(tmp_path / "x")) for p in (tmp_path / "x").rglob("*.png")} == written


@pytest.mark.parametrize(
    ("label", "said"),
    [(10, "knows no such class"), (-1, "knows no such class"), (3, "trained on no sample of it")],
)
def test_a_class_without_training_samples_is_refused(run, run_command, tmp_path, label, said):
    content = json.loads(run.folder.provenance.read_text())
    content["class_counts"][3] = 0
    run.folder.provenance.write_text(json.dumps(content))
    done = run_command(cli.main, "sample", str(run.folder.path), "--class", str(label))
    assert done.returncode == 2 and said in done.stderr
    assert "choose one of 0, 1, 2, 4, 5" in done.stderr and not list(tmp_path.glob("*.png"))


def test_an_unconditional_run_has_no_samples_of_a_class(unconditional, run_command):
    done = run_command(cli.main, "sample", str(unconditional.folder.path), "--class", "3")
    assert done.returncode == 2 and "is not conditional" in done.stderr


def test_an_export_draws_classes_as_the_run_does(run, tmp_path):
    export_run(run.folder, tmp_path / "out")
    sample = runpy.run_path(str(tmp_path / "out" / "load.py"))["sample"]
    sampler = build.build_sampler(run.folder)
    assert torch.equal(sample(7, seed=3), sampler.samples(7, stream(3, "score"), 500))
    of_class = sampler.samples(501, stream(3, "score"), 500, torch.full((501,), 2))
    assert torch.equal(sample(501, seed=3, label=2), of_class)
    with pytest.raises(ValueError, match="label is 10, not one of"):
        sample(1, label=10)
    card = (tmp_path / "out" / "README.md").read_text()
    assert "A class-conditional generator" in card and "label=0" in card
    assert "unconditional-image-generation" not in card


def test_an_export_has_the_range_of_the_suite_whatever_the_network_works_in(
    unconditional, tmp_path
):
    """SNGAN's images are in [-1, 1]."""
    export_run(unconditional.folder, tmp_path / "out")
    images = runpy.run_path(str(tmp_path / "out" / "load.py"))["sample"](7)
    assert images.min() >= 0 and images.max() <= 1
    expected = build.build_sampler(unconditional.folder).samples(7, stream(0, "score"), 500)
    assert torch.equal(images, expected)


def test_points_are_coloured_by_their_class(rendered_plots):
    points = np.array([[0.0, 0.0], [1.0, 1.0]]).repeat(200, axis=0)
    labels = np.arange(2).repeat(200)
    plain, coloured = (
        np.asarray(plot_plane(points, points, None, "", **own)).reshape(-1, 3).astype(int)
        for own in ({}, {"labels": labels})
    )
    orange, blue = (255, 127, 14), (31, 119, 180)  # tab10's first two; blended with black dots
    near = [[(abs(p - c).max(1) < 25).any() for c in (orange, blue)] for p in (plain, coloured)]
    assert near[1] == [True, True] and not near[0][1]
