import numpy as np
import pytest
from sklearn.datasets import load_digits

from bench.core.errors import UserError
from bench.data.digits import Digits

COUNTS = {"train": 1000, "validation": 297, "test": 500}


def source(*, counts=COUNTS, seed=0, shape=(1, 8, 8)):
    return Digits(name="digits", root=None, shape=list(shape), counts=counts, seed=seed)


def test_every_digit_is_dealt_once():
    splits = source().splits()
    assert {split: len(content.samples) for split, content in splits.items()} == COUNTS
    samples = np.concatenate([content.samples for content in splits.values()])
    labels = np.concatenate([content.labels for content in splits.values()])
    content = load_digits()
    dealt = sorted(zip(samples.reshape(1797, 64).tolist(), labels.tolist(), strict=True))
    levels = np.rint(content.data * 255 / 16).astype(int)
    assert dealt == sorted(zip(levels.tolist(), content.target.tolist(), strict=True))


def test_grey_levels_are_the_seventeen_from_black_to_white():
    samples = source().splits()["train"].samples
    assert samples.dtype == np.uint8
    # k * 255 / 16, rounded to the nearest: 15.9375 k
    assert np.unique(samples).tolist() == [
        *(0, 16, 32, 48, 64, 80, 96, 112, 128, 143, 159, 175, 191, 207, 223, 239, 255)
    ]


def test_the_order_is_the_seeds_and_mixes_the_classes():
    first, again, other = (source(seed=seed).splits()["test"].labels for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).sum() > 250
    counts = np.bincount(first, minlength=10)  # about 50 each, hypergeometric: deviation 5.7
    assert counts.min() > 50 - 5 * 5.7 and counts.max() < 50 + 5 * 5.7


def test_fewer_may_be_asked_for_and_more_may_not():
    splits = source(counts={"train": 10, "test": 5}).splits()
    assert [len(content.labels) for content in splits.values()] == [10, 5]
    with pytest.raises(UserError, match="1798 images asked for, 1797 exist"):
        source(counts={"train": 1797, "test": 1}).splits()


def test_another_shape_is_one_sentence():
    with pytest.raises(UserError, match="dataset.shape"):
        source(shape=(1, 28, 28)).splits()
