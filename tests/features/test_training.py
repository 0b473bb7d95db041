import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from bench.features.convnet import TrainedConvnet
from bench.features.fitting import FitSettings, accuracy, augment
from bench.features.training import train


def split(seed, n=96, labels=(3, 5)):
    """Images whose bright half, left or right, is their class."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, len(labels), n)
    samples = rng.integers(0, 100, (n, 1, 8, 8), dtype=np.uint8)
    for image, c in zip(samples, classes, strict=True):
        image[:, :, 4 * c : 4 * c + 4] += 150
    return SimpleNamespace(samples=samples, labels=np.array(labels)[classes])


def settings(**changes):
    values = {"epochs": 6, "batch_size": 16, "learning_rate": 1e-2, "weight_decay": 0.01}
    return FitSettings(**{**values, "flip": False, "shift": 1, "seed": 0, **changes})


def trained(folder, **changes):
    return train(
        name="tiny",
        folder=folder,
        stages=[[4], [8]],
        width=6,
        settings=settings(**changes),
        splits={"train": split(0), "test": split(1, n=64)},
        dataset="halves",
        data_digest="abc",
        command="bench features tiny",
        log=lambda line: None,
    )


def test_learns_and_says_so_truly(tmp_path):
    card = trained(tmp_path)
    assert card == json.loads((tmp_path / "tiny.json").read_text())
    assert card["test_accuracy"] == 1 and card["labels"] == [3, 5] and card["n_test"] == 64
    assert card["architecture"]["classes"] == 2 and card["command"] == "bench features tiny"
    extractor, test = TrainedConvnet("tiny", tmp_path), split(1, n=64)
    classes = torch.from_numpy(np.searchsorted([3, 5], test.labels))
    assert accuracy(extractor, torch.from_numpy(test.samples), classes) == 1
    assert card["parameters"] == sum(p.numel() for p in extractor.parameters())


def test_repeats_bit_for_bit_and_draws_from_its_own_seed_only(tmp_path):
    state = torch.get_rng_state()
    first = trained(tmp_path / "first")
    torch.rand(3)
    second = trained(tmp_path / "second")
    third = trained(tmp_path / "third", seed=1)
    assert first["sha256"] == second["sha256"] != third["sha256"]
    torch.set_rng_state(state)
    trained(tmp_path / "fourth", epochs=1)
    assert torch.equal(torch.get_rng_state(), state)


def test_seed_decides_the_first_weights(tmp_path):
    """At a rate of nearly 0 they stay uniform within 1/sqrt(6): 0.27 apart on average."""
    for seed in (0, 1):
        trained(tmp_path / str(seed), seed=seed, learning_rate=1e-12, epochs=1)
    first, second = (TrainedConvnet("tiny", tmp_path / str(seed)).net.head[1] for seed in (0, 1))
    assert (first.weight - second.weight).abs().mean() > 0.1


def test_reports_each_epoch(tmp_path):
    lines = []
    train(
        name="tiny",
        folder=tmp_path,
        stages=[[4]],
        width=4,
        settings=settings(epochs=2),
        splits={"train": split(0), "test": split(1)},
        dataset="halves",
        data_digest="",
        command="",
        log=lines.append,
    )
    assert [line.partition(":")[0] for line in lines] == ["epoch 1/2", "epoch 2/2", "tiny"]


@pytest.mark.parametrize(
    ("test", "sentence"),
    [
        (SimpleNamespace(samples=split(1).samples, labels=None), "'test' has no labels"),
        (split(1, labels=(3, 4)), r"labels other than \[3, 5\]"),
    ],
)
def test_refuses_a_split_that_it_cannot_learn_from(tmp_path, test, sentence):
    with pytest.raises(ValueError, match=sentence):
        train(
            name="tiny",
            folder=tmp_path,
            stages=[[4]],
            width=4,
            settings=settings(),
            splits={"train": split(0), "test": test},
            dataset="",
            data_digest="",
            command="",
            log=print,
        )
    assert not any(tmp_path.iterdir())


def numbered(count=200):
    return torch.arange(3 * 5).reshape(1, 1, 3, 5).to(torch.uint8).repeat(count, 2, 1, 1)


def draws():
    return torch.Generator().manual_seed(0)


def test_flip_mirrors_about_half_of_the_images_and_nothing_else():
    images = numbered()
    flipped = augment(images, True, 0, draws())
    mirrored = (flipped == images.flip(3)).flatten(1).all(1)
    assert ((flipped == images).flatten(1).all(1) ^ mirrored).all()
    assert 70 <= mirrored.sum() <= 130  # 4 standard deviations


def test_shift_moves_by_every_offset_and_repeats_the_edge():
    images = numbered()
    moved = augment(images, False, 1, draws())
    rows, columns = np.arange(3), np.arange(5)
    expected = {
        tuple(
            (5 * (rows + down).clip(0, 2)[:, None] + (columns + right).clip(0, 4))
            .flatten()
            .tolist()
        )
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
    }
    assert moved.dtype == torch.uint8 and torch.equal(moved[:, 0], moved[:, 1])
    assert {tuple(image.flatten().tolist()) for image in moved[:, 0]} == expected
    assert torch.equal(augment(images, False, 0, draws()), images)
