import gzip
import hashlib
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from omegaconf import OmegaConf

from bench.core.errors import UserError
from bench.data import idx as reader
from bench.data.idx import Idx, parse_idx

ROOT = Path(__file__).parents[2]
MNIST = ROOT.parent / "shared" / "data" / "mnist"


def idx(array):
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


IMAGES = {"train": np.arange(24).reshape(3, 2, 4), "test": np.arange(16).reshape(2, 2, 4) + 100}
LABELS = {"train": np.array([3, 1, 2]), "test": np.array([0, 9])}
CONTENT = {
    f"{split}-{kind}": idx(arrays_of[split])
    for split in ("train", "test")
    for kind, arrays_of in (("images", IMAGES), ("labels", LABELS))
}


def md5(content):
    return f"md5:{hashlib.md5(content).hexdigest()}"


def source(root, *, mirrors=(), unzipped=True, zipped=True):
    def facts(name):
        return {
            "file": name,
            "checksum": md5(CONTENT[name]) if unzipped else None,
            "gz_checksum": md5(gzip.compress(CONTENT[name], mtime=0)) if zipped else None,
        }

    return Idx(
        name="tiny",
        root=str(root),
        shape=[1, 2, 4],
        classes=10,
        licence="free",
        origin="nowhere",
        mirrors=mirrors,
        files={
            split: {"samples": facts(f"{split}-images"), "labels": facts(f"{split}-labels")}
            for split in IMAGES
        },
    )


def place(folder, *, zipped):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in CONTENT.items():
        data = gzip.compress(content, mtime=0) if zipped else content
        (folder / (f"{name}.gz" if zipped else name)).write_bytes(data)


def check(splits):
    assert set(splits) == {"train", "test"}
    for split, content in splits.items():
        np.testing.assert_array_equal(content.samples[:, 0], IMAGES[split])
        np.testing.assert_array_equal(content.labels, LABELS[split])


@given(arrays(np.uint8, array_shapes(max_dims=4, max_side=5)))
def test_what_the_format_describes_is_read_back(array):
    parsed = parse_idx(idx(array))
    assert parsed.dtype == np.uint8
    np.testing.assert_array_equal(parsed, array)


@given(st.binary(max_size=40))
def test_no_bytes_raise_anything_else_than_a_value_error(content):
    try:
        array = parse_idx(content)
    except ValueError:
        return
    assert idx(array) == content


@pytest.mark.parametrize(
    "content",
    [
        idx(np.zeros((2, 3)))[:-1],
        idx(np.zeros((2, 3))) + b"\0",
        b"\0\0\x0d\1" + idx(np.zeros(2))[4:],
        b"\1\0" + idx(np.zeros(2))[2:],
        struct.pack(">HBB4I", 0, 8, 4, 2**16, 2**16, 2**16, 2**16),  # 2^64 entries: 0 in int64
    ],
)
def test_damaged_content_is_refused(content):
    with pytest.raises(ValueError):
        parse_idx(content)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("below", [".", "tiny"])
def test_raw_files_are_read_where_they_lie_and_nothing_is_written(tmp_path, zipped, below):
    place(tmp_path / below, zipped=zipped)
    before = sorted(tmp_path.rglob("*"))
    check(source(tmp_path).splits())
    assert sorted(tmp_path.rglob("*")) == before


def test_prepare_downloads_checks_and_converts_once(tmp_path, site):
    for name, content in CONTENT.items():
        site.files[f"/tiny/{name}.gz"] = gzip.compress(content, mtime=0)
    tiny = source(tmp_path, mirrors=[f"{site.address}/absent/", f"{site.address}/tiny/"])
    tiny.prepare()
    assert len(site.requests) == 8
    assert sorted(os.listdir(tmp_path)) == ["tiny", "tiny.safetensors"]
    for path in (tmp_path / "tiny").iterdir():
        path.unlink()
    check(tiny.splits())
    tiny.prepare()
    assert len(site.requests) == 8


def test_prepare_of_the_wrong_file_leaves_no_prepared_one(tmp_path, site):
    for name, content in CONTENT.items():
        site.files[f"/{name}.gz"] = gzip.compress(content[:-1], mtime=0)
    with pytest.raises(UserError, match="cannot download train-images.gz: .* expected md5:"):
        source(tmp_path, mirrors=[site.address]).prepare()
    assert [path.name for path in tmp_path.rglob("*")] == ["tiny"]


