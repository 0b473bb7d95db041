import os
import warnings

import numpy as np
import pytest
from PIL import Image

from bench.core.errors import Caution, UserError
from bench.data.images import Images, hash_fraction


def source(root, *, shape=(3, 4, 4), shares=None, convert=None):
    return Images(
        name="images",
        root=None if root is None else str(root),
        shape=list(shape),
        classes=1,
        licence="",
        origin="",
        shares=shares or {"validation": 0.2, "test": 0.3},
        convert=convert,
    )


def save(folder, name, value):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (6, 4), (value, 0, 0)).save(path)


def values(splits):
    """Split -> the red of its images."""
    return {split: content.samples[:, 0, 0, 0].tolist() for split, content in splits.items()}


@pytest.fixture
def folder(tmp_path):
    for k in range(40):
        save(tmp_path / "mine", f"{'sub/' if k % 2 else ''}{k:02}.png", k)
    return tmp_path / "mine"


def test_names_decide_what_is_held_out(folder):
    splits = source(folder).splits()
    found = values(splits)
    assert sorted(sum(found.values(), [])) == list(range(40))
    for k in range(40):
        place = hash_fraction(f"{'sub/' if k % 2 else ''}{k:02}.png")
        split = "test" if place < 0.3 else "validation" if place < 0.5 else "train"
        assert k in found[split]
    assert splits["train"].labels is None


def test_a_new_file_moves_no_other(folder):
    before = values(source(folder).splits())
    save(folder, "00a.png", 200)
    after = values(source(folder).splits())
    assert {split: [v for v in kept if v != 200] for split, kept in after.items()} == before
    assert sum(after.values(), []).count(200) == 1


def test_shares_are_uniform():
    """Mean 1/2 and variance 1/12 of 10,000 names, within five standard errors."""
    places = np.array([hash_fraction(str(k)) for k in range(10_000)])
    assert places.mean() == pytest.approx(0.5, abs=5 * (1 / 12 / 1e4) ** 0.5)
    assert places.var() == pytest.approx(1 / 12, abs=5 * (1 / 180 / 1e4) ** 0.5)


def test_the_crop_is_central_and_keeps_proportions(folder):
    """Of 12 x 4 pixels in thirds of red, green and blue, the middle 4 x 4 are green."""
    strips = np.zeros((4, 12, 3), np.uint8)
    strips[:, :4, 0] = strips[:, 4:8, 1] = strips[:, 8:, 2] = 255
    for path in folder.rglob("*.png"):
        Image.fromarray(strips).save(path)
    for samples in (content.samples for content in source(folder).splits().values()):
        assert np.unique(samples[:, 1]).tolist() == [255]
        assert np.unique(samples[:, [0, 2]]).tolist() == [0]


def test_shrinking_antialiases(folder):
    stripes = np.zeros((16, 16, 3), np.uint8)
    stripes[:, ::2] = 255
    for path in folder.rglob("*.png"):
        Image.fromarray(stripes).save(path)
    middle = source(folder).splits()["train"].samples[:, :, :, 1:3]
    assert np.abs(middle.astype(int) - 127.5).max() < 12


def test_one_channel_is_grey_by_luma(folder):
    """ITU-R 601-2: 0.299 of red."""
    samples = source(folder, shape=(1, 4, 4)).splits()["train"].samples
    assert samples.shape[1:] == (1, 4, 4)
    reds = values(source(folder).splits())["train"]
    np.testing.assert_allclose(samples[:, 0, 0, 0], 0.299 * np.array(reds), atol=0.51)


def test_colours_for_print_need_the_users_word(folder):
    with Image.open(folder / "00.png") as image:
        image.convert("CMYK").save(folder / "00.tif")
    with pytest.raises(UserError, match=r"00\.tif .*mode CMYK") as error:
        source(folder).splits()
    assert "dataset.source.convert=rgb" in error.value.fix
    found = values(source(folder, convert="rgb").splits())
    assert sorted(sum(found.values(), [])) == [0, *range(40)]
    (folder / "00.tif").unlink()
    paths = {source(folder, convert=convert).prepared_path() for convert in (None, "rgb")}
    assert len(paths) == 2
    grey = [source(folder, shape=(1, 4, 4), convert=c).splits()["train"] for c in (None, "grey")]
    np.testing.assert_array_equal(grey[0].samples, grey[1].samples)


def test_what_cannot_be_converted_to_is_refused(folder):
    with pytest.raises(UserError, match="convert=grey makes 1, dataset.shape has 3 channels"):
        source(folder, convert="grey")
    with pytest.raises(UserError, match="convert is 'gray'"):
        source(folder, convert="gray")


