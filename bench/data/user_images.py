"""Read a user's images unchanged: no resize, no crop, no conversion of colours.

An image that would have to be changed before it could be scored is refused: the way it is changed
moves a Frechet distance (Parmar et al. 2022, arXiv:2104.11222), and the user must choose it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.core.errors import UserError
from bench.data.decode import open_losslessly, to_array
from bench.data.progress import progress_bar
from bench.data.user_npz import read_npz
from bench.data.user_parquet import Shards

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")
PARQUET_SUFFIXES = (".parquet",)
KINDS = "a folder of PNG, JPEG or Parquet files, an .npz file or a .parquet file"
COLOURS = {1: "grey", 3: "in colour"}


@dataclass(frozen=True)
class UserImages:
    """A user's images.

    Args:
        images: [N, C, H, W], C of 1 or 3; uint8, or float32 in [0, 1].
        names: names of the images; None where they have none.
    """

    images: np.ndarray
    names: list[str] | None


def read_user_images(path: Path) -> UserImages:
    """Read all images of a file, or of a folder and its subfolders in the order of their paths.

    In memory are the result and one image, or 256 encoded images of a Parquet file.

    Raises:
        UserError: there are fewer than two, one cannot be read, or they are not all of one size
            and kind.
    """
    if path.is_dir():
        user_images = _read_folder(path)
    elif not path.is_file():
        raise UserError(f"no file or folder {path}", fix=f"give {KINDS}")
    elif path.suffix.lower() == ".npz":
        user_images = UserImages(read_npz(path), None)
    elif path.suffix.lower() in PARQUET_SUFFIXES:
        user_images = _read_parquet([path], path.parent)
    else:
        raise UserError(f"{path}: no kind of file that can be read", fix=f"give {KINDS}")
    count, *shape = user_images.images.shape
    if count < 2:
        number = "1 image" if count else "no image"
        message = f"{path} holds {number}; a score needs two at least"
        raise UserError(message, fix="give more images")
    if not user_images.images.size:
        message = f"{path}: images {_describe_shape(shape)}"
        raise UserError(message, fix="give images that have pixels")
    return user_images


def _read_folder(path: Path) -> UserImages:
    # Hidden files are left out: archives made on a Mac hold a ._NAME.png beside each image.
    files = [file for file in path.rglob("*") if file.is_file()]
    files = [f for f in files if not any(p.startswith(".") for p in f.relative_to(path).parts)]
    files.sort(key=lambda file: file.relative_to(path).as_posix())
    images = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES]
    tables = [file for file in files if file.suffix.lower() in PARQUET_SUFFIXES]
    if images and tables:
        raise UserError(
            f"folder {path} holds images and Parquet files, such as {images[0]} and {tables[0]}",
            fix="give a folder that holds one kind",
        )
    if tables:
        return _read_parquet(tables, path)
    if not images:
        suffixes = sorted({file.suffix or file.name for file in files})
        content = f"no image (found {', '.join(suffixes[:8])})" if suffixes else "no file"
        raise UserError(f"folder {path} holds {content}", fix=f"give {KINDS}")
    names = (file.relative_to(path).as_posix() for file in images)
    return _decode_images(zip(names, images, strict=True), len(images), path)


def _read_parquet(files: Sequence[Path], folder: Path) -> UserImages:
    shards = Shards(files, folder)
    return _decode_images(shards.rows(), len(shards), folder)


def _decode_images(
    encoded: Iterable[tuple[str, bytes | Path]], count: int, folder: Path
) -> UserImages:
    """Decode images, (name, encoded image or its file) each, into one array like the first."""
    names: list[str] = []
    images = np.empty((count, 0, 0, 0), np.uint8)
    with progress_bar(what=str(folder), unit=" images", total=count) as bar:
        for name, content in encoded:
            image = _decode_image(folder / name, content)
            if not names:
                images = _allocate(count, image.shape, folder)
            elif image.shape != images.shape[1:]:
                first = f"{folder / names[0]} is {_describe_shape(images.shape[1:])}"
                raise UserError(
                    f"images differ: {first}, {folder / name} is {_describe_shape(image.shape)}",
                    fix="make them all of one size, and all grey or all in colour, and give those",
                )
            images[len(names)] = image
            names.append(name)
            bar.update()
    return UserImages(images, names)


def _decode_image(path: Path, content: bytes | Path) -> np.ndarray:
    """Decode one image, uint8 [C, H, W]."""
    try:
        return to_array(open_losslessly(content)).transpose(2, 0, 1)
    except ValueError as error:
        raise UserError(
            f"{path} is no image that can be scored: {error}",
            fix="repair it or move it away; 8-bit grey or RGB PNG and JPEG files are read",
        ) from error


def _allocate(count: int, shape: tuple[int, ...], folder: Path) -> np.ndarray:
    try:
        return np.empty((count, *shape), np.uint8)
    except MemoryError as error:
        raise UserError(
            f"{folder}: {count} images, {_describe_shape(shape)}, do not fit into memory",
            fix="give fewer images, or smaller ones",
        ) from error


def _describe_shape(shape: Sequence[int]) -> str:
    """Return the shape [C, H, W] in words."""
    channels, height, width = shape
    return f"{COLOURS[channels]} of {width}x{height} pixels"
