"""Find image files and decode them: one rule for training and scoring.

An image that would have to be changed before it is used is refused, since the way it is changed
moves a Frechet distance (Parmar et al. 2022, arXiv:2104.11222), and the user must choose it. Of
colours alone the user may leave the change to this file: `--convert`, `dataset.source.convert`.
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

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm")
KINDS = "PNG, JPEG, WebP, BMP, TIFF or PPM"
MODES = {1: "L", 3: "RGB"}
CHANNELS = {"grey": 1, "rgb": 3}  # of what `convert` makes
EXACT = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB"}  # these convert without loss
OTHER_COLOURS = ("CMYK", "YCbCr")  # to RGB by Pillow's formulas, without a colour profile
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "PPM")  # for some others Pillow starts programs
EXTRA_SAMPLES = 338  # TIFF's tag of channels beyond the colours
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


def check_convert(convert: str | None, key: str) -> None:
    """Refuse, with a UserError, what is neither None nor a name of CHANNELS."""
    if convert is not None and convert not in CHANNELS:
        names = " or ".join(CHANNELS)
        raise UserError(f"{key} is {convert!r}", fix=f"set it to {names}, or leave it out")


def read_image(
    name: str | Path,
    content: bytes | Path,
    channels: int | None = None,
    convert: str | None = None,
) -> Image.Image:
    """Decode as `open_image` does, or raise a UserError that says where `name` the image is."""
    if isinstance(content, Path):
        require_file(content)
    try:
        return open_image(content, channels, convert)
    except ImageError as error:
        raise UserError(f"{name} is no image that can be read: {error}", fix=error.fix) from error


def open_image(
    content: bytes | Path, channels: int | None = None, convert: str | None = None
) -> Image.Image:
    """Decode an image file or its bytes, upright, as grey ("L") or RGB.

    Args:
        channels: 1 to convert to grey, 3 to RGB; None to keep what is stored.
        convert: "grey" or "rgb" in place of `channels`, from CMYK and YCbCr too; None: refuse
            those. Grey is ITU-R 601-2 luma.

    Raises:
        ImageError: it cannot be read, is beyond Pillow's limit, or holds more than one picture of
            8 bits a channel, grey or RGB: transparency, further frames, other colours.
    """
    try:
        # By its path, Pillow would map a file into memory, and mix up the pixels of a turned TIFF.
        opened = io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")
        with opened as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # on the metadata of a TIFF
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(file, formats=FORMATS)
            _check_lossless(image, convert)
            if convert is not None:
                channels = CHANNELS[convert]
            upright = ImageOps.exif_transpose(image)
            if upright.mode in OTHER_COLOURS:
                upright = upright.convert("RGB")
            upright = upright.convert(EXACT[upright.mode] if channels is None else MODES[channels])
            upright.format = image.format
            return upright
    except ImageError:
        raise
    except BOMBS as error:
        problem = f"it has more than {Image.MAX_IMAGE_PIXELS:,} pixels"
        raise ImageError(problem, "make it smaller, or move it away") from error
    except UnidentifiedImageError as error:
        raise ImageError(f"it is no {KINDS} file") from error
    except Exception as error:  # Pillow's on damaged files; there is no list of them
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ImageError(f"it is damaged ({reason})") from error


def _check_lossless(image: ImageFile.ImageFile, convert: str | None) -> None:
    """Refuse an opened image of which a conversion to 8-bit grey or RGB would drop something."""
    if image.mode.startswith(("I", "F")) or _has_16_bits(image):
        problem, options = f"more than 8 bits a channel (mode {image.mode})", "-depth 8"
    elif image.mode.endswith(("A", "a")) or "transparency" in image.info:
        problem = f"an alpha channel (mode {image.mode})"
        options = "-background white -alpha remove -alpha off"
    elif getattr(image, "tag_v2", {}).get(EXTRA_SAMPLES):
        problem, options = "a channel beside its colours", "-alpha off"
    # A JPEG's further pictures are previews of the first; others are an animation, or pages.
    elif image.format not in ("JPEG", "MPO") and (frames := getattr(image, "n_frames", 1)) > 1:
        raise ImageError(f"it has {frames} frames", "keep one: `magick 'FILE[0]' ONE.png`")
    elif image.mode in EXACT or (image.mode in OTHER_COLOURS and convert is not None):
        return
    else:
        problem, options = f"colours neither grey nor RGB (mode {image.mode})", "-colorspace sRGB"
    fix = f"convert it, for example `magick mogrify {options} FILE`"
    if image.mode in OTHER_COLOURS and options == "-colorspace sRGB":
        fix += "; or have it converted: `bench score --convert rgb`, `dataset.source.convert=rgb`"
    raise ImageError(f"it has {problem}", fix)


def _has_16_bits(image: ImageFile.ImageFile) -> bool:
    """Whether an image has 16 bits in three channels, which Pillow reduces to 8 without a word."""
    for decoder, _, _, arguments in image.tile:
        raw, *numbers = arguments if isinstance(arguments, tuple) else (arguments,)
        if ";16" in str(raw) and not str(raw).startswith("BGR"):  # "BGR;16": 5 or 6 bits each
            return True
        if decoder in ("ppm", "ppm_plain") and max(numbers, default=0) > 255:  # the largest level
            return True
    return False


def to_array(image: Image.Image) -> np.ndarray:
    """Convert an image to an array, uint8 [H, W, C]."""
    return np.asarray(image, dtype=np.uint8).reshape(image.height, image.width, -1)
