"""Bytes of an image file -> array, for every source that holds compressed images."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

MODES = {1: "L", 3: "RGB"}
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
    try:
        file = io.BytesIO(content) if isinstance(content, bytes) else content
        with Image.open(file, formats=FORMATS) as image:
            if image.mode.startswith(("I", "F")):
                raise ValueError(f"more than 8 bits a channel (mode {image.mode})")
            kind = image.format
            upright = ImageOps.exif_transpose(image).convert(MODES[channels])
            upright.format = kind
            return upright
    except DAMAGE as error:
        raise ValueError(str(error) or type(error).__name__) from error


def to_array(image: Image.Image) -> np.ndarray:
    """uint8 [H, W, C]."""
    return np.asarray(image, dtype=np.uint8).reshape(image.height, image.width, -1)
