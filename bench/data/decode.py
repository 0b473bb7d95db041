"""Bytes of an image file -> array, for every source that holds compressed images."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

MODES = {1: "L", 3: "RGB"}
EXACT = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB"}  # these convert without loss
FORMATS = ("PNG", "JPEG")  # Pillow reads others by starting programs
DAMAGE = (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError)


def open_image(content: bytes | Path, channels: int) -> Image.Image:
    """A decoded image, upright, grey (1 channel) or RGB (3); transparency is dropped.

    Args:
        content: a PNG or JPEG file, or its bytes.
        channels: 1 or 3.

    Raises:
        ValueError: no image of 8 bits a channel can be read from it, or another number of channels
            is asked for.
    """
    if channels not in MODES:
        raise ValueError(f"images have 1 or 3 channels, not {channels}")
    with _opened(content) as image:
        return _upright(image, MODES[channels])


def open_exactly(content: bytes | Path) -> Image.Image:
    """A decoded image, upright, grey ("L") or RGB as it was stored, nothing dropped.

    Args:
        content: a PNG or JPEG file, or its bytes.

    Raises:
        ValueError: it cannot be read, or holds more than one picture of 8 bits a channel, grey or
            RGB: transparency, further frames, other colours.
    """
    with _opened(content) as image:
        if image.mode.endswith(("A", "a")) or "transparency" in image.info:
            raise ValueError(f"it has an alpha channel (mode {image.mode})")
        # A JPEG's further pictures are previews of the first; a PNG's are an animation.
        frames = getattr(image, "n_frames", 1)
        if image.format == "PNG" and frames > 1:
            raise ValueError(f"it is animated ({frames} frames)")
        if image.mode not in EXACT:
            raise ValueError(f"its colours are {image.mode}, neither grey nor RGB")
        return _upright(image, EXACT[image.mode])


@contextmanager
def _opened(content: bytes | Path) -> Iterator[Image.Image]:
    """The file, not yet decoded; whatever is wrong with it is a ValueError."""
    try:
        file = io.BytesIO(content) if isinstance(content, bytes) else content
        with Image.open(file, formats=FORMATS) as image:
            # Of 16 bits in three channels Pillow keeps 8 and says so only in the decoder's name.
            if image.mode.startswith(("I", "F")) or any("16" in str(t[3]) for t in image.tile):
                raise ValueError(f"more than 8 bits a channel (mode {image.mode})")
            yield image
    except DAMAGE as error:
        raise ValueError(str(error) or type(error).__name__) from error


def _upright(image: Image.Image, mode: str) -> Image.Image:
    kind = image.format
    upright = ImageOps.exif_transpose(image).convert(mode)
    upright.format = kind
    return upright


def to_array(image: Image.Image) -> np.ndarray:
    """uint8 [H, W, C]."""
    return np.asarray(image, dtype=np.uint8).reshape(image.height, image.width, -1)