def test_prepared_files_belong_to_the_images_they_were_made_of(folder):
    images = source(folder)
    images.prepare()
    path = images.prepared_path()
    assert path.is_file() and path.parent == folder
    assert values(images.splits()) == values(images.read(folder))
    save(folder, "00a.png", 200)
    assert not images.prepared_path().exists()
    assert 200 in sum(values(images.splits()).values(), [])
    assert source(folder, shape=(1, 4, 4)).splits()["train"].samples.shape[1] == 1


@pytest.mark.parametrize("damage", ["truncated", "text", "16 bit"])
def test_a_damaged_image_is_one_sentence(folder, damage):
    path = folder / "00.png"
    if damage == "16 bit":
        Image.fromarray(np.full((4, 4), 1000, np.uint16)).save(path)
    else:
        path.write_bytes(path.read_bytes()[:45] if damage == "truncated" else b"text")
    with pytest.raises(UserError, match=r"00\.png is no image that can be read"):
        source(folder).splits()


def test_an_empty_or_absent_folder_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match=r"holds no \.png, \.jpg, \.jpeg") as error:
        source(tmp_path).splits()
    assert error.value.fix == "set dataset.root=DIR to a folder of images"
    with pytest.raises(UserError, match="cannot read folder .*absent: No such file"):
        source(tmp_path / "absent").splits()
    with pytest.raises(UserError, match="no folder given"):
        source(None).splits()


def test_hidden_copies_are_no_data(folder):
    """Jupyter's copies, under other names, would be test images in the training split."""
    before = values(source(folder).splits())
    for path in sorted(folder.rglob("*.png")):
        copy = path.parent / ".ipynb_checkpoints" / f"{path.stem}-checkpoint.png"
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(path.read_bytes())
        (path.parent / f"._{path.name}").write_bytes(b"what an archive made on a Mac holds")
    assert values(source(folder).splits()) == before


def test_other_kinds_of_files_are_named_once_and_prepared_files_are_not(folder):
    source(folder).prepare()
    with warnings.catch_warnings():
        warnings.simplefilter("error", Caution)
        source(folder).splits()
    (folder / "notes.txt").write_text("no image")
    (folder / "41.gif").write_bytes(b"an image, but of another kind")
    said = r"left out what is no \.png, .*\.pgm: 41\.gif, notes\.txt \(2 in all\)"
    with pytest.warns(Caution, match=said):
        assert sum(map(len, values(source(folder).splits()).values())) == 40


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (lambda path: path.symlink_to("nowhere.png"), r"x\.png is a broken link, a pipe"),
        (os.mkfifo, r"x\.png is a broken link, a pipe"),
        (lambda path: path.symlink_to("sub"), r"x\.png is a link to a folder"),
    ],
)
def test_what_is_no_file_is_refused_without_opening_it(folder, place, said):
    place(folder / "x.png")
    with pytest.raises(UserError, match=said):
        source(folder).splits()


def test_a_link_to_a_file_is_read(folder, tmp_path):
    save(tmp_path, "other.png", 200)
    (folder / "x.png").symlink_to(tmp_path / "other.png")
    assert 200 in sum(values(source(folder).splits()).values(), [])


@pytest.mark.parametrize("mode", ["RGBA", "CMYK", "frames"])
def test_what_scoring_refuses_training_refuses_with_the_way_to_convert(folder, mode):
    image = Image.new("RGB", (6, 4))
    if mode == "frames":
        image.save(
            folder / "00.png", save_all=True, append_images=[Image.new("RGB", (6, 4), "red")]
        )
    else:
        image.convert(mode).save(folder / "00.png", "JPEG" if mode == "CMYK" else "PNG")
    with pytest.raises(UserError, match=r"00\.png is no image that can be read: it has") as error:
        source(folder).splits()
    assert "`magick " in error.value.fix


@pytest.mark.parametrize("shape", [(2, 4, 4), (4, 4), (3, 0, 4), (3, 4.0, 4), (3, True, 4)])
def test_a_shape_of_no_image_is_the_configs_fault(folder, shape):
    with pytest.raises(UserError, match="dataset.shape is") as error:
        source(folder, shape=shape)
    assert "1 or 3 channels" in error.value.fix


def test_more_pixels_than_pillows_limit_are_not_decoded(folder, monkeypatch):
    for limit in (20, 8):  # 6 x 4 pixels: Pillow warns beyond its limit, refuses beyond twice that
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(UserError, match=f"it has more than {limit} pixels"):
            source(folder).splits()


def test_too_few_to_hold_any_out_is_one_sentence(tmp_path):
    save(tmp_path, "a.png", 1)
    with pytest.raises(UserError, match="are split into"):
        source(tmp_path).splits()
