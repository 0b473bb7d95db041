"""One pass, every measure, and the protocol beside it."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from bench.data.points import Modes as Centres
from bench.scoring import measures, toys
from bench.scoring.features import (
    Features,
    Reference,
    batches_of,
    extract,
    in_canonical_order,
    quantised,
)
from bench.scoring.score import Settings, protocol_of, score_features

CPU = torch.device("cpu")
ALL = {
    "frechet": measures.Frechet(),
    "inception_score": measures.InceptionScore(splits=None),
    "prdc": measures.Neighbours(k=3, strict=False, n_most=None, max_bytes=2**20),
    "modes": toys.Modes(min_samples=1),
}


class Counting(nn.Module):
    """Mean and maximum of each image; counts its calls."""

    name, weight_hash, resize, width = "counting", "", "none", 2

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, images):
        self.calls += 1
        flat = images.flatten(1)
        return torch.stack([flat.mean(1), flat.amax(1)], 1), None


def settings(**changes) -> Settings:
    given = dict(
        name="t",
        split="test",
        n_real=None,
        n_fake=8,
        quantise=True,
        latent_seed=0,
        noise_seeds=0,
        batch_size=4,
        metrics=ALL,
        select_split="validation",
        select_on_reported=False,
        every=None,
        keep_last=0,
    )
    return Settings(**{**given, **changes})


def test_rounding_is_that_of_an_image_file():
    assert quantised(torch.tensor([0.0, 0.5, 1.0, 0.2])).tolist() == pytest.approx(
        [0, 128 / 255, 1, 51 / 255],
        abs=1e-7,  # 127.5 rounds to even
    )


def test_features_are_computed_once_whatever_the_number_of_measures():
    extractor = Counting()
    samples = np.random.default_rng(0).integers(0, 256, (10, 1, 4, 4), dtype=np.uint8)
    seen = extract(extractor, batches_of(samples, 4), quantise=False, device=CPU)
    assert extractor.calls == 3
    assert seen.features[:, 0] == pytest.approx(samples.mean((1, 2, 3)) / 255, abs=1e-6)
    scores = score_features(seen, Reference(seen), settings())
    assert extractor.calls == 3
    assert scores["frechet"] == pytest.approx(0, abs=1e-12)
    assert scores["precision"] == scores["recall"] == scores["coverage"] == 1.0
    assert "inception_score" not in scores and "modes_covered" not in scores


def test_batch_size_does_not_matter():
    samples = np.random.default_rng(0).integers(0, 256, (11, 1, 4, 4), dtype=np.uint8)
    sizes = [
        extract(Counting(), batches_of(samples, n), quantise=True, device=CPU) for n in (3, 11)
    ]
    assert np.allclose(sizes[0].features, sizes[1].features, atol=1e-7)


def test_the_order_of_the_samples_does_not_matter():
    rng = np.random.default_rng(0)
    real = in_canonical_order(Features(rng.normal(size=(40, 3)).astype(np.float32), None))
    fake = rng.normal(size=(50, 3)).astype(np.float32)
    logits = rng.normal(size=(50, 4)).astype(np.float32)
    mixed = rng.permutation(50)
    scores = [
        score_features(Features(fake[o], logits[o]), Reference(real), settings())
        for o in (np.arange(50), mixed)
    ]
    assert scores[0] == scores[1]
    ordered = in_canonical_order(Features(fake[mixed], logits[mixed]))
    assert (fake[mixed][ordered.order] == ordered.features).all()


def test_the_first_samples_in_canonical_order_are_a_random_part():
    """Sorted along a direction alone, the first half would lie on one side."""
    points = np.linspace(-1, 1, 1000, dtype=np.float32)[:, None]
    first = in_canonical_order(Features(points, None)).features[:500]
    assert abs(first.mean()) < 0.06  # 2.3 standard errors of 500 of these; fixed draws
    assert (first > 0).mean() == pytest.approx(0.5, abs=0.05)


def test_a_few_images_are_kept_the_same_ones_in_any_order_and_batches():
    samples = np.random.default_rng(0).integers(0, 256, (10, 1, 4, 4), dtype=np.uint8)
    kept = [
        extract(Counting(), batches_of(given, n), quantise=True, device=CPU, keep=5).images
        for given, n in ((samples, 3), (samples[::-1], 10))
    ]
    assert (kept[0] == kept[1]).all() and len(kept[0]) == 5
    known = {image.tobytes() for image in samples}
    rounded = np.rint(kept[0] * 255).astype(np.uint8)
    assert len({image.tobytes() for image in rounded} & known) == 5
    assert extract(Counting(), batches_of(samples, 3), quantise=True, device=CPU).images is None


def test_points_are_not_rounded():
    points = torch.tensor([[0.1234567, -3.0]])
    seen = extract(_Identity(), [points], quantise=True, device=CPU)
    assert seen.features.tolist() == points.tolist()


def test_a_sample_that_is_not_finite_has_no_features():
    with pytest.raises(FloatingPointError):
        extract(_Identity(), [torch.tensor([[float("nan"), 0.0]])], quantise=True, device=CPU)


def test_modes_count_on_points():
    centres = Centres(np.array([[0.0, 0.0], [4.0, 0.0]]), 0.5)
    fake = Features(np.array([[0.1, 0.0], [0.0, 0.2], [9.0, 9.0], [4.0, 3.0]]), None)
    found = ALL["modes"](Reference(fake, source=SimpleNamespace(modes=centres)), fake)
    assert found == {"modes_covered": 1.0, "high_quality": 0.5}


def test_neighbours_take_equal_numbers():
    rng = np.random.default_rng(0)
    real, fake = (Features(rng.normal(size=(n, 2)), None) for n in (20, 90))
    same = Features(fake.features[:20], None)
    both = [ALL["prdc"](Reference(real), f) for f in (fake, same)]
    assert both[0] == both[1]


def test_the_protocol_names_everything_that_was_asked():
    reference = Reference(Features(np.zeros((5, 2)), None))
    own = {"prior": "uniform", "batch_norm": "b", "ema": None}
    protocol = protocol_of(settings(), reference, Counting(), own)
    assert protocol["measures"]["prdc"] == {"k": 3, "strict": False, "n_most": None}
    assert protocol["n_real"] == 5 and protocol["n_fake"] == 8 and protocol["quantised"]
    assert protocol["extractor"] == "counting" and protocol["split"] == "test"
    assert set(protocol["metrics"]) == {"frechet", "precision", "recall", "density", "coverage"}
    assert protocol["metrics"]["frechet"] == "lower" and protocol["metrics"]["recall"] == "higher"


@pytest.mark.parametrize(
    "bad",
    [{"n_fake": 1}, {"n_real": 0}, {"batch_size": -1}, {"every": 0}, {"keep_last": True}],
)
def test_counts_that_are_too_small_are_refused(bad):
    with pytest.raises(ValueError, match=f"score.{next(iter(bad))}"):
        settings(**bad)


class _Identity(nn.Module):
    def forward(self, x):
        return x, None
