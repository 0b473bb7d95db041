"""Read a user's images from an .npz file: whole grey levels, or numbers in [0, 1]."""

from pathlib import Path

import numpy as np

from bench.core.errors import UserError
from bench.data.npz import array_names, holds_statistics, read_array

CHANNELS = (1, 3)


def read_npz(path: Path) -> np.ndarray:
    """Read the array `images`, else the only one, else `arr_0`, as images [N, C, H, W].

    Returns:
        uint8 as in the file, or float32 in [0, 1].

    Raises:
        UserError: there is no such array, or its axes or values are ambiguous.
    """
    name = _choose_array(path)
    return _check_values(path, _channels_first(path, read_array(path, name)))


def _choose_array(path: Path) -> str:
    names = array_names(path)
    for name in ("images", names[0] if len(names) == 1 else "arr_0"):
        if name in names:
            return name
    if holds_statistics(path):
        raise UserError(
            f"{path} holds statistics ({', '.join(names)}), no images",
            fix="give it as --reference, or give the images themselves",
        )
    raise UserError(
        f"{path}: no array is named images or arr_0 (it has {', '.join(names) or 'none'})",
        fix="write it with numpy.savez(path, images=array)",
    )


def _channels_first(path: Path, images: np.ndarray) -> np.ndarray:
    """[N, H, W], [N, H, W, C] or [N, C, H, W] -> [N, C, H, W], a view."""
    shape = images.shape
    is_grey = images.ndim == 3 and shape[0] not in CHANNELS and shape[2] not in CHANNELS
    first, last = (images.ndim == 4 and shape[axis] in CHANNELS for axis in (1, 3))
    if is_grey:
        return images[:, None]
    if first != last:
        return images if first else images.transpose(0, 3, 1, 2)
    raise UserError(
        f"{path}: cannot identify the axes of an array of shape {list(shape)}",
        fix="give [N, H, W], [N, H, W, C] or [N, C, H, W] with C of 1 or 3 and no other axis of "
        "these sizes; drop an alpha channel",
    )


def _check_values(path: Path, images: np.ndarray) -> np.ndarray:
    """Return uint8 images unchanged, numbers in [0, 1] as float32; refuse all others."""
    if images.dtype == np.uint8:
        return images
    if not np.issubdtype(images.dtype, np.floating):
        raise UserError(
            f"{path}: images of type {images.dtype}",
            fix="give uint8 from 0 to 255, or floating point numbers from 0 to 1",
        )
    if images.size:
        low, high = float(images.min()), float(images.max())
        if not np.isfinite([low, high]).all():  # a NaN anywhere is both of them
            raise UserError(
                f"{path}: images hold NaN or infinity",
                fix="check the program that wrote them, or remove those images",
            )
        if low < 0 or high > 1:
            raise UserError(
                f"{path}: numbers from {low:g} to {high:g}, outside [0, 1]",
                fix="divide levels by 255, map [-1, 1] by (x + 1) / 2, or give uint8",
            )
    return images.astype(np.float32, copy=False)
