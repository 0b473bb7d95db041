"""Keep a few of many images, the same few in whatever order, batches or processes they come.

Kept are the images whose content has the smallest hashes: a random subset that depends on nothing
but the images. A record is one row of float32: two words of the hash, C, H, W and the pixels; it
can be gathered over processes as plain numbers.
"""

import hashlib

import numpy as np
import torch
from torch import Tensor

WORD = 3  # bytes of a hash in a float32, which holds integers up to 2^24
HEAD = 5  # numbers before the pixels of a record


def encode_images(images: Tensor) -> Tensor:
    """Images [B, C, H, W] -> records [B, 5 + C H W], on the CPU."""
    images = images.float().cpu().contiguous()
    digests = [hashlib.sha256(image.numpy().data).digest() for image in images]
    words = [[int.from_bytes(d[at : at + WORD], "big") for at in (0, WORD)] for d in digests]
    shapes = torch.tensor(images.shape[1:]).expand(len(images), 3)
    return torch.cat([torch.tensor(words), shapes, images.flatten(1)], 1)


def keep_smallest(records: Tensor, count: int) -> Tensor:
    """Return at most `count` of the records: those of the smallest hashes, sorted by hash."""
    high, low = records[:, :2].double().T
    return records[(high * 2.0 ** (8 * WORD) + low).argsort(stable=True)[:count]]


def unflatten_records(flat: Tensor) -> Tensor:
    """Concatenated flat records of one image or more, [n (5 + C H W)] -> [n, 5 + C H W].

    Raises:
        ValueError: the images are not all of one shape.
    """
    shape = flat[2:HEAD]
    size = HEAD + int(shape.prod())
    records = flat.reshape(-1, size) if len(flat) % size == 0 else flat[None, :0]
    if not records.numel() or (records[:, 2:HEAD] != shape).any():
        first = "x".join(f"{axis:g}" for axis in shape.tolist())
        raise ValueError(f"images are not all of one shape, the first kept is {first}")
    return records


def decode_images(records: Tensor) -> np.ndarray:
    """Records [n, 5 + C H W] -> images [n, C, H, W], float32."""
    return records[:, HEAD:].reshape(-1, *map(int, records[0, 2:HEAD])).numpy()
