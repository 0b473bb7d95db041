"""Find PNG and JPEG files and decode them: one rule for training and scoring.

An image that would have to be changed before it is used is refused, since the way it is changed
moves a Frechet distance (Parmar et al. 2022, arXiv:2104.11222), and the user must choose it.
"""

import io
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from bench.core.errors import Caution, UserError
from bench.data import prepared

SUFFIXES = (".png", ".jpg", ".jpeg")
MODES = {1: "L", 3: "RGB"}
EXACT = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB"}  # these convert without loss
FORMATS = ("PNG", "JPEG")  # for some others Pillow starts external programs
BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)  # beyond Pillow's limit
SHOWN = 5  # names in a message


def list_files(folder: Path, suffixes: Sequence[str], *, fix: str) -> list[Path]:
    """Return the files with these suffixes in a folder and its subfolders, sorted by path.

    Hidden files and folders (`._NAME.png`, `.ipynb_checkpoints`) and the suite's own prepared files
    are left out; other kinds of files too, which a Caution names. Links to files are read.

    Args:
        fix: what to do where the folder holds no such file.

    Raises:
        UserError: there is no such file; a folder cannot be read; there is a link to a folder,
            or something with such a suffix that is no file.
    """
    files, others = [], []
    for path in _walk(folder):
        if path.suffix.lower() not in suffixes:
            others.append(path)
        else:
            require_file(path)
            files.append(path)
    kinds = ", ".join(suffixes)
    names = sorted(path.relative_to(folder).as_posix() for path in others)
    named = ", ".join(names[:SHOWN]) + ", ..." * (len(others) > SHOWN)
    if not files:
        raise UserError(f"{folder} holds no {kinds} (found: {named or 'nothing'})", fix=fix)
    if others:
        text = f"{folder}: left out what is no {kinds}: {named} ({len(others)} in all)"
        warnings.warn(text, Caution, stacklevel=2)
    return sorted(files, key=lambda path: path.relative_to(folder).as_posix())


def require_file(path: Path) -> None:
    """Refuse, with a UserError, what is no file: to open a pipe would wait for its other end."""
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "a broken link, a pipe or a device"
        raise UserError(
            f"{path} is {kind}, not a file",
            fix="put the file there, or remove it",
        )


def _walk(folder: Path) -> Iterator[Path]:
    """Iterate over what is neither hidden, nor a folder, nor a prepared file; refuse links."""
    for place, folders, names in os.walk(folder, onerror=_raise_unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for path in (Path(place, name) for name in folders):
            if path.is_symlink():
                raise UserError(
                    f"{path} is a link to a folder, which is not followed",
                    fix="copy that folder to this place, or remove the link",
                )
        paths = (Path(place, name) for name in names if not name.startswith("."))
        yield from (path for path in paths if path.suffix != prepared.SUFFIX)


def _raise_unreadable(error: OSError) -> None:
    raise UserError(
        f"cannot read folder {error.filename}: {error.strerror or error}",
        fix="check the path, and that you may read it",
    ) from error


class ImageError(ValueError):
    """Say why something is no image that can be read; `fix` says what to do about it."""

    def __init__(self, message: str, fix: str = "repair it or move it away") -> None:
        super().__init__(message)
        self.fix = fix


def read_image(name: str | Path, content: bytes | Path, channels: int | None = None) -> Image.Image:
    """Decode as `open_image` does, or raise a UserError that says where `name` the image is."""
    if isinstance(content, Path):
        require_file(content)
    try:
        return open_image(content, channels)
    except ImageError as error:
        raise UserError(f"{name} is no image that can be read: {error}", fix=error.fix) from error


def open_image(content: bytes | Path, channels: int | None = None) -> Image.Image:
    """Decode a PNG or JPEG file or its bytes, upright, as grey ("L") or RGB.

    Args:
        channels: 1 to convert to grey, 3 to RGB; None to keep what is stored.

    Raises:
        ImageError: it cannot be read, is beyond Pillow's limit, or holds more than one picture of
            8 bits a channel, grey or RGB: transparency, further frames, other colours.
    """
    file = io.BytesIO(content) if isinstance(content, bytes) else content
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(file, formats=FORMATS)
        with opened as image:
            _check_lossless(image)
            mode = EXACT[image.mode] if channels is None else MODES[channels]
            upright = ImageOps.exif_transpose(image).convert(mode)
            upright.format = image.format
            return upright
    except ImageError:
        raise
    except BOMBS as error:
        problem = f"it has more than {Image.MAX_IMAGE_PIXELS:,} pixels"
        raise ImageError(problem, "make it smaller, or move it away") from error
    except UnidentifiedImageError as error:
        raise ImageError("it is neither a PNG nor a JPEG file") from error
    except Exception as error:  # Pillow's on damaged files; there is no list of them
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ImageError(f"it is damaged ({reason})") from error


def _check_lossless(image: ImageFile.ImageFile) -> None:
    """Refuse an opened image of which a conversion to 8-bit grey or RGB would drop something."""
    # Pillow reduces 16 bits in three channels to 8; only the decoder's name shows it.
    if image.mode.startswith(("I", "F")) or any("16" in str(t[3]) for t in image.tile):
        problem, options = f"more than 8 bits a channel (mode {image.mode})", "-depth 8"
    elif image.mode.endswith(("A", "a")) or "transparency" in image.info:
        problem = f"an alpha channel (mode {image.mode})"
        options = "-background white -alpha remove -alpha off"
    # A JPEG's further pictures are previews of the first; a PNG's are an animation.
    elif image.format == "PNG" and (frames := getattr(image, "n_frames", 1)) > 1:
        raise ImageError(f"it has {frames} frames", "keep one: `magick 'FILE[0]' ONE.png`")
    elif image.mode not in EXACT:
        problem, options = f"colours neither grey nor RGB (mode {image.mode})", "-colorspace sRGB"
    else:
        return
    raise ImageError(
        f"it has {problem}", f"convert it, for example `magick mogrify {options} FILE`"
    )


def to_array(image: Image.Image) -> np.ndarray:
    """Convert an image to an array, uint8 [H, W, C]."""
    return np.asarray(image, dtype=np.uint8).reshape(image.height, image.width, -1)
