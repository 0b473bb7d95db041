import hashlib
import io
import os
import pickle
import tarfile

import numpy as np
import pytest

from bench.core.errors import UserError
from bench.data.cifar import Cifar, parse_batch

SHAPE = (3, 2, 2)


def batch(start, count=4, **changes):
    """A pickle spelt as Python 2 and the numpy of its time spelt the official ones."""
    data = np.arange(start, start + 12 * count, dtype=np.uint8).reshape(count, 12)
    content = {b"data": data, b"labels": [(start + k) % 10 for k in range(count)]}
    content |= {key.encode(): value for key, value in changes.items()}
    pickled = pickle.dumps(content, protocol=3)
    return pickled.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


BATCHES = {"data_batch_1": batch(0), "data_batch_2": batch(50), "test_batch": batch(100)}


def md5(content):
    return f"md5:{hashlib.md5(content).hexdigest()}"


def archive_of(batches):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, data in batches.items():
            info = tarfile.TarInfo(f"folder/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return content.getvalue()


def source(root, archive, *, mirrors=()):
    train = {name: md5(BATCHES[name]) for name in ("data_batch_1", "data_batch_2")}
    return Cifar(
        name="cifar10",
        root=str(root),
        shape=list(SHAPE),
        classes=10,
        licence="free",
        origin="nowhere",
        mirrors=mirrors,
        archive="cifar.tar.gz",
        checksum=md5(archive),
        folder="folder",
        batches={"train": train, "test": {"test_batch": md5(BATCHES["test_batch"])}},
    )


def check(splits):
    train, test = splits["train"], splits["test"]
    assert train.samples.shape == (8, 3, 2, 2)
    # planes of rows: red first, each row by row
    np.testing.assert_array_equal(train.samples[0].ravel(), np.arange(12))
    np.testing.assert_array_equal(train.samples[4].ravel(), np.arange(50, 62))
    assert train.labels.tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    assert test.samples[0, 1, 0, 1] == 100 + 5
    assert test.labels.tolist() == [0, 1, 2, 3]


def test_the_archive_and_its_folder_are_read_alike(tmp_path):
    archive = archive_of(BATCHES)
    (tmp_path / "cifar.tar.gz").write_bytes(archive)
    check(source(tmp_path, archive).splits())
    assert os.listdir(tmp_path) == ["cifar.tar.gz"]
    (tmp_path / "cifar.tar.gz").unlink()
    (tmp_path / "folder").mkdir()
    for name, content in BATCHES.items():
        (tmp_path / "folder" / name).write_bytes(content)
    check(source(tmp_path, archive).splits())


def test_prepare_downloads_and_converts(tmp_path, site):
    archive = site.files["/cifar.tar.gz"] = archive_of(BATCHES)
    cifar = source(tmp_path, archive, mirrors=[site.address])
    cifar.prepare()
    assert sorted(os.listdir(tmp_path)) == ["cifar10", "cifar10.safetensors"]
    (tmp_path / "cifar10" / "cifar.tar.gz").unlink()
    check(cifar.splits())


def test_another_archive_is_refused(tmp_path):
    (tmp_path / "cifar.tar.gz").write_bytes(archive_of({"data_batch_1": batch(0)}))
    with pytest.raises(UserError, match=r"cifar.tar.gz is damaged or another file"):
        source(tmp_path, archive_of(BATCHES)).splits()


def test_an_archive_that_lacks_a_batch_is_refused(tmp_path):
    archive = archive_of({"data_batch_1": BATCHES["data_batch_1"]})
    (tmp_path / "cifar.tar.gz").write_bytes(archive)
    with pytest.raises(UserError, match="cannot read .*data_batch_2"):
        source(tmp_path, archive).splits()


def test_a_batch_as_python_2_wrote_it_is_read():
    """Protocol 2 with byte strings for text, which is how the official files were made."""
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\1b\x87R"
        b"(K\1K\2K\x0c\x86cnumpy\ndtype\nU\2u1K\0K\1\x87R"
        b"(K\3U\1|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89U\x18"
        + bytes(range(100, 124))
        + b"tb"
    )
    content = b"\x80\2}(U\4data" + array + b"U\6labels](K\7K\2eu."
    images, labels = parse_batch(content)
    np.testing.assert_array_equal(images.ravel(), np.arange(100, 124))
    assert images.shape == (2, 3, 2, 2)
    assert labels.tolist() == [7, 2]


class Harmful:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: {b"data": x}])
def test_a_pickle_that_would_run_code_runs_none(tmp_path, wrap):
    evil = pickle.dumps(wrap(Harmful(str(tmp_path / "evil"))), protocol=3)
    with pytest.raises(ValueError, match=r"asks for \w+\.mkdir"):
        parse_batch(evil)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"abc",
        batch(0)[:-20],
        pickle.dumps([1, 2]),
        pickle.dumps({b"labels": [1]}),
        batch(0, labels=[1, 2, 3]),
        batch(0, labels=[1, 2, 3, 10]),
        batch(0, labels=[1, 2, 3, -1]),
        batch(0, data=np.zeros((4, 12))),
        batch(0, data=np.zeros((4, 11), np.uint8)),
        batch(0, data=b"text"),
    ],
)
def test_damaged_batches_are_refused(content):
    with pytest.raises(ValueError, match="not a batch of images"):
        parse_batch(content)


def test_another_shape_blames_the_config_and_reshapes_nothing(tmp_path):
    """[3, 1, 4] has as many values as [3, 2, 2]."""
    archive = archive_of(BATCHES)
    (tmp_path / "cifar.tar.gz").write_bytes(archive)
    cifar = source(tmp_path, archive)
    cifar.shape = (3, 1, 4)
    with pytest.raises(UserError, match=r"have shape \[3, 2, 2\], the config says") as error:
        cifar.splits()
    assert error.value.fix == "set dataset.shape=[3,2,2]"
