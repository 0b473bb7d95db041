"""Identify a data set by its content: two data sets with one digest train the same run."""

import hashlib
from collections.abc import Mapping

import numpy as np

from bench.data.split import Split


def content_digest(splits: Mapping[str, Split]) -> str:
    """SHA-256, 64 hex digits, over names, dtypes, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256()
    for split in sorted(splits):
        content = splits[split]
        for name, array in (("samples", content.samples), ("labels", content.labels)):
            if array is None:
                continue
            little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
            digest.update(f"{split}.{name} {array.dtype.name} {list(array.shape)}\n".encode())
            digest.update(little.data)
    return digest.hexdigest()
