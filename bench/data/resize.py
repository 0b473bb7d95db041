"""Crop and resize, for data sets whose preparation is part of a published number."""

import numpy as np


def centre_crop(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """The middle of images [..., H, W, C]; where it cannot be the middle, one pixel before it.

    Raises:
        ValueError: the images are smaller.
    """
    top, left = images.shape[-3] - height, images.shape[-2] - width
    if top < 0 or left < 0:
        raise ValueError(f"centre_crop: {images.shape[-3:-1]} is smaller than {(height, width)}")
    top, left = top // 2, left // 2
    return images[..., top : top + height, left : left + width, :]


def resize_bilinear_tf1(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """TensorFlow 1's resize_bilinear(align_corners=False): pixel i is read at i * in / out.

    Not at the half-pixel (i + 1/2) in / out - 1/2, and without antialiasing: the result lies half
    a source step up and left, as in all work of that time, the study's CelebA included.

    Args:
        images: [..., H, W, C], any dtype.

    Returns:
        float32 [..., height, width, C].
    """
    top, bottom, down = _grid(images.shape[-3], height)
    left, right, along = _grid(images.shape[-2], width)
    along, down = along[:, None], down[:, None, None]

    def row(rows: np.ndarray) -> np.ndarray:
        chosen = images[..., rows, :, :].astype(np.float32)
        first = chosen[..., left, :]
        return first + (chosen[..., right, :] - first) * along

    upper = row(top)
    return upper + (row(bottom) - upper) * down


def _grid(size: int, wanted: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Neighbours before and after each source coordinate, and the share of the latter."""
    source = np.arange(wanted, dtype=np.float32) * np.float32(size / wanted)
    before = np.floor(source).astype(np.int64)
    return before, np.minimum(before + 1, size - 1), source - before.astype(np.float32)
