"""A few of many images, the same few in whatever order, batches or processes they come.

Those are kept whose content has the smallest hashes: a random part that depends on nothing but
the images. A record is one row of float32: two words of the hash, C, H, W and the pixels; it can
be gathered over processes as plain numbers.
"""

import hashlib

import numpy as np
import torch
from torch import Tensor

WORD = 3  # bytes of a hash in a float32, which holds integers up to 2^24
HEAD = 5


def records_of(images: Tensor) -> Tensor:
    """Records [B, 5 + C H W] of images [B, C, H, W], on the CPU."""
    images = images.float().cpu().contiguous()
    digests = [hashlib.sha256(image.numpy().data).digest() for image in images]
    words = [[int.from_bytes(d[at : at + WORD], "big") for at in (0, WORD)] for d in digests]
    shapes = torch.tensor(images.shape[1:]).expand(len(images), 3)
    return torch.cat([torch.tensor(words), shapes, images.flatten(1)], 1)


def smallest(records: Tensor, count: int) -> Tensor:
    """At most `count` of the records, those of the smallest hashes, in their order."""
    high, low = records[:, :2].double().T
    return records[(high * 2.0 ** (8 * WORD) + low).argsort(stable=True)[:count]]


def rows_of(flat: Tensor) -> Tensor:
    """Records, flattened one after the other, as rows again; one at least.

    Raises:
        ValueError: the images are not all of one shape.
    """
    shape = flat[2:HEAD]
    size = HEAD + int(shape.prod())
    rows = flat.reshape(-1, size) if len(flat) % size == 0 else flat[None, :0]
    if not rows.numel() or (rows[:, 2:HEAD] != shape).any():
        first = "x".join(f"{axis:g}" for axis in shape.tolist())
        raise ValueError(f"images are not all of one shape, the first kept is {first}")
    return rows


def images_of(rows: Tensor) -> np.ndarray:
    """The images [n, C, H, W], float32, of rows."""
    return rows[:, HEAD:].reshape(-1, *map(int, rows[0, 2:HEAD])).numpy()
