import io
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from bench.core.errors import UserError
from bench.data.parquet import Parquet

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "cifar10_jpeg"


def encoded(value, kind="PNG", size=(4, 3)):
    content = io.BytesIO()
    Image.new("RGB", size, (value, value + 1, value + 2)).save(content, kind)
    return content.getvalue()


def shard(path, values, *, column="img", contents=None, labels=None, plain=False):
    contents = contents or [encoded(value) for value in values]
    images = pa.array(contents, pa.binary())
    if not plain:
        images = pa.StructArray.from_arrays([images], ["bytes"])
    pq.write_table(pa.table({column: images, "label": labels or list(values)}), path)


def source(root, *, encoding="PNG", counts=None, shape=(3, 3, 4)):
    return Parquet(
        name="tiny",
        root=str(root),
        shape=list(shape),
        classes=10,
        licence="free",
        origin="nowhere",
        label_column="label",
        encoding=encoding,
        counts=counts or {"train": 4, "test": 1},
    )


@pytest.fixture
def folder(tmp_path):
    shard(tmp_path / "train-00000-of-00002.parquet", [1, 2])
    shard(tmp_path / "train-00001-of-00002.parquet", [3, 4])
    shard(tmp_path / "test-00000-of-00001.parquet", [9])
    return tmp_path


def test_shards_are_read_in_order(folder):
    splits = source(folder).splits()
    assert splits["train"].samples.shape == (4, 3, 3, 4)
    assert splits["train"].labels.tolist() == [1, 2, 3, 4]
    for value, image in zip([1, 2, 3, 4], splits["train"].samples, strict=True):
        assert image.reshape(3, -1).tolist() == [[value + k] * 12 for k in range(3)]
    assert splits["test"].labels.tolist() == [9]


def test_prepare_keeps_the_decoded_images(folder):
    tiny = source(folder)
    raw = tiny.splits()
    tiny.prepare()
    for path in folder.glob("*.parquet"):
        path.unlink()
    np.testing.assert_array_equal(tiny.splits()["train"].samples, raw["train"].samples)


@pytest.mark.parametrize("count", [3, 5])
def test_another_number_of_images_is_one_sentence(folder, count):
    with pytest.raises(UserError, match=f"4 train images in .*, expected {count}"):
        source(folder, counts={"train": count, "test": 1}).splits()


def test_images_that_lost_detail_do_not_pass_for_exact_ones(folder):
    with pytest.raises(UserError, match=r"parquet\[0\] is PNG, expected JPEG"):
        source(folder, encoding="JPEG").splits()


def test_another_shape_than_the_configs_blames_the_config(folder):
    with pytest.raises(UserError, match=r"is \[3, 3, 4\], the config says \[3, 4, 4\]") as error:
        source(folder, shape=(3, 4, 4)).splits()
    assert "dataset.shape=[3,3,4]" in error.value.fix


@pytest.mark.parametrize("content", [b"", b"no image", encoded(9)[:45], None])
def test_a_damaged_image_is_one_sentence(folder, content):
    shard(folder / "test-00000-of-00001.parquet", [9], contents=[content])
    sentence = r"test-00000-of-00001.parquet\[0\] is no image that can be read: it is"
    with pytest.raises(UserError, match=sentence) as error:
        source(folder).splits()
    assert " at 0x" not in error.value.message


@pytest.mark.parametrize("column", ["img", "image", "picture"])
@pytest.mark.parametrize("plain", [True, False])
def test_the_column_of_images_has_any_name_and_holds_bytes_or_structs(folder, column, plain):
    shard(folder / "test-00000-of-00001.parquet", [9], column=column, plain=plain)
    assert source(folder).splits()["test"].samples[0, 0, 0, 0] == 9


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["cat"], r"parquet: no column 'label' holds class indices \(it has .*label: string\)"),
        ([0.5], "parquet: no column 'label' holds class indices"),
        ([10], r"parquet\[0\] has label 10, expected 0 to 9"),
        ([-1], r"parquet\[0\] has label -1, expected 0 to 9"),
        (
            pa.array([2**64 - 1], pa.uint64()),
            r"parquet\[0\] has label 18446744073709551615, expected 0 to 9",
        ),
        (pa.array([None], pa.int64()), r"parquet\[0\] has no label, expected 0 to 9"),
    ],
)
def test_labels_that_are_no_class_are_one_sentence(folder, labels, said):
    shard(folder / "test-00000-of-00001.parquet", [9], labels=labels)
    with pytest.raises(UserError, match=f"test-00000-of-00001.{said}"):
        source(folder).splits()


def test_damaged_files_and_other_columns_are_one_sentence(folder):
    path = folder / "test-00000-of-00001.parquet"
    for columns in ({"label": [9]}, {"a": [b""], "b": [b""], "label": [9]}):
        pq.write_table(pa.table(columns), path)
        with pytest.raises(UserError, match=r"00001\.parquet: .* hold.* images \(it has"):
            source(folder).splits()
    path.write_bytes(b"PAR1")
    with pytest.raises(UserError, match="is damaged"):
        source(folder).splits()
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UserError, match=r"00001\.parquet is a broken link, a pipe or a device"):
        source(folder).splits()


def test_a_missing_split_says_where_to_put_it(folder):
    (folder / "test-00000-of-00001.parquet").unlink()
    with pytest.raises(UserError, match=r"no train-\*.parquet, test-\*.parquet in") as error:
        source(folder).prepare()
    assert "place them in DIR, then set dataset.root=DIR" in error.value.fix


@pytest.mark.skipif(not REAL.is_dir(), reason="needs ../shared/data/cifar10_jpeg")
def test_cifar10_jpeg_is_nearly_cifar10(tmp_path):
    """1,000 images a class; means of CIFAR-10's test images: 0.4942, 0.4851, 0.4504."""
    (tmp_path / "test-0.parquet").symlink_to(REAL / "test-00000-of-00001.parquet")
    (tmp_path / "train-0.parquet").symlink_to(REAL / "test-00000-of-00001.parquet")
    counts = {"train": 10000, "test": 10000}
    jpeg = source(tmp_path, encoding="JPEG", counts=counts, shape=(3, 32, 32))
    test = jpeg.splits()["test"]
    assert np.bincount(test.labels).tolist() == [1000] * 10
    means = test.samples.mean((0, 2, 3)) / 255
    assert means == pytest.approx([0.4942, 0.4851, 0.4504], abs=1e-3)
