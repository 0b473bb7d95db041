import hashlib

import numpy as np

from bench.data.digest import content_digest
from bench.data.split import Split


def test_the_digest_is_that_of_a_header_and_the_bytes():
    samples = np.array([[[[1, 2]]]], np.uint8)
    expected = b"test.samples uint8 [1, 1, 1, 2]\n\1\2test.labels int64 [1]\n\7" + b"\0" * 7
    splits = {"test": Split(samples, np.array([7]))}
    assert content_digest(splits) == hashlib.sha256(expected).hexdigest()


def test_order_and_memory_layout_do_not_matter(images):
    samples = np.asfortranarray(images["train"].samples)
    other = {"test": images["test"], "train": Split(samples, images["train"].labels)}
    assert not samples.flags.c_contiguous
    assert content_digest(other) == content_digest(images)


def test_everything_else_does(images):
    train, test = images["train"], images["test"]
    samples, labels = train.samples.copy(), train.labels.copy()
    samples[0, 0, 0, 0] ^= 1
    labels[0] += 1
    versions = [
        images,
        {"train": train},
        {"train": test, "test": train},
        {"train": Split(samples, train.labels), "test": test},
        {"train": Split(train.samples, labels), "test": test},
        {"train": Split(train.samples, None), "test": test},
        {"train": Split(train.samples.reshape(3, 1, 4, 3), train.labels), "test": test},
        {"train": Split(train.samples[:2], train.labels[:2]), "test": test},
    ]
    assert len({content_digest(version) for version in versions}) == len(versions)
