"""Decode PNG and JPEG files into arrays."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

MODES = {1: "L", 3: "RGB"}
EXACT = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB"}  # these convert without loss
FORMATS = ("PNG", "JPEG")  # for some others Pillow starts external programs
DAMAGE = (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError)


def open_image(content: bytes | Path, channels: int) -> Image.Image:
    """Decode a PNG or JPEG file or its bytes as grey (1 channel) or RGB (3), upright and opaque.

    Raises:
        ValueError: it is no readable image of 8 bits a channel, or `channels` is not 1 or 3.
    """
    if channels not in MODES:
        raise ValueError(f"images have 1 or 3 channels, not {channels}")
    with _open(content) as image:
        return _turn_upright(image, MODES[channels])


def open_losslessly(content: bytes | Path) -> Image.Image:
    """Decode a PNG or JPEG file or its bytes, grey ("L") or RGB as stored, upright; drop nothing.

    Raises:
        ValueError: it cannot be read, or holds more than one picture of 8 bits a channel, grey or
            RGB: transparency, further frames, other colours.
    """
    with _open(content) as image:
        if image.mode.endswith(("A", "a")) or "transparency" in image.info:
            raise ValueError(f"it has an alpha channel (mode {image.mode})")
        # A JPEG's further pictures are previews of the first; a PNG's are an animation.
        frames = getattr(image, "n_frames", 1)
        if image.format == "PNG" and frames > 1:
            raise ValueError(f"it is animated ({frames} frames)")
        if image.mode not in EXACT:
            raise ValueError(f"its colours are {image.mode}, neither grey nor RGB")
        return _turn_upright(image, EXACT[image.mode])


@contextmanager
def _open(content: bytes | Path) -> Iterator[Image.Image]:
    """Open an image file without decoding it; raise ValueError for any damage, in the block too."""
    try:
        file = io.BytesIO(content) if isinstance(content, bytes) else content
        with Image.open(file, formats=FORMATS) as image:
            # Pillow reduces 16 bits in three channels to 8; only the decoder's name shows it.
            if image.mode.startswith(("I", "F")) or any("16" in str(t[3]) for t in image.tile):
                raise ValueError(f"more than 8 bits a channel (mode {image.mode})")
            yield image
    except DAMAGE as error:
        raise ValueError(str(error) or type(error).__name__) from error


def _turn_upright(image: Image.Image, mode: str) -> Image.Image:
    image_format = image.format
    upright = ImageOps.exif_transpose(image).convert(mode)
    upright.format = image_format
    return upright


def to_array(image: Image.Image) -> np.ndarray:
    """Convert an image to an array, uint8 [H, W, C]."""
    return np.asarray(image, dtype=np.uint8).reshape(image.height, image.width, -1)
