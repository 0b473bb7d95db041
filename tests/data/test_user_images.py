import io
import os
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from bench.core.errors import Caution, UserError
from bench.data import archive, npz
from bench.data.user_images import read_user_images

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (4, 5, 6), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (4, 5, 6, 3), dtype=np.uint8)


def save(folder, images, names=None, **how):
    folder.mkdir(exist_ok=True)
    for k, image in enumerate(images):
        Image.fromarray(image).save(folder / (names[k] if names else f"{k}.png"), **how)
    return folder


def encoded(image, kind="PNG"):
    content = io.BytesIO()
    Image.fromarray(image).save(content, kind)
    return content.getvalue()


def table(path, columns):
    pq.write_table(pa.table(columns), path)
    return path


def sixteen_bit_colour():
    """A PNG of 16 bits in three channels, which Pillow reads but cannot write."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    rows = b"".join(b"\0" + b"\x12\x34" * 18 for _ in range(5))
    head = struct.pack(">IIBBBBB", 6, 5, 16, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def refused(path, sentence, fix=""):
    """Return the error message for a path; it is one line and names the path."""
    with pytest.raises(UserError, match=sentence) as caught:
        read_user_images(path)
    assert str(path) in caught.value.message and "\n" not in caught.value.message
    assert fix in caught.value.fix
    return caught.value.message


# what is read


def test_a_folder_is_read_to_its_ends_in_the_order_of_names(tmp_path):
    folder = save(tmp_path / "a", COLOUR[:2], ["b.png", "a.PNG"])
    (folder / "aa").mkdir()
    save(folder / "aa", COLOUR[2:], ["z.png", "y.png"])
    (folder / "notes.txt").write_text("no image")
    (folder / "._a.png").write_bytes(b"what an archive made on a Mac holds")
    (folder / "d.png").mkdir()
    with pytest.warns(Caution, match=r"left out what is no .*: notes\.txt \(1 in all\)"):
        images = read_user_images(folder)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images.transpose(0, 2, 3, 1), COLOUR[[1, 3, 2, 0]])


def test_grey_files_have_one_channel(tmp_path):
    np.testing.assert_array_equal(read_user_images(save(tmp_path / "a", GREY)), GREY[:, None])


def test_palettes_and_two_levels_are_read_without_loss(tmp_path):
    few = COLOUR // 128 * 255
    for k, image in enumerate(few):
        quantised = Image.fromarray(image).quantize(8)
        assert quantised.mode == "P"
        quantised.save(tmp_path / f"{k}.png")
    np.testing.assert_array_equal(read_user_images(tmp_path).transpose(0, 2, 3, 1), few)
    two = save(tmp_path / "two", GREY > 127)
    np.testing.assert_array_equal(read_user_images(two)[:, 0], (GREY > 127) * np.uint8(255))


@pytest.mark.parametrize(
    ("suffix", "how"),
    [
        ("webp", {"lossless": True}),
        ("bmp", {}),
        ("tif", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("ppm", {}),
    ],
)
def test_formats_without_loss(tmp_path, suffix, how):
    names = [f"{k}.{suffix}" for k in range(4)]
    images = read_user_images(save(tmp_path / "a", COLOUR, names, **how))
    np.testing.assert_array_equal(images.transpose(0, 2, 3, 1), COLOUR)
    if suffix != "webp":  # which stores grey as colour
        names = [name.replace("ppm", "pgm") for name in names]
        images = read_user_images(save(tmp_path / "b", GREY, names, **how))
        np.testing.assert_array_equal(images, GREY[:, None])


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
def test_a_tiff_is_turned_once(tmp_path, compression):
    """Orientation 6: to be turned by 90 degrees clockwise."""
    how = {"tiffinfo": {0x0112: 6}, "compression": compression}
    images = read_user_images(save(tmp_path, GREY, [f"{k}.tif" for k in range(4)], **how))
    np.testing.assert_array_equal(images[:, 0], np.rot90(GREY, -1, axes=(1, 2)))


@pytest.mark.parametrize("kind", ["PNG", "palette", "WEBP", "npz", "floats", "parquet"])
def test_grey_stored_as_colour_is_converted_to_what_it_was(tmp_path, kind):
    """The luma of (v, v, v) is v: the weights sum to one."""
    thrice = np.repeat(GREY[..., None], 3, axis=-1)
    if kind in ("npz", "floats"):
        path = tmp_path / "a.npz"
        np.savez(path, thrice if kind == "npz" else thrice / 255)
    elif kind == "parquet":
        path = table(tmp_path / "a.parquet", {"image": [encoded(image) for image in thrice]})
    else:
        path = tmp_path
        for k, image in enumerate(thrice):
            stored = Image.fromarray(image)
            stored = stored.quantize(256) if kind == "palette" else stored
            stored.save(path / f"{k}.png", "PNG" if kind == "palette" else kind, lossless=True)
    assert read_user_images(path).shape == (4, 3, 5, 6)
    grey = GREY / 255 if kind == "floats" else GREY
    np.testing.assert_allclose(read_user_images(path, "grey")[:, 0], grey, rtol=1e-6)
    again = read_user_images(path, "rgb").transpose(0, 2, 3, 1)
    np.testing.assert_allclose(again, thrice / 255 if kind == "floats" else thrice, rtol=1e-6)


def test_files_and_arrays_are_converted_alike(tmp_path):
    """By ITU-R 601-2: 0.299 R + 0.587 G + 0.114 B, to the nearest level."""
    np.savez(tmp_path / "a.npz", COLOUR)
    files = read_user_images(save(tmp_path / "a", COLOUR), "grey")
    np.testing.assert_array_equal(files, read_user_images(tmp_path / "a.npz", "grey"))
    luma = COLOUR @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(files[:, 0], luma, atol=0.51)
    mixed = save(tmp_path / "mixed", [COLOUR[0], GREY[1]])
    assert read_user_images(mixed, "rgb").shape == (2, 3, 5, 6)
    np.testing.assert_array_equal(read_user_images(mixed, "grey")[1, 0], GREY[1])


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_colours_for_print_are_converted_on_demand(tmp_path, suffix):
    """C, M, Y of 1 - R, 1 - G, 1 - B and no black are R, G, B."""
    for k, image in enumerate(COLOUR // 255 * 255):
        Image.fromarray(image).convert("CMYK").save(tmp_path / f"{k}.{suffix}", quality=100)
    with pytest.raises(UserError, match="mode CMYK"):
        read_user_images(tmp_path)
    images = read_user_images(tmp_path, "rgb").transpose(0, 2, 3, 1).astype(int)
    np.testing.assert_allclose(images, COLOUR // 255 * 255, atol=3)
    assert read_user_images(tmp_path, "grey").shape == (4, 1, 5, 6)


def test_a_jpeg_is_read_upright(tmp_path):
    """EXIF orientation 6: to be turned by 90 degrees clockwise before it is shown."""
    left = np.zeros((8, 16), np.uint8)
    left[:, :8] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    images = read_user_images(save(tmp_path / "a", [left, left], ["0.jpg", "1.JPEG"], exif=exif))
    assert images.shape == (2, 1, 16, 8)
    assert images[:, :, :8].min() > 250 and images[:, :, 8:].max() < 5


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        (GREY, GREY[:, None]),
        (GREY[:, None], GREY[:, None]),
        (GREY[..., None], GREY[:, None]),
        (COLOUR, COLOUR.transpose(0, 3, 1, 2)),
        (COLOUR.transpose(0, 3, 1, 2), COLOUR.transpose(0, 3, 1, 2)),
    ],
    ids=["NHW", "N1HW", "NHW1", "NHWC", "NCHW"],
)
@pytest.mark.parametrize("kind", [np.uint8, np.float16, np.float32, np.float64])
def test_an_npz_in_any_layout(tmp_path, stored, read, kind):
    scale = 1 if kind == np.uint8 else 255
    np.savez(tmp_path / "a.npz", (stored / scale).astype(kind))
    images = read_user_images(tmp_path / "a.npz")
    assert images.dtype == (np.uint8 if kind == np.uint8 else np.float32)
    np.testing.assert_array_equal(images, (read / scale).astype(kind).astype(np.float32))


@pytest.mark.parametrize("name", ["images", "samples", "arr_0"])
def test_the_array_of_an_npz_is_found_by_its_name_or_because_it_is_alone(tmp_path, name):
    arrays = {name: GREY} if name == "samples" else {name: GREY, "labels": np.arange(4)}
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    np.testing.assert_array_equal(read_user_images(tmp_path / "a.npz")[:, 0], GREY)


def test_the_ends_of_the_unit_interval_belong_to_it(tmp_path):
    np.savez(tmp_path / "a.npz", np.stack([np.zeros((4, 4)), np.ones((4, 4))] * 2))
    assert read_user_images(tmp_path / "a.npz").max() == 1


@pytest.mark.parametrize("struct_", [True, False], ids=["struct", "bytes"])
def test_parquet_files_alone_and_in_a_folder(tmp_path, struct_):
    for shard in (0, 1):
        contents = [encoded(image) for image in COLOUR[2 * shard : 2 * shard + 2]]
        column = [{"bytes": c, "path": "x.png"} for c in contents] if struct_ else contents
        table(tmp_path / f"{shard}.parquet", {"img": column, "label": [7, 7]})
    np.testing.assert_array_equal(read_user_images(tmp_path).transpose(0, 2, 3, 1), COLOUR)
    alone = read_user_images(tmp_path / "1.parquet")
    np.testing.assert_array_equal(alone.transpose(0, 2, 3, 1), COLOUR[2:])


def test_decoding_holds_hardly_more_than_the_result(tmp_path):
    save(tmp_path / "a", [np.zeros((64, 64, 3), np.uint8)] * 300)
    tracemalloc.start()
    images = read_user_images(tmp_path / "a")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert images.nbytes == 300 * 64 * 64 * 3
    assert peak < images.nbytes + 1_000_000  # a list of decoded images would double it


# what is refused


def test_no_such_path_and_no_kind_of_file(tmp_path):
    refused(tmp_path / "absent", "there is no file or folder", "give a folder of PNG")
    (tmp_path / "a.gif").write_bytes(b"")
    refused(tmp_path / "a.gif", "no kind of file that can be read", "give a folder of PNG")


def test_folders_without_images(tmp_path):
    refused(tmp_path, r"holds no \.png, .*\.parquet \(found: nothing\)", "give a folder of PNG")
    (tmp_path / "a.gif").write_bytes(b"")
    (tmp_path / "README").write_bytes(b"")
    refused(tmp_path, r"holds no \.png, .* \(found: README, a\.gif\)", "give a folder of PNG")


def test_a_folder_of_two_kinds(tmp_path):
    save(tmp_path, GREY)
    table(tmp_path / "a.parquet", {"image": [encoded(GREY[0])]})
    refused(tmp_path, r"0\.png and .*a\.parquet", "one kind")


@pytest.mark.parametrize("content", [b"", b"no image", encoded(GREY[0])[:60]])
def test_an_image_that_cannot_be_read_is_named(tmp_path, content):
    save(tmp_path, GREY)
    (tmp_path / "2.png").write_bytes(content)
    refused(tmp_path, r"2\.png is no image that can be read", "repair it")


def test_a_truncated_jpeg_is_named(tmp_path):
    images = RNG.integers(0, 256, (4, 40, 40, 3), dtype=np.uint8)
    save(tmp_path, images, [f"{k}.jpg" for k in range(4)])
    (tmp_path / "2.jpg").write_bytes((tmp_path / "2.jpg").read_bytes()[:-100])
    refused(tmp_path, r"2\.jpg is no image that can be read: .*truncated", "repair it")


def test_other_sizes_are_both_named(tmp_path):
    save(tmp_path, [GREY[0], GREY[1], GREY[2, :4], GREY[3, :3]])
    refused(
        tmp_path,
        r"0\.png is grey of 6x5 pixels, .*2\.png is grey of 6x4 pixels",
        "make them all of one size",
    )


def test_grey_beside_colour(tmp_path):
    save(tmp_path, [COLOUR[0], COLOUR[1], GREY[2]])
    refused(tmp_path, r"0\.png is in colour of 6x5 .*2\.png is grey of 6x5", "--convert grey or")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "RGB"])
def test_transparency(tmp_path, mode):
    """Also where one colour or palette entry stands for it."""
    save(tmp_path, COLOUR)
    how = {} if mode.endswith("A") else {"transparency": (1, 2, 3) if mode == "RGB" else 0}
    Image.fromarray(COLOUR[0]).convert(mode).save(tmp_path / "2.png", **how)
    refused(tmp_path, rf"2\.png .*: it has an alpha channel \(mode {mode}\)", "-alpha off FILE`")


@pytest.mark.parametrize("suffix", ["webp", "tif", "bmp"])
def test_transparency_of_other_formats(tmp_path, suffix):
    save(tmp_path, COLOUR)
    stored = Image.fromarray(COLOUR[0]).convert("RGBA")
    stored.putalpha(Image.fromarray(GREY[0]))
    stored.save(tmp_path / f"2.{suffix}")
    if suffix == "bmp":  # its fourth byte means nothing by its standard
        assert len(read_user_images(tmp_path)) == 5
    else:
        for convert in (None, "rgb"):
            with pytest.raises(UserError, match=r"it has an alpha channel \(mode RGBA\)"):
                read_user_images(tmp_path, convert)


def test_a_tiff_of_a_further_channel(tmp_path):
    """Four samples a pixel, of which the fourth says nothing of itself: Pillow would drop it."""
    save(tmp_path, COLOUR)
    Image.fromarray(COLOUR[0]).convert("RGBA").save(tmp_path / "2.tif")
    tag = struct.pack("<HHIH", 338, 3, 1, 2)  # ExtraSamples, one short number: 2 is alpha
    content = (tmp_path / "2.tif").read_bytes()
    assert content.count(tag) == 1
    (tmp_path / "2.tif").write_bytes(content.replace(tag, struct.pack("<HHIH", 338, 3, 1, 0)))
    with Image.open(tmp_path / "2.tif") as image:
        assert image.mode == "RGB"
    refused(tmp_path, r"2\.tif .*: it has a channel beside its colours", "-alpha off FILE`")


@pytest.mark.parametrize("suffix", ["tif", "webp"])
def test_pages_and_frames(tmp_path, suffix):
    frames = [Image.fromarray(image) for image in COLOUR]
    frames[0].save(tmp_path / f"0.{suffix}", save_all=True, append_images=frames[1:])
    refused(tmp_path, r"0\..* is no image .*: it has 4 frames", "keep one")


@pytest.mark.parametrize("kind", ["pgm", "ppm", "plain", "tif", "lzw"])
def test_sixteen_bits_of_other_formats(tmp_path, kind):
    save(tmp_path, COLOUR)
    path = tmp_path / f"2.{kind if kind in ('pgm', 'ppm') else 'tif' if kind != 'plain' else 'ppm'}"
    if kind == "ppm":
        path.write_bytes(b"P6 6 5 65535\n" + bytes(6 * 5 * 6))
    elif kind == "plain":
        path.write_bytes(b"P3 6 5 1000\n" + b"7 " * 90)
    else:
        deep = Image.fromarray(GREY[0].astype(np.uint16) * 257)
        deep.save(path, **({"compression": "tiff_lzw"} if kind == "lzw" else {}))
    refused(tmp_path, r"2\..* is no image .*: it has more than 8 bits a channel", "-depth 8")


@pytest.mark.parametrize("colour", [False, True])
def test_sixteen_bits(tmp_path, colour):
    save(tmp_path, COLOUR)
    grey = encoded(GREY[0].astype(np.uint16) * 257)
    (tmp_path / "2.png").write_bytes(sixteen_bit_colour() if colour else grey)
    with Image.open(tmp_path / "2.png") as image:
        assert image.mode == ("RGB" if colour else "I;16")
    refused(tmp_path, r"2\.png .*: it has more than 8 bits a channel", "-depth 8 FILE`")


def test_an_animation(tmp_path):
    frames = [Image.fromarray(image) for image in COLOUR]
    frames[0].save(tmp_path / "0.png", save_all=True, append_images=frames[1:])
    refused(tmp_path, r"0\.png .*: it has 4 frames", "keep one")


def test_colours_for_print(tmp_path):
    save(tmp_path, COLOUR)
    Image.fromarray(COLOUR[0]).convert("CMYK").save(tmp_path / "2.jpg")
    said = r"2\.jpg .*: it has colours neither grey nor RGB \(mode CMYK\)"
    refused(tmp_path, said, "-colorspace sRGB FILE`; or have it converted: `bench score --convert")


def test_another_format_under_a_known_suffix(tmp_path):
    Image.fromarray(COLOUR[0]).save(tmp_path / "0.png", "GIF")
    refused(tmp_path, r"0\.png is no image .*: it is no PNG, .* or PPM file", "repair it")


def test_a_postscript_file_starts_no_other_program(tmp_path, monkeypatch):
    """Pillow opens it with Ghostscript if it may."""
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("a program was started"))
    save(tmp_path, COLOUR)
    Image.fromarray(COLOUR[0]).save(tmp_path / "2.png", "EPS")
    refused(tmp_path, r"2\.png is no image .*: it is no PNG", "repair it")


def test_fewer_than_two(tmp_path):
    refused(save(tmp_path / "a", GREY[:1]), "holds 1 image; a score needs two", "more images")
    for count, many in ((0, "no image"), (1, "1 image")):
        np.savez(tmp_path / "a.npz", COLOUR[:count])
        refused(tmp_path / "a.npz", f"holds {many}; a score needs two", "more images")
        contents = pa.array([encoded(c) for c in COLOUR[:count]], pa.binary())
        path = table(tmp_path / "a.parquet", {"image": contents})
        refused(path, f"holds {many}; a score needs two", "more images")


@pytest.mark.parametrize(
    "shape", [(5,), (5, 6), (3, 5, 6), (5, 6, 3), (1, 5, 6), (9, 3, 5, 3), (9, 5, 6, 4), (2,) * 5]
)
def test_shapes_that_may_mean_two_things_or_none(tmp_path, shape):
    np.savez(tmp_path / "a.npz", np.zeros(shape, np.uint8))
    found = refused(tmp_path / "a.npz", "cannot identify the axes", "[N, H, W, C]")
    assert str(list(shape)) in found


def test_images_without_pixels(tmp_path):
    np.savez(tmp_path / "a.npz", np.zeros((4, 0, 5, 3), np.uint8))
    refused(tmp_path / "a.npz", "in colour of 5x0 pixels")


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [(0, 255, "0 to 255"), (-1, 1, "-1 to 1"), (0, 1.25, "0 to 1.25"), (-0.5, 0.5, "-0.5 to 0.5")],
)
def test_numbers_outside_the_unit_interval(tmp_path, low, high, found):
    np.savez(tmp_path / "a.npz", np.linspace(low, high, 4 * 5 * 6).reshape(4, 5, 6))
    refused(tmp_path / "a.npz", rf"numbers from {found}, outside \[0, 1\]", "divide levels by 255")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none(tmp_path, bad):
    images = np.full((4, 5, 6), 0.5)
    images[2, 3, 4] = bad
    np.savez(tmp_path / "a.npz", images)
    refused(tmp_path / "a.npz", "images hold NaN or infinity")


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.uint16, bool, np.complex64, "U3"])
def test_other_types(tmp_path, kind):
    np.savez(tmp_path / "a.npz", GREY.astype(kind))
    refused(tmp_path / "a.npz", "images of type", "uint8 from 0 to 255")


def test_an_npz_without_images(tmp_path):
    np.savez(tmp_path / "a.npz", x=GREY, y=GREY)
    refused(tmp_path / "a.npz", r"no array is named images or arr_0 \(it has x, y\)", "numpy.savez")
    np.savez(tmp_path / "a.npz", **{})
    refused(tmp_path / "a.npz", "it has none", "numpy.savez")


def test_statistics_in_place_of_images(tmp_path):
    np.savez(tmp_path / "a.npz", mu=np.zeros(3), sigma=np.eye(3))
    refused(tmp_path / "a.npz", r"holds statistics \(mu, sigma\), no images", "as --reference")


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "flipped", "bare"])
def test_a_damaged_npz(tmp_path, damage):
    path = tmp_path / "a.npz"
    np.savez(path, images=COLOUR)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    bare = io.BytesIO()
    np.save(bare, COLOUR)
    written = {
        "empty": b"",
        "text": b"no archive",
        "cut": content[: len(content) // 2],
        "flipped": content,
        "bare": bare.getvalue(),
    }
    path.write_bytes(written[damage])
    refused(path, "is damaged", "write it again")


def test_nothing_is_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    np.savez(tmp_path / "a.npz", np.array([Trap()], dtype=object))
    refused(tmp_path / "a.npz", "pickled objects", "plain numbers")
    assert not (tmp_path / "sprung").exists()


def test_an_array_that_claims_to_be_larger_than_any_memory(tmp_path):
    head = io.BytesIO()
    claim = {"descr": "|u1", "fortran_order": False, "shape": (10**9, 10**5, 9)}
    np.lib.format.write_array_header_1_0(head, claim)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("images.npy", head.getvalue())
    refused(tmp_path / "a.npz", "does not fit into memory", "fewer images")


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"label": [1, 2]}, r"no column holds images \(it has label: int64\)"),
        ({"a": [b""], "b": [b""]}, r"columns a, b may all hold images"),
        ({"image": [{"path": "x.png"}]}, r"no column holds images \(it has image: struct"),
    ],
)
def test_parquet_files_without_one_column_of_images(tmp_path, columns, sentence):
    refused(table(tmp_path / "a.parquet", columns), sentence, "one column of encoded images")


@pytest.mark.parametrize("content", [None, b"", b"no image", encoded(GREY[0])[:60]])
def test_a_row_of_a_parquet_file_that_is_no_image_is_named(tmp_path, content):
    rows = [{"bytes": c, "path": "x"} for c in (encoded(GREY[0]), content)]
    table(tmp_path / "a.parquet", {"image": rows})
    refused(tmp_path / "a.parquet", r"a\.parquet\[1\] is no image that can be read", "repair it")


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "flipped"])
def test_a_damaged_parquet_file(tmp_path, damage):
    path = table(tmp_path / "a.parquet", {"image": [encoded(c) for c in COLOUR]})
    content = bytearray(path.read_bytes())
    content[4:40] = b"\xff" * 36  # the head of the first page
    written = {"empty": b"", "text": b"PAR1", "cut": content[:-20], "flipped": content}
    path.write_bytes(written[damage])
    refused(path, "is damaged", "copy it again")


@pytest.mark.parametrize("usual", ["image", "img"])
def test_of_several_columns_of_bytes_the_usual_name_is_read(tmp_path, usual):
    images = [encoded(image) for image in COLOUR]
    path = table(tmp_path / "a.parquet", {"thumbnail": [b"x"] * 4, usual: images})
    np.testing.assert_array_equal(read_user_images(path).transpose(0, 2, 3, 1), COLOUR)


# what is said, or refused before it is read


@pytest.mark.parametrize("kind", ["broken", "pipe", "folder"])
def test_what_is_no_file_is_refused_without_opening_it(tmp_path, kind):
    """A pipe that is opened waits for its other end for ever."""
    folder, other = save(tmp_path / "a", COLOUR), save(tmp_path / "b", COLOUR)
    if kind == "pipe":
        os.mkfifo(folder / "x.png")
    else:
        (folder / "x.png").symlink_to(other if kind == "folder" else tmp_path / "absent")
    said = "is a link to a folder" if kind == "folder" else "is a broken link, a pipe or a device"
    refused(folder, rf"x\.png {said}", "remove")
    if kind == "pipe":
        refused(folder / "x.png", "there is no file or folder")


@pytest.mark.parametrize("as_files", [True, False])
def test_zeros_and_ones_of_255_are_a_caution(tmp_path, as_files):
    ones = (GREY > 127).astype(np.uint8)
    path = save(tmp_path / "a", ones) if as_files else tmp_path / "a.npz"
    if not as_files:
        np.savez(path, ones)
    with pytest.warns(Caution, match="all levels are 0 or 1 of 255; multiply by 255"):
        assert read_user_images(path).max() == 1


def test_statistics_under_other_names_are_no_images(tmp_path):
    np.savez(tmp_path / "a.npz", mean=np.zeros(3), cov=np.eye(3))
    refused(tmp_path / "a.npz", r"holds statistics \(cov, mean\), no images", "as --reference")


def test_an_array_that_unpacks_to_more_than_any_image_is_not_read(tmp_path, monkeypatch):
    """Zeros are packed by a factor of 1,000."""
    monkeypatch.setattr(archive, "GIB", 2**20)
    path = tmp_path / "a.npz"
    np.savez_compressed(path, images=np.zeros(2**19 - 128, np.uint8))
    monkeypatch.setattr(npz.np, "load", lambda *_, **__: pytest.fail("it was read"))
    monkeypatch.setattr("bench.data.user_npz.array_names", lambda path: ["images"])
    refused(path, r"array 'images' unpacks from .* bytes to 524,288, as no images", "trust")
    monkeypatch.setattr(archive, "PLAUSIBLE_RATIO", 1100)
    with pytest.raises(UserError, match=r"unpacks to 0\.5 GiB, more than 0\.2 GiB"):
        npz.read_array(path, "images", 2**18)


def test_more_images_than_fit_are_not_allocated(tmp_path, monkeypatch):
    save(tmp_path, COLOUR)
    monkeypatch.setattr("bench.data.user_images.check_size.__defaults__", (4 * 90 - 1, None))
    refused(tmp_path, "with 4 images unpacks to")