@pytest.mark.parametrize(
    ("unzipped", "zipped", "anew", "fine"),
    [
        (True, True, True, True),  # gzipped anew: the content is what counts
        (False, True, True, False),  # only the published .gz has a checksum
        (False, True, False, True),
        (False, False, True, True),
    ],
)
def test_which_checksum_counts(tmp_path, unzipped, zipped, anew, fine):
    place(tmp_path, zipped=True)
    if anew:
        name = tmp_path / "test-labels.gz"
        name.write_bytes(gzip.compress(CONTENT["test-labels"], mtime=1))
    tiny = source(tmp_path, unzipped=unzipped, zipped=zipped)
    if fine:
        check(tiny.splits())
    else:
        with pytest.raises(UserError, match="test-labels.gz is damaged or another file"):
            tiny.splits()


DAMAGED = [b"", b"not a gzip file", gzip.compress(b"abc" * 99, mtime=0)[:20]]


@pytest.mark.parametrize("damage", DAMAGED, ids=["empty", "text", "cut"])
def test_a_damaged_file_is_one_sentence(tmp_path, damage):
    place(tmp_path, zipped=True)
    (tmp_path / "test-images.gz").write_bytes(damage)
    with pytest.raises(UserError, match="test-images.gz is damaged") as error:
        source(tmp_path).splits()
    assert "bench prepare tiny" in error.value.fix


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_unpacks_to_more_than_the_limit_is_not_read_on(tmp_path, monkeypatch, zipped):
    monkeypatch.setattr(reader, "LARGEST", 20)
    place(tmp_path, zipped=zipped)
    with pytest.raises(UserError, match=r"train-images.* states .*, more than 20 bytes\)"):
        source(tmp_path).splits()


def test_labels_beyond_the_configs_classes_are_the_configs_to_mend(tmp_path):
    place(tmp_path, zipped=False)
    tiny = source(tmp_path)
    tiny.prepare()
    tiny.classes = 3
    for _ in ("prepared", "raw"):
        with pytest.raises(UserError, match="labels are 0 to 9, the config says") as error:
            tiny.splits()
        assert error.value.fix == "set dataset.classes=10"
        tiny.prepared_path().unlink(missing_ok=True)


def test_another_content_of_the_same_size_is_one_sentence(tmp_path):
    place(tmp_path, zipped=False)
    (tmp_path / "train-images").write_bytes(idx(IMAGES["train"][::-1]))
    with pytest.raises(UserError, match="train-images is damaged .* expected md5:"):
        source(tmp_path).splits()


def test_images_without_labels_are_one_sentence(tmp_path):
    place(tmp_path, zipped=False)
    (tmp_path / "train-labels").write_bytes(idx(LABELS["train"][:2]))
    with pytest.raises(UserError, match="3 train images, 2 labels"):
        source(tmp_path, unzipped=False).splits()


def test_one_missing_file_is_missing_data(tmp_path):
    place(tmp_path, zipped=True)
    (tmp_path / "test-labels.gz").unlink()
    with pytest.raises(UserError, match=r"no file .*tiny.safetensors \(present: none\)") as error:
        source(tmp_path).splits()
    assert error.value.fix == "run `bench prepare tiny`, or set dataset.root=DIR"


@pytest.mark.skipif(not MNIST.is_dir(), reason="needs the real MNIST in ../shared/data/mnist")
def test_mnist_is_mnist():
    """Counts a class as tabulated since LeCun et al. 1998; mean 0.1307 and deviation 0.3081."""
    config = OmegaConf.create({"dataset": OmegaConf.load(ROOT / "conf/dataset/mnist.yaml")})
    config.dataset.root = str(MNIST)
    keys = OmegaConf.to_container(config, resolve=True)["dataset"]["source"]
    splits = Idx(**{key: value for key, value in keys.items() if key[0] != "_"}).splits()
    train, test = splits["train"], splits["test"]
    assert np.bincount(train.labels).tolist() == [
        *(5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949)
    ]
    assert np.bincount(test.labels).tolist() == [
        *(980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)
    ]
    assert train.samples.shape == (60000, 1, 28, 28)
    assert train.samples.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert train.samples.std() / 255 == pytest.approx(0.3081, abs=5e-5)
