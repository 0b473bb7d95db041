"""Samples that a function of the user's draws: `bench score --generator`."""

import sys

import numpy as np
import pytest
import torch

from bench.commands import cli
from bench.core.errors import UserError
from bench.evaluation.external_images import score_images
from bench.evaluation.user_generator import draw_samples, load_generator

MINE = """
import numpy, torch
def digits(count, seed):
    return numpy.random.default_rng(seed).integers(0, 256, (count, 1, 8, 8), numpy.uint8)
def points(count, seed):
    return torch.randn(count, 2, requires_grad=True) * 1.5
def broken(count, seed):
    raise KeyError("weights")
number = 3
"""
REFERENCE = "dataset=digits"
FEW = ("score.n_real=60", "score.n_fake=60")


@pytest.fixture
def mine(tmp_path, monkeypatch):
    (tmp_path / "own_gan.py").write_text(MINE)
    monkeypatch.delitem(sys.modules, "own_gan", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)  # features of real samples are cached in `runs`
    return tmp_path


def test_a_function_scores_as_its_images_do(mine):
    images = np.random.default_rng(0).integers(0, 256, (60, 1, 8, 8), np.uint8)
    np.savez(mine / "a.npz", images)
    name = "own_gan:digits"
    how = {"baselines": False}
    drawn = score_images(mine / name, REFERENCE, FEW, None, generator=name, **how)
    stored = score_images(mine / "a.npz", REFERENCE, FEW, None, **how)
    assert drawn.protocol == stored.protocol
    assert drawn.scores["frechet"] == pytest.approx(stored.scores["frechet"], rel=1e-9)


def test_points_are_seeded_and_scored(mine, run_command):
    points = draw_samples(load_generator("own_gan:points"), "", 1000, seed=1)
    again = draw_samples(load_generator("own_gan:points"), "", 1000, seed=1)
    assert points.dtype == np.float32 and points.shape == (1000, 2)
    np.testing.assert_array_equal(points, again)
    assert points.std() == pytest.approx(1.5, abs=5 * 1.5 / (2 * 2000) ** 0.5)
    line = "score --generator own_gan:points --reference dataset=ring --bare score.n_real=60"
    done = run_command(cli.main, *line.split(), "score.n_fake=60")
    assert done.returncode == 0 and "own_gan:points" in done.stdout


@pytest.mark.parametrize(
    ("drawn", "said"),
    [
        (torch.zeros(3, 1, 8, 8), r"an array of shape \[3, 1, 8, 8\]"),
        (torch.zeros(4, 2, 8, 8), r"an array of shape \[4, 2, 8, 8\]"),
        (torch.zeros(4, 8, 8), r"an array of shape"),
        (np.full((4, 1, 2, 2), -0.5), "numbers from -0.5 to -0.5"),
        (np.full((4, 2), np.nan), "NaN or infinity"),
        (np.zeros((4, 2), int), "numbers of type int64"),
        (None, "an array of shape"),
    ],
)
def test_what_is_no_samples_is_refused(drawn, said):
    with pytest.raises(UserError, match=rf"f\(4, 0\) returned {said}") as error:
        draw_samples(lambda count, seed: drawn, "f", 4, 0)
    assert "points [count, D]" in error.value.fix


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("own_gan", "no function's name"),
        ("no_such_module:f", "No module named 'no_such_module'"),
        ("own_gan:f", "has no attribute 'f'"),
        ("own_gan:number", "is no function"),
    ],
)
def test_what_is_no_function_is_refused(mine, name, said):
    with pytest.raises(UserError, match=said) as error:
        load_generator(name)
    assert "PYTHONPATH" in error.value.fix


def test_a_function_that_fails_is_named_with_its_line(mine, run_command):
    line = f"score --generator own_gan:broken --reference {REFERENCE}"
    done = run_command(cli.main, *line.split(), *FEW)
    assert done.returncode == 2 and "own_gan:broken failed: KeyError: 'weights'" in done.stderr
    assert f"see {mine / 'own_gan.py'}, line 8" in done.stderr
    done = run_command(cli.main, *line.split())
    assert done.returncode == 2 and "set score.n_fake=10000" in done.stderr
    done = run_command(cli.main, *line.split(), "--convert=grey")
    assert done.returncode == 2 and "--convert goes with --images alone" in done.stderr
