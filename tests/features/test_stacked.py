"""A classifier of digits on each channel: features side by side, probabilities multiplied."""

import itertools
import shutil

import numpy as np
import pytest
import torch

from bench.core.errors import UserError
from bench.data.digits import Digits
from bench.features.convnet import SHIPPED, TrainedConvnet
from bench.features.stacked import StackedConvnet


@pytest.fixture(scope="module")
def extractor():
    return StackedConvnet("stacked_digits_convnet", "digits_convnet", 3, None)


@pytest.fixture(scope="module")
def single():
    return TrainedConvnet("digits_convnet", None)


def test_features_are_the_channels_side_by_side(extractor, single):
    images = torch.rand(5, 3, 8, 8)
    features, _ = extractor(images)
    assert features.shape == (5, 192) and extractor.width == 192
    for channel in range(3):
        alone = single(images[:, channel : channel + 1])[0]
        torch.testing.assert_close(
            features[:, 64 * channel : 64 * (channel + 1)], alone, rtol=1e-5, atol=1e-5
        )


def test_probabilities_are_products(extractor, single):
    """p(100 a + 10 b + c) = p(a) p(b) p(c), and they sum to 1."""
    images = torch.rand(4, 3, 8, 8)
    joint = extractor(images)[1].double().softmax(1)
    assert joint.shape == (4, 1000)
    # no second normalisation: the logits are log probabilities already
    torch.testing.assert_close(extractor(images)[1].exp().sum(1), torch.ones(4))
    red, green, blue = (
        single(images[:, channel : channel + 1])[1].double().softmax(1) for channel in range(3)
    )
    for a, b, c in itertools.product(range(10), repeat=3):
        torch.testing.assert_close(  # log probabilities in float32: three sums of some 40 * 6e-8
            joint[:, 100 * a + 10 * b + c],
            red[:, a] * green[:, b] * blue[:, c],
            rtol=1e-5,
            atol=0,
        )


def test_names_the_digits_in_the_order_of_the_channels(extractor):
    counts = {"train": 1000, "validation": 297, "test": 500}
    digits = Digits("digits", None, [1, 8, 8], counts, 0).splits()["test"]
    rows = np.random.default_rng(0).integers(500, size=(300, 3))
    images = torch.from_numpy(digits.samples[rows, 0]) / 255
    labels = digits.labels[rows] @ [100, 10, 1]
    right = extractor(images)[1].argmax(1).numpy() == labels
    assert right.mean() > 0.98**3 - 0.05  # of single digits 98.2 % are right


def test_has_the_attributes_of_an_extractor(extractor, single, extractor_of):
    assert extractor.name == "stacked_digits_convnet" and extractor.resize == "none"
    assert extractor.weight_hash == single.weight_hash
    assert not extractor.training and not any(p.requires_grad for p in extractor.parameters())
    built = extractor_of("stacked_digits_convnet")
    assert (built.name, built.width, built.weight_hash) == (extractor.name, 192, single.weight_hash)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 28), (2,)])
def test_other_images_are_refused_in_a_sentence(extractor, shape):
    with pytest.raises(UserError, match=r"takes samples of shape \[3, 8, 8\]"):
        extractor(torch.zeros(2, *shape))


def test_weights_of_a_folder_are_used_and_a_missing_one_is_named(tmp_path):
    with pytest.raises(UserError, match="no file"):
        StackedConvnet("stacked_digits_convnet", "digits_convnet", 3, tmp_path)
    for path in SHIPPED.glob("digits_convnet.*"):
        shutil.copy(path, tmp_path)
    StackedConvnet("stacked_digits_convnet", "digits_convnet", 3, tmp_path)


def test_a_classifier_of_colour_images_is_refused():
    with pytest.raises(UserError, match="images of 3 channels"):
        StackedConvnet("x", "cifar10_convnet", 3, None)
