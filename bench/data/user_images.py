"""Read the images that a user wants to score, unchanged: no resize, no crop, no conversion."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.core.errors import Caution, UserError
from bench.data.archive import check_size
from bench.data.decode import SUFFIXES, list_files, read_image, to_array
from bench.data.progress import track_progress
from bench.data.shards import Shards
from bench.data.user_npz import read_npz

PARQUET = ".parquet"
KINDS = "a folder of PNG, JPEG or Parquet files, an .npz file or a .parquet file"
COLOURS = {1: "grey", 3: "in colour"}


def read_user_images(path: Path) -> np.ndarray:
    """Read all images of a file, or of a folder and its subfolders in the order of their paths.

    In memory are the result and one image, or 256 encoded images of a Parquet file.

    Returns:
        Images [N, C, H, W], C of 1 or 3; uint8, or float32 in [0, 1].

    Raises:
        UserError: there are fewer than two, one cannot be read, or they are not all of one size
            and kind.
    """
    if path.is_dir():
        images = _read_folder(path)
    elif not path.is_file():
        raise UserError(f"there is no file or folder {path}", fix=f"give {KINDS}")
    elif path.suffix.lower() == ".npz":
        images = read_npz(path)
    elif path.suffix.lower() == PARQUET:
        images = _decode_images(Shards([path]), path)
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


def _read_folder(path: Path) -> np.ndarray:
    files = list_files(path, (*SUFFIXES, PARQUET), fix=f"give {KINDS}")
    tables = [file for file in files if file.suffix.lower() == PARQUET]
    if not tables:
        return _decode_images([(str(file), file, None) for file in files], path)
    if len(tables) < len(files):
        images = (file for file in files if file not in tables)
        raise UserError(
            f"{path} holds images and Parquet files, such as {next(images)} and {tables[0]}",
            fix="give a folder that holds one kind",
        )
    return _decode_images(Shards(tables), path)


def _decode_images(encoded: Shards | list[tuple[str, Path, None]], source: Path) -> np.ndarray:
    """Decode images, (name, encoded image or its file, ...) each, into an array like the first."""
    images, first = np.empty((0, 1, 0, 0), np.uint8), ""
    bar = track_progress(encoded, what=str(source), unit="images")
    for index, (name, content, _) in enumerate(bar):
        image = to_array(read_image(name, content)).transpose(2, 0, 1)
        if not index:
            check_size(f"{source} with {len(encoded):,} images", image.nbytes * len(encoded))
            images, first = np.empty((len(encoded), *image.shape), np.uint8), name
        expected, found = (_describe_shape(array.shape) for array in (images[0], image))
        if expected != found:
            raise UserError(
                f"images differ: {first} is {expected}, {name} is {found}",
                fix="make them all of one size, and all grey or all in colour, and give those",
            )
        images[index] = image
    return images


def _describe_shape(shape: Sequence[int]) -> str:
    """Return the shape [C, H, W] in words."""
    channels, height, width = shape
    return f"{COLOURS[channels]} of {width}x{height} pixels"
