import numpy as np
import pytest

from bench.core.errors import UserError
from bench.data.split import Split, check_shape, validate_counts

IMAGES = np.zeros((3, 1, 2, 2), np.uint8)


@pytest.mark.parametrize(
    ("samples", "labels"),
    [
        (IMAGES.astype(np.float32), None),
        (IMAGES[0], None),
        (np.zeros((3, 2)), None),
        (IMAGES, np.zeros(2, np.int64)),
        (IMAGES, np.zeros((3, 1), np.int64)),
        (IMAGES, np.zeros(3, np.int32)),
    ],
)
def test_other_arrays_are_refused(samples, labels):
    with pytest.raises(ValueError, match="Split"):
        Split(samples, labels)


def test_images_and_points_are_taken():
    assert Split(IMAGES, np.zeros(3, np.int64)).samples is IMAGES
    assert Split(np.zeros((4, 2), np.float32), None).labels is None


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ({"train": 3}, "splits are train"),
        ({}, "splits are none"),
        ({"train": 3, "test": 1, "dev": 1}, "dev"),
        ({"train": 0, "test": 1}, "train has 0 samples"),
        ({"train": 3, "test": -1}, "test has -1 samples"),
        ({"train": 3, "test": 1.5}, "test has 1.5 samples"),
    ],
)
def test_bad_counts_are_one_sentence(counts, found):
    with pytest.raises(UserError, match=found):
        validate_counts("digits", counts)


def test_another_shape_says_how_to_mend_it():
    splits = {"train": Split(IMAGES, None)}
    check_shape("mnist", splits, (1, 2, 2))
    with pytest.raises(UserError, match=r"\[1, 2, 2\], the config says \[3, 2, 2\]") as error:
        check_shape("mnist", splits, (3, 2, 2))
    assert error.value.fix == "set dataset.shape=[1,2,2]"
