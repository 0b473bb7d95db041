"""Which scores of classes and pixels exist for which data, and what they are."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from bench.data.densities import GaussianMixture, ring
from bench.data.points import Points
from bench.scoring.classes import ClassAccuracy, Classes, InceptionScore, Similarity
from bench.scoring.features import Features, Reference
from bench.scoring.metric_spec import MetricSpec


def seen(classes, count=4):
    """Samples that a classifier is certain of."""
    logits = 50 * np.eye(count, dtype=np.float32)[classes]
    return Features(np.zeros((len(classes), 2), np.float32), logits)


def test_shares_of_the_real_classes_are_counted():
    """q = (1, 0, 0, 0) from p = (1/2, 1/4, 1/8, 1/8): log 2."""
    real = Reference(seen([0, 0, 0, 0, 1, 1, 2, 3]))
    assert set(Classes().names(real)) == {"classes_covered", "class_reverse_kl"}
    found = Classes()(real, seen([0, 0, 0]))
    assert found["classes_covered"] == 1
    assert found["class_reverse_kl"] == pytest.approx(np.log(2), rel=1e-12)


def test_a_class_without_a_real_sample_leaves_no_divergence_unless_the_source_knows():
    few = seen([0, 0, 1, 2])
    assert set(Classes().names(Reference(few))) == {"classes_covered"}
    assert Classes()(Reference(few), seen([3, 1])) == {"classes_covered": 2.0}
    uniform = SimpleNamespace(class_probabilities=np.full(4, 0.25))
    found = Classes()(Reference(few, source=uniform), seen([3, 1]))
    assert found["class_reverse_kl"] == pytest.approx(np.log(4 / 2), rel=1e-12)


def test_nothing_of_classes_where_the_extractor_knows_none():
    points = Reference(Features(np.zeros((3, 2), np.float32), None))
    assert not Classes().applies(points) and not InceptionScore(splits=None).applies(points)


def test_splits_add_their_mean_and_its_spread():
    fake = seen([0, 1, 2, 3, 0, 0, 0, 0])
    real = Reference(fake)
    assert set(InceptionScore(splits=None)(real, fake)) == {"inception_score"}
    found = InceptionScore(splits=2)(real, fake)  # four classes, then one: 4 and 1
    assert found["inception_score_splits"] == pytest.approx(2.5, rel=1e-9)
    assert found["inception_score_splits.sd"] == pytest.approx(1.5, rel=1e-9)


@pytest.mark.parametrize(("side", "name"), [(8, "ssim"), (43, "ssim"), (44, "ms_ssim")])
def test_the_size_of_the_images_decides_on_the_scales(side, name):
    measure = Similarity(batch=2, batches=1)
    source = SimpleNamespace(shape=(1, side, side))
    real = Reference(Features(np.zeros((2, 2), np.float32), None), source=source)
    images = np.repeat(np.random.default_rng(0).random((1, 1, side, side)), 2, axis=0)
    fake = Features(np.zeros((2, 2), np.float32), None, images.astype(np.float32))
    assert measure.n_images == 2 and set(measure.names(real)) == {name}
    assert measure(real, fake) == {name: pytest.approx(1, abs=1e-6)}
    assert measure(real, Features(fake.features, None)) == {}
    assert not measure.applies(Reference(real.real, source=SimpleNamespace(shape=(2,))))


def test_a_measure_that_says_nothing_takes_two_samples_and_no_image():
    assert (MetricSpec().required_samples, MetricSpec().n_images) == (2, 0)


def test_similarity_sees_the_images_that_it_asked_for_whoever_asked_for_more():
    metric = Similarity(batch=4, batches=2)
    images = np.random.default_rng(0).random((20, 1, 8, 8), np.float32)
    features = np.zeros((20, 2), np.float32)
    real = Reference(Features(features, None, images))
    few, many = (metric(real, Features(features, None, images[:n])) for n in (8, 20))
    assert few == many and set(few) == {"ssim"}
    assert metric(real, Features(features, None, images[4:12])) != few


def labelled(predicted, labels, count=4):
    return replace(seen(predicted, count), labels=np.array(labels))


def test_class_accuracy_counts_the_samples_that_are_what_they_were_asked_to_be():
    """Of class 0 one of two, of class 1 three of three, of class 3 none of one: 4/6."""
    real = Reference(labelled([0, 1, 2, 3], [0, 1, 2, 3]))
    found = ClassAccuracy()(real, labelled([0, 2, 1, 1, 1, 0], [0, 0, 1, 1, 1, 3]))
    assert found == pytest.approx(
        {
            "class_accuracy": 4 / 6,
            **{"class_accuracy.class_0": 1 / 2, "class_accuracy.share_0": 2 / 6},
            **{"class_accuracy.class_1": 1.0, "class_accuracy.share_1": 3 / 6},
            **{"class_accuracy.class_3": 0.0, "class_accuracy.share_3": 1 / 6},
        }
    )


def test_a_classifier_of_other_classes_has_no_accuracy():
    """Right about half of the real samples or fewer: not these classes; nor without labels."""
    right, wrong = labelled([0, 1, 2], [0, 1, 0]), labelled([0, 1], [0, 0])
    assert ClassAccuracy().applies(Reference(right))
    assert not ClassAccuracy().applies(Reference(wrong))
    assert not ClassAccuracy().applies(Reference(seen([0, 1])))
    points = Features(np.zeros((3, 2), np.float32), None, labels=np.zeros(3, np.int64))
    assert not ClassAccuracy().applies(Reference(points))


def test_many_classes_have_no_details_of_each():
    labels = np.arange(101)
    real = Reference(labelled(labels, labels, count=101))
    assert ClassAccuracy()(real, real.real) == {"class_accuracy": 1.0}
    fewer = labelled(labels[:100], labels[:100], count=101)
    assert len(ClassAccuracy()(real, fewer)) == 201


def test_points_are_of_the_class_of_their_nearest_mode():
    """Label k of the ring is mode k; samples turned by one mode are all of the next class."""
    mixture = GaussianMixture(ring(8, 2.0), sigma=0.02, weights=None, quality_sigmas=3.0)
    source = Points("ring", [2], mixture, {"train": 200, "test": 100}, seed=0)
    split = source.splits()["test"]
    real = Reference(Features(split.samples, None, labels=split.labels), source=source)
    assert ClassAccuracy().applies(real)
    assert ClassAccuracy()(real, real.real)["class_accuracy"] == 1.0
    turned = replace(real.real, labels=(split.labels + 1) % 8)
    assert ClassAccuracy()(real, turned)["class_accuracy"] == 0.0
