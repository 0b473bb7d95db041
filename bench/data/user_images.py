"""Anybody's images, as they are: no resize, no crop, no colour changed on the way.

What would have to be changed before it could be scored is refused: how it is changed moves a
Frechet distance (Parmar et al. 2022, arXiv:2104.11222), and is the giver's to decide.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.core.errors import UserError
from bench.data.decode import open_exactly, to_array
from bench.data.progress import counter
from bench.data.user_npz import read_npz
from bench.data.user_parquet import Shards

PICTURES = (".png", ".jpg", ".jpeg")
TABLES = (".parquet",)
KINDS = "a folder of PNG, JPEG or Parquet files, an .npz file or a .parquet file"
COLOURS = {1: "grey", 3: "in colour"}


@dataclass(frozen=True)
class UserImages:
    """Images as they were given.

    Args:
        images: [N, C, H, W], C of 1 or 3; uint8, or float32 in [0, 1].
        names: of the images, for a message or a picture; None where they have none.
    """

    images: np.ndarray
    names: list[str] | None


def read_user_images(path: Path) -> UserImages:
    """All images of a folder (searched to its ends, in the order of names) or file.

    Beside the result one image, or 256 encoded ones of a Parquet file, are held.

    Raises:
        UserError: there are fewer than two, one cannot be read, or they are not all of one size
            and kind.
    """
    if path.is_dir():
        given = _folder(path)
    elif not path.is_file():
        raise UserError(f"no file or folder {path}", fix=f"give {KINDS}")
    elif path.suffix.lower() == ".npz":
        given = UserImages(read_npz(path), None)
    elif path.suffix.lower() in TABLES:
        given = _parquet([path], path.parent)
    else:
        raise UserError(f"{path}: no kind of file that can be read", fix=f"give {KINDS}")
    count, *shape = given.images.shape
    if count < 2:
        many = "1 image" if count else "no image"
        raise UserError(f"{path} holds {many}; a score needs two at least", fix="give more images")
    if not given.images.size:
        raise UserError(f"{path}: images {_kind(shape)}", fix="give images that hold something")
    return given


def _folder(path: Path) -> UserImages:
    """Hidden files are left out: archives made on a Mac hold a ._NAME.png beside each image."""
    files = [file for file in path.rglob("*") if file.is_file()]
    files = [f for f in files if not any(p.startswith(".") for p in f.relative_to(path).parts)]
    files.sort(key=lambda file: file.relative_to(path).as_posix())
    pictures = [file for file in files if file.suffix.lower() in PICTURES]
    tables = [file for file in files if file.suffix.lower() in TABLES]
    if pictures and tables:
        raise UserError(
            f"folder {path} holds images and Parquet files, such as {pictures[0]} and {tables[0]}",
            fix="give a folder that holds one kind",
        )
    if tables:
        return _parquet(tables, path)
    if not pictures:
        found = sorted({file.suffix or file.name for file in files})
        what = f"no image (found {', '.join(found[:8])})" if found else "no file"
        raise UserError(f"folder {path} holds {what}", fix=f"give {KINDS}")
    names = (file.relative_to(path).as_posix() for file in pictures)
    return _decoded(zip(names, pictures, strict=True), len(pictures), path)


def _parquet(files: Sequence[Path], folder: Path) -> UserImages:
    shards = Shards(files, folder)
    return _decoded(shards.rows(), len(shards), folder)


def _decoded(encoded: Iterable[tuple[str, bytes | Path]], count: int, folder: Path) -> UserImages:
    """Decode into one array, whose size the first image decides.

    Args:
        encoded: (name, encoded image).
        count: of them.
        folder: in which the names lie.
    """
    names: list[str] = []
    images = np.empty((count, 0, 0, 0), np.uint8)
    with counter(what=str(folder), unit=" images", total=count) as bar:
        for name, content in encoded:
            image = _array(folder / name, content)
            if not names:
                images = _room(count, image.shape, folder)
            elif image.shape != images.shape[1:]:
                first = f"{folder / names[0]} is {_kind(images.shape[1:])}"
                raise UserError(
                    f"images differ: {first}, {folder / name} is {_kind(image.shape)}",
                    fix="make them all of one size, and all grey or all in colour, and give those",
                )
            images[len(names)] = image
            names.append(name)
            bar.update()
    return UserImages(images, names)


def _array(path: Path, content: bytes | Path) -> np.ndarray:
    """One image, uint8 [C, H, W]."""
    try:
        return to_array(open_exactly(content)).transpose(2, 0, 1)
    except ValueError as error:
        raise UserError(
            f"{path} is no image that can be scored: {error}",
            fix="mend it or move it away; 8-bit grey or RGB PNG and JPEG files are read",
        ) from error


def _room(count: int, shape: tuple[int, ...], folder: Path) -> np.ndarray:
    try:
        return np.empty((count, *shape), np.uint8)
    except MemoryError as error:
        raise UserError(
            f"{folder}: {count} images, {_kind(shape)}, do not fit into memory",
            fix="give fewer images, or smaller ones",
        ) from error


def _kind(shape: Sequence[int]) -> str:
    """The shape [C, H, W] in words."""
    channels, height, width = shape
    return f"{COLOURS[channels]} of {width}x{height} pixels"
