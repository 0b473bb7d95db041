"""Crop and resize, for data sets whose preparation is part of a published number."""

import numpy as np


def centre_crop(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """Cut out the middle of images [..., H, W, C], rounded towards the top left corner.

    Raises:
        ValueError: the images are smaller than the crop.
    """
    top, left = images.shape[-3] - height, images.shape[-2] - width
    if top < 0 or left < 0:
        raise ValueError(f"centre_crop: {images.shape[-3:-1]} is smaller than {(height, width)}")
    top, left = top // 2, left // 2
    return images[..., top : top + height, left : left + width, :]


def resize_bilinear_tf1(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """TensorFlow 1's resize_bilinear(align_corners=False): pixel i is read at i * in / out.

    Not at the half-pixel (i + 1/2) in / out - 1/2, and without antialiasing: the result is shifted
    half a source step up and left, as in all work of that time, the study's CelebA included.
    Images [..., H, W, C] of any dtype become float32 [..., height, width, C].
    """
    top, bottom, down = _grid(images.shape[-3], height)
    left, right, along = _grid(images.shape[-2], width)
    along, down = along[:, None], down[:, None, None]

    def row(rows: np.ndarray) -> np.ndarray:
        pixels = images[..., rows, :, :].astype(np.float32)
        first = pixels[..., left, :]
        return first + (pixels[..., right, :] - first) * along

    upper = row(top)
    return upper + (row(bottom) - upper) * down


def _grid(size: int, new_size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the pixels before and after each source coordinate, and the weight of the latter."""
    source = np.arange(new_size, dtype=np.float32) * np.float32(size / new_size)
    before = np.floor(source).astype(np.int64)
    return before, np.minimum(before + 1, size - 1), source - before.astype(np.float32)
