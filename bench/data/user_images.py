"""Read the images that a user wants to score, unchanged: no resize, no crop.

Colours are converted where the user asks for it, and not otherwise.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.core.errors import Caution, UserError
from bench.data.archive import check_size
from bench.data.decode import CHANNELS, SUFFIXES, list_files, read_image, to_array
from bench.data.decode import KINDS as FILES
from bench.data.progress import track_progress
from bench.data.shards import Shards
from bench.data.user_npz import read_npz

PARQUET = ".parquet"
KINDS = f"a folder of {FILES} or of Parquet files, an .npz file or a .parquet file"
COLOURS = {1: "grey", 3: "in colour"}


def read_user_images(path: Path, convert: str | None = None) -> np.ndarray:
    """Read all images of a file, or of a folder and its subfolders in the order of their paths.

    In memory are the result and one image, or 256 encoded images of a Parquet file.

    Args:
        convert: "grey" or "rgb": convert to it; None: keep what is stored.

    Returns:
        Images [N, C, H, W], C of 1 or 3; uint8, or float32 in [0, 1].

    Raises:
        UserError: there are fewer than two, one cannot be read, or they are not all of one size
            and kind.
    """
    if path.is_dir():
        images = _read_folder(path, convert)
    elif not path.is_file():
        raise UserError(f"there is no file or folder {path}", fix=f"give {KINDS}")
    elif path.suffix.lower() == ".npz":
        images = convert_colours(read_npz(path), convert)
    elif path.suffix.lower() == PARQUET:
        images = _decode_images(Shards([path]), path, convert)
    else:
        raise UserError(f"{path}: no kind of file that can be read", fix=f"give {KINDS}")
    count, *shape = images.shape
    if count < 2:
        number = "1 image" if count else "no image"
        message = f"{path} holds {number}; a score needs two at least"
        raise UserError(message, fix="give more images")
    if not images.size:
        message = f"{path}: images {_describe_shape(shape)}"
        raise UserError(message, fix="give images that have pixels")
    if images.dtype == np.uint8 and images.max() <= 1:
        text = f"{path}: all levels are 0 or 1 of 255; multiply by 255 if 1 means white"
        warnings.warn(text, Caution, stacklevel=2)
    return images


def _read_folder(path: Path, convert: str | None) -> np.ndarray:
    files = list_files(path, (*SUFFIXES, PARQUET), fix=f"give {KINDS}")
    tables = [file for file in files if file.suffix.lower() == PARQUET]
    if not tables:
        return _decode_images([(str(file), file, None) for file in files], path, convert)
    if len(tables) < len(files):
        images = (file for file in files if file not in tables)
        raise UserError(
            f"{path} holds images and Parquet files, such as {next(images)} and {tables[0]}",
            fix="give a folder that holds one kind",
        )
    return _decode_images(Shards(tables), path, convert)


def convert_colours(images: np.ndarray, convert: str | None) -> np.ndarray:
    """Convert images [N, C, H, W], uint8 or numbers in [0, 1], to "grey" or "rgb"; None: keep.

    Grey is ITU-R 601-2 luma, 0.299 R + 0.587 G + 0.114 B, rounded as Pillow does for uint8.
    """
    if convert is None or images.shape[1] == CHANNELS[convert]:
        return images
    if convert == "rgb":
        return images.repeat(3, axis=1)
    red, green, blue = (images[:, channel : channel + 1] for channel in range(3))
    if images.dtype != np.uint8:
        return 0.299 * red + 0.587 * green + 0.114 * blue
    luma = 19595 * red.astype(np.uint32) + 38470 * green.astype(np.uint32)
    return ((luma + 7471 * blue.astype(np.uint32) + 2**15) >> 16).astype(np.uint8)


def _decode_images(
    encoded: Shards | list[tuple[str, Path, None]], source: Path, convert: str | None
) -> np.ndarray:
    """Decode images, (name, encoded image or its file, ...) each, into an array like the first."""
    images, first = np.empty((0, 1, 0, 0), np.uint8), ""
    bar = track_progress(encoded, what=str(source), unit="images")
    for index, (name, content, _) in enumerate(bar):
        image = to_array(read_image(name, content, convert=convert)).transpose(2, 0, 1)
        if not index:
            check_size(f"{source} with {len(encoded):,} images", image.nbytes * len(encoded))
            images, first = np.empty((len(encoded), *image.shape), np.uint8), name
        expected, found = (_describe_shape(array.shape) for array in (images[0], image))
        if expected != found:
            fix = "make them all of one size, and all grey or all in colour, and give those"
            if images[0].shape[1:] == image.shape[1:]:
                fix = "add --convert grey or --convert rgb, or make them all grey or all in colour"
            raise UserError(
                f"images differ: {first} is {expected}, {name} is {found}",
                fix=fix,
            )
        images[index] = image
    return images


def _describe_shape(shape: Sequence[int]) -> str:
    """Return the shape [C, H, W] in words."""
    channels, height, width = shape
    return f"{COLOURS[channels]} of {width}x{height} pixels"
