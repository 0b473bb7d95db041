import io
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


def shard(path, values, *, column="img", contents=None):
    contents = contents or [encoded(value) for value in values]
    images = [{"bytes": content, "path": None} for content in contents]
    pq.write_table(pa.table({column: images, "label": list(values)}), path)


def source(root, *, encoding="PNG", counts=None, shape=(3, 3, 4)):
    return Parquet(
        name="tiny",
        root=str(root),
        shape=list(shape),
        licence="free",
        origin="nowhere",
        image_column="img",
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
    with pytest.raises(UserError, match="images are PNG, not JPEG"):
        source(folder, encoding="JPEG").splits()


def test_another_size_is_one_sentence(folder):
    with pytest.raises(UserError, match=r"images are \[3, 3, 4\], not \[3, 4, 4\]"):
        source(folder, shape=(3, 4, 4)).splits()


@pytest.mark.parametrize("content", [b"", b"no image", encoded(9)[:45], None])
def test_a_damaged_image_is_one_sentence(folder, content):
    shard(folder / "test-00000-of-00001.parquet", [9], contents=[content])
    with pytest.raises(UserError, match=r"test-00000-of-00001.parquet is damaged"):
        source(folder).splits()


def test_damaged_files_and_other_columns_are_one_sentence(folder):
    shard(folder / "test-00000-of-00001.parquet", [9], column="picture")
    with pytest.raises(UserError, match="has no columns img and label"):
        source(folder).splits()
    (folder / "test-00000-of-00001.parquet").write_bytes(b"PAR1")
    with pytest.raises(UserError, match="is damaged"):
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
