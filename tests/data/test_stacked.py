from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

import bench.data.digits
import bench.data.stacked
from bench.config.build import instantiate
from bench.core.errors import UserError
from bench.core.seeds import numpy_generator
from bench.data.digits import Digits
from bench.data.split import Split
from bench.data.stacked import Stacked

CONFIG = Path(__file__).parents[2] / "conf" / "dataset" / "stacked_digits.yaml"
COUNTS = {"train": 25600, "validation": 5000, "test": 10000}


def digits():
    return Digits("digits", None, [1, 8, 8], {"train": 1000, "validation": 297, "test": 500}, 0)


def source(*, counts=COUNTS, seed=0, shape=(3, 8, 8), single=None):
    return Stacked("stacked_digits", list(shape), single or digits(), counts, seed)


@pytest.fixture(scope="module")
def splits():
    return source().splits()


def places(images, singles):
    """Return the index of each image [N, 64] among the singles, which are all different."""
    known = {image.tobytes(): place for place, image in enumerate(singles)}
    assert len(known) == len(singles)
    return np.array([known[image.tobytes()] for image in images])


def test_each_channel_is_a_digit_of_the_same_split_and_the_label_names_the_three(splits):
    singles = digits().splits()
    for split, content in splits.items():
        assert content.samples.shape == (COUNTS[split], 3, 8, 8)
        rows = places(content.samples.reshape(-1, 64), singles[split].samples)
        hundreds, tens, ones = singles[split].labels[rows.reshape(-1, 3)].T
        np.testing.assert_array_equal(content.labels, 100 * hundreds + 10 * tens + ones)


def test_no_digit_is_in_two_splits(splits):
    seen = [
        {digit.tobytes() for digit in content.samples.reshape(-1, 64)}
        for content in splits.values()
    ]
    assert len(set.union(*seen)) == sum(len(digits) for digits in seen)


def test_all_thousand_classes_are_there_to_train_on(splits):
    assert set(splits["train"].labels) == set(range(1000))


def test_every_digit_is_drawn_equally_often(splits):
    """Binomial: 25,600 draws a channel of 1,000 digits, 25.6 each; five deviations of the sum."""
    rows = places(splits["train"].samples.reshape(-1, 64), digits().splits()["train"].samples)
    drawn = np.bincount(rows, minlength=1000)
    statistic = (np.square(drawn - 76.8) / 76.8).sum()  # chi-squared of 999 degrees
    assert drawn.min() > 0 and abs(statistic - 999) < 5 * (2 * 999) ** 0.5


@pytest.mark.parametrize("pair", [(0, 1), (0, 2), (1, 2)])
def test_channels_are_independent(splits, pair):
    """Chi-squared of the table of two digits, 81 degrees of freedom."""
    named = splits["train"].labels[:, None] // [100, 10, 1] % 10
    table = np.zeros((10, 10))
    np.add.at(table, tuple(named[:, list(pair)].T), 1)
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    statistic = (np.square(table - expected) / expected).sum()
    assert abs(statistic - 81) < 5 * (2 * 81) ** 0.5


def test_draws_are_the_seeds_and_no_two_splits_share_them():
    counts = {"train": 300, "test": 300}
    first, again, other = (source(counts=counts, seed=seed).splits() for seed in (0, 0, 1))
    np.testing.assert_array_equal(first["train"].samples, again["train"].samples)
    assert (first["train"].labels != other["train"].labels).mean() > 0.9
    one = Split(np.arange(200, dtype=np.uint8).reshape(200, 1, 1, 1), np.arange(200) % 10)
    same = source(counts=counts, shape=(3, 1, 1), single=Fixed({"train": one, "test": one}))
    drawn = same.splits()
    assert (drawn["train"].samples != drawn["test"].samples).mean() > 0.9


def test_draws_are_not_those_of_the_order_of_the_digits(monkeypatch):
    """Both have seed 0: a shared stream would tie what is stacked to what is in the split."""
    streams = []
    for module in (bench.data.digits, bench.data.stacked):
        monkeypatch.setattr(
            module, "numpy_generator", lambda *key: streams.append(key) or numpy_generator(*key)
        )
    source().splits()
    assert len(streams) == len(set(streams)) == 4


class Fixed:
    """Given splits."""

    def __init__(self, splits):
        self.given, self.prepared = splits, 0

    def splits(self):
        return self.given

    def prepare(self):
        self.prepared += 1


def test_prepares_what_it_stacks():
    single = Fixed({})
    source(single=single).prepare()
    assert single.prepared == 1


def test_what_cannot_be_stacked_is_one_sentence():
    grey, labels = np.zeros((4, 1, 8, 8), np.uint8), np.arange(4)
    for samples, given, word in (
        (grey, None, "labels 0 to 9"),
        (grey, labels + 7, "labels 0 to 9"),
        (np.zeros((4, 3, 8, 8), np.uint8), labels, r"has shape \[3, 8, 8\]"),
    ):
        content = Split(samples, given)
        with pytest.raises(UserError, match=word):
            source(single=Fixed({"train": content, "test": content})).splits()
    with pytest.raises(UserError, match=r"no split 'validation' to stack \(there: train, test\)"):
        source(single=Fixed({"train": Split(grey, labels), "test": Split(grey, labels)})).splits()
    with pytest.raises(UserError, match="dataset.shape"):
        source(shape=(3, 28, 28)).splits()


def test_config_stacks_the_digits_as_dataset_digits_splits_them():
    dataset = OmegaConf.create({"dataset": OmegaConf.load(CONFIG)}).dataset
    single = OmegaConf.load(CONFIG.with_name("digits.yaml")).source
    for key in ("_target_", "counts", "seed"):
        assert dataset.source.single[key] == single[key]
    built = instantiate(dataset.source)
    np.testing.assert_array_equal(built.splits()["test"].samples, source().splits()["test"].samples)


def test_the_thousand_classes_are_taken_as_equally_frequent_and_nearly_are(splits):
    probabilities = source().class_probabilities
    assert probabilities.shape == (1000,) and probabilities.sum() == pytest.approx(1)
    shares = np.bincount(splits["train"].labels, minlength=1000) / 25600
    # Multinomial: each share has a standard deviation of about sqrt(p / n) = 2e-4.
    assert np.abs(shares - probabilities).max() < 6 * 2e-4
