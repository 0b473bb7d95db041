import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from bench.core.errors import UserError
from bench.data.celeba import CelebA
from bench.data.checksums import compute_checksum

SIZE = (218, 178)
COUNTS = {"train": 2, "validation": 1, "test": 1}
PARTITION = "000001.jpg 0\n000002.jpg 0\n000003.jpg 1\n000004.jpg 2\n"


def encoded(number, size=SIZE):
    """Red is the row, green the column, blue the image's number; without loss."""
    rows, columns = np.indices(size)
    array = np.stack([rows, columns, np.full(size, number)], -1).astype(np.uint8)
    content = io.BytesIO()
    Image.fromarray(array).save(content, "PNG")
    return content.getvalue()


CONTENT = {f"{number:06}.jpg": encoded(number) for number in (1, 2, 3, 4)}


def source(root, *, checksums=None, counts=COUNTS):
    return CelebA(
        name="celeba",
        root=str(root),
        shape=[3, 64, 64],
        classes=1,
        licence="research",
        origin="its owners' page",
        size=list(SIZE),
        crop=160,
        checksums=checksums or {},
        counts=counts,
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "list_eval_partition.txt").write_text(PARTITION)
    (tmp_path / "img_align_celeba").mkdir()
    for name, content in CONTENT.items():
        (tmp_path / "img_align_celeba" / name).write_bytes(content)
    return tmp_path


@pytest.fixture
def zipped(tmp_path):
    (tmp_path / "list_eval_partition.txt").write_text(PARTITION)
    with zipfile.ZipFile(tmp_path / "img_align_celeba.zip", "w") as archive:
        for name, content in CONTENT.items():
            archive.writestr(f"img_align_celeba/{name}", content)
    return tmp_path


@pytest.mark.parametrize("kind", ["folder", "zipped"])
def test_pixel_i_is_source_row_29_and_column_9_plus_5_halves_i(request, kind):
    splits = source(request.getfixturevalue(kind)).splits()
    assert {split: len(content.samples) for split, content in splits.items()} == COUNTS
    train = splits["train"].samples
    steps = 2.5 * np.arange(64)
    np.testing.assert_array_equal(train[0, 0, :, 7], np.rint(29 + steps))
    np.testing.assert_array_equal(train[0, 1, 7], np.rint(9 + steps))
    assert train[:, 2, 0, 0].tolist() == [1, 2]
    assert splits["validation"].samples[0, 2, 0, 0] == 3
    assert splits["test"].samples[0, 2, 0, 0] == 4


def test_checksums_are_checked_where_they_are_given(zipped):
    archive, listing = zipped / "img_align_celeba.zip", zipped / "list_eval_partition.txt"
    checksums = {path.name: compute_checksum(path, "md5") for path in (archive, listing)}
    assert len(source(zipped, checksums=checksums).splits()) == 3
    for name in checksums:
        other = checksums | {name: compute_checksum(b"", "md5")}
        with pytest.raises(UserError, match=f"{name} is damaged or another file"):
            source(zipped, checksums=other).splits()


def test_another_count_is_one_sentence(folder):
    with pytest.raises(UserError, match="lists {'train': 2, .* expected {'train': 3"):
        source(folder, counts=COUNTS | {"train": 3}).splits()


@pytest.mark.parametrize("line", ["000004.jpg", "000004.jpg 3", "../../000004.jpg 2", ""])
def test_a_damaged_list_is_one_sentence(folder, line):
    (folder / "list_eval_partition.txt").write_text(PARTITION.replace("000004.jpg 2", line))
    with pytest.raises(UserError, match="list_eval_partition.txt is damaged: line 4"):
        source(folder).splits()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "No such file"),
        (CONTENT["000004.jpg"][:100], "cannot read image 000004.jpg"),
        (encoded(4, (218, 177)), r"it has \(218, 177\) pixels"),
    ],
)
def test_a_missing_or_damaged_image_is_one_sentence(folder, content, found):
    path = folder / "img_align_celeba" / "000004.jpg"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=found):
        source(folder).splits()


def test_a_truncated_zip_is_one_sentence(zipped):
    archive = zipped / "img_align_celeba.zip"
    archive.write_bytes(archive.read_bytes()[:-50])
    with pytest.raises(UserError, match="is damaged"):
        source(zipped).splits()


def test_without_files_prepare_says_who_has_them(tmp_path):
    with pytest.raises(UserError, match=r"no img_align_celeba\[.zip\] with") as error:
        source(tmp_path).prepare()
    assert "its owners' page" in error.value.fix


def test_a_member_that_states_more_than_its_pixels_can_take_is_not_read(zipped):
    """Four bytes for each of 218 x 178 x 3 values."""
    with zipfile.ZipFile(zipped / "img_align_celeba.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("img_align_celeba/000001.jpg", bytes(12 * 218 * 178 + 1))
    with pytest.raises(UserError, match=r"zip: img_align_celeba/000001\.jpg unpacks to"):
        source(zipped).splits()
