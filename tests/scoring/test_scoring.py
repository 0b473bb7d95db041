"""One pass over the samples, every metric, and the protocol of the scores."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from bench.data.points import Modes as Centres
from bench.scoring.classes import InceptionScore
from bench.scoring.coverage import Neighbours, PrecisionRecallCurve
from bench.scoring.distances import Frechet, FrechetInfinity, Kernel
from bench.scoring.features import (
    Features,
    Reference,
    extract,
    iter_batches,
    quantise_images,
    shuffle_features,
    sort_canonically,
)
from bench.scoring.point_metrics import Mmd, Modes, Transport
from bench.scoring.score import (
    ScoreSettings,
    check_counts,
    describe_measures,
    describe_protocol,
    requests,
    score_features,
)

CPU = torch.device("cpu")
ALL = {
    "frechet": Frechet(),
    "inception_score": InceptionScore(splits=None),
    "prdc": Neighbours(k=3, strict=False, n_most=None, max_bytes=2**20),
    "modes": Modes(min_samples=1),
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


def settings(**changes) -> ScoreSettings:
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
    return ScoreSettings(**{**given, **changes})


def test_rounding_is_that_of_an_image_file():
    assert quantise_images(torch.tensor([0.0, 0.5, 1.0, 0.2])).tolist() == pytest.approx(
        [0, 128 / 255, 1, 51 / 255],
        abs=1e-7,  # 127.5 rounds to even
    )


def test_features_are_computed_once_whatever_the_number_of_measures():
    extractor = Counting()
    samples = np.random.default_rng(0).integers(0, 256, (10, 1, 4, 4), dtype=np.uint8)
    seen = extract(extractor, iter_batches(samples, 4), quantise=False, device=CPU)
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
        extract(Counting(), iter_batches(samples, n), quantise=True, device=CPU) for n in (3, 11)
    ]
    assert np.allclose(sizes[0].features, sizes[1].features, atol=1e-7)


def test_the_order_is_mixed_by_the_number_of_samples_alone():
    rng = np.random.default_rng(0)
    features, logits = (rng.normal(size=(50, n)).astype(np.float32) for n in (3, 4))
    mixed = shuffle_features(Features(features, logits))
    assert (mixed.features == features[mixed.order]).all()
    assert (mixed.logits == logits[mixed.order]).all()
    again = shuffle_features(Features(features + 1e-7, logits))
    assert (again.order == mixed.order).all() and sorted(mixed.order) == list(range(50))


def test_the_first_mixed_samples_are_a_random_part():
    points = np.linspace(-1, 1, 1000, dtype=np.float32)[:, None]
    for seen in (
        shuffle_features(Features(points, None)),
        sort_canonically(Features(points, None)),
    ):
        first = seen.features[:500]
        assert abs(first.mean()) < 0.06  # 2.3 standard errors of 500 of these; fixed draws
        assert (first > 0).mean() == pytest.approx(0.5, abs=0.05)


def test_the_canonical_order_forgets_the_order_of_arrival():
    rng = np.random.default_rng(0)
    features, logits = (rng.normal(size=(50, n)).astype(np.float32) for n in (3, 4))
    mixed = rng.permutation(50)
    first = sort_canonically(Features(features, logits))
    second = sort_canonically(Features(features[mixed], logits[mixed]))
    assert (first.features == second.features).all() and (first.logits == second.logits).all()
    assert (features[mixed][second.order] == second.features).all()


def test_the_first_images_are_kept_whatever_the_batches():
    samples = np.random.default_rng(0).integers(0, 256, (10, 1, 4, 4), dtype=np.uint8)
    for size in (3, 10):
        seen = extract(
            Counting(), iter_batches(samples, size), quantise=True, device=CPU, n_images=5
        )
        assert np.allclose(seen.images * 255, samples[:5], atol=1e-4)


def test_nothing_is_judged_with_tf32():
    seen = []

    class Asking(Counting):
        def forward(self, images):
            seen.append(torch.backends.cuda.matmul.allow_tf32)
            return super().forward(images)

    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = True
    try:
        extract(Asking(), [torch.zeros(2, 1, 4, 4)], quantise=True, device=CPU)
        assert seen == [False] and torch.backends.cuda.matmul.allow_tf32
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


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


def test_a_row_names_everything_that_was_asked():
    reference = Reference(Features(np.zeros((5, 2)), None))
    own = {"prior": "uniform", "batch_norm": "b", "ema": None}
    protocol = describe_protocol(settings(), reference, Counting(), "d1", own)
    assert protocol["data"] == "d1"
    assert protocol["n_real"] == 5 and protocol["n_fake"] == 8 and protocol["quantised"]
    assert protocol["extractor"] == "counting" and protocol["split"] == "test"
    measures = describe_measures(settings(), reference, Counting())
    assert measures["prdc"]["arguments"] == {"k": 3, "strict": False, "n_most": None}
    assert measures["frechet"]["scores"] == {"frechet": "lower"}
    both_sided = ("precision", "recall", "density", "coverage")
    assert measures["prdc"]["scores"] == dict.fromkeys(both_sided, "higher")


@pytest.mark.parametrize(
    "bad",
    [{"n_fake": 1}, {"n_real": 0}, {"batch_size": -1}, {"every": 0}, {"keep_last": True}],
)
def test_counts_that_are_too_small_are_refused(bad):
    with pytest.raises(ValueError, match=f"score.{next(iter(bad))}"):
        settings(**bad)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        (Neighbours, dict(k=0, strict=True, n_most=None, max_bytes=1), "k must be 1"),
        (Neighbours, dict(k=5, strict=True, n_most=5, max_bytes=1), "n_most must be 6"),
        (FrechetInfinity, dict(points=1, smallest=0.1, seed=0), "two points"),
        (FrechetInfinity, dict(points=5, smallest=2.0, seed=0), "below 1"),
        (Transport, dict(n_most=0), "n_most must be 2"),
        (Mmd, dict(factors=[1.0], n_most=1), "n_most must be 2"),
    ],
)
def test_arguments_that_no_measure_works_with_are_refused_at_once(name, arguments, said):
    with pytest.raises(ValueError, match=said):
        name(**arguments)


def test_too_few_samples_for_a_measure_are_refused_before_anything_is_computed():
    clusters = PrecisionRecallCurve(
        clusters=20, n_init=1, batch_size=10, angles=11, clusterings=1, n_most=None
    )
    cases = [
        (ALL["prdc"], 4),
        (clusters, 20),
        (Kernel(block_size=10), 4),
        (Kernel(block_size=None), 2),
        (FrechetInfinity(points=3, smallest=0.1, seed=0), 20),
        (InceptionScore(splits=7), 7),
    ]
    for measure, least in cases:
        few = settings(metrics={"it": measure})
        check_counts(few, least, least)
        for n_real, n_fake in ((least - 1, 100), (100, least - 1)):
            with pytest.raises(ValueError, match=f"it takes {least} samples"):
                check_counts(few, n_real, n_fake)


CHANGES = [{"n_fake": 9}, {"latent_seed": 1}, {"quantise": False}]


def test_a_request_changes_with_what_a_number_depends_on_and_with_nothing_else():
    asked = requests(settings(), Counting())
    assert requests(settings(batch_size=7, every=5, keep_last=2), Counting()) == asked
    memory = {**ALL, "prdc": Neighbours(k=3, strict=False, n_most=None, max_bytes=7)}
    assert requests(settings(metrics=memory), Counting()) == asked
    assert requests(settings(metrics={"prdc": ALL["prdc"]}), Counting()) == {"prdc": asked["prdc"]}
    strict = {**ALL, "prdc": Neighbours(k=3, strict=True, n_most=None, max_bytes=2**20)}
    found = requests(settings(metrics=strict), Counting())
    assert {name for name in asked if found[name] != asked[name]} == {"prdc"}
    other = Counting()
    other.weight_hash = "x"
    changed = [requests(settings(**c), Counting())["prdc"] for c in CHANGES]
    changed += [requests(settings(), other)["prdc"], found["prdc"], asked["prdc"]]
    assert len(set(changed)) == len(CHANGES) + 3


class _Identity(nn.Module):
    def forward(self, x):
        return x, None


def test_an_edited_metric_outside_the_package_is_another_protocol(tmp_path, monkeypatch):
    """Scores of the old text are then no longer found under the new one."""
    monkeypatch.syspath_prepend(str(tmp_path))
    file = tmp_path / "own_metric_of_a_user.py"
    text = "from bench.scoring.metric_spec import MetricSpec\n\nclass Own(MetricSpec):\n    pass\n"
    file.write_text(text)
    import own_metric_of_a_user

    own = settings(metrics={"own": own_metric_of_a_user.Own()})
    first = requests(own, Counting())
    file.write_text(text + "# another text\n")
    second = requests(own, Counting())
    file.write_text(text)
    assert first != second and requests(own, Counting()) == first
