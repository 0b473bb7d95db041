"""CIFAR-10 from its official archive for Python.

Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images; the layout is described at
https://www.cs.toronto.edu/~kriz/cifar.html.

Its batches are pickles, a format that may run code; here they may call three functions of numpy.
"""

import io
import math
import pickle
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bench.core.errors import UserError
from bench.data.archive import GIB, unpack
from bench.data.checksums import verify_checksum
from bench.data.decode import require_file
from bench.data.download import download
from bench.data.split import Split
from bench.data.stored import StoredDataset

CLASSES = 10
CHANNELS = 3
_reconstruct = np.empty(0).__reduce__()[0]  # its module's name depends on numpy's version
ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}
DAMAGE = (
    *(pickle.UnpicklingError, EOFError, struct.error, ImportError, MemoryError),
    *(ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError),
)


class _Arrays(pickle.Unpickler):
    """An unpickler of containers, numbers, bytes and numpy arrays, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return ALLOWED[module, name]


def parse_batch(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Parse one batch into images uint8 [N, 3, S, S] and labels int64 [N].

    Args:
        content: the pickle, a mapping with b"data" (uint8 [N, 3 * S * S], planes of rows) and
            b"labels".

    Raises:
        ValueError: it is damaged, of another shape, or needs more than numpy's arrays.
    """
    try:
        batch = _Arrays(io.BytesIO(content), encoding="bytes").load()
        images, labels = batch[b"data"], np.asarray(batch[b"labels"], dtype=np.int64)
        side = math.isqrt(images.shape[1] // CHANNELS)
        images = images.reshape(-1, CHANNELS, side, side)
        if images.dtype != np.uint8 or labels.shape != images.shape[:1]:
            raise ValueError(f"{images.dtype} {images.shape} images, {labels.shape} labels")
        if not ((labels >= 0) & (labels < CLASSES)).all():
            raise ValueError(f"labels beyond 0 to {CLASSES - 1}")
    except DAMAGE as error:
        raise ValueError(f"not a batch of images: {error}") from error
    return images, labels


@dataclass(eq=False)
class Cifar(StoredDataset):
    """CIFAR-10 in the official archive, or in the folder that was unpacked from it.

    Args:
        mirrors: URLs of folders that hold the archive.
        archive, checksum: name and checksum of the archive.
        folder: name of the folder inside the archive.
        batches: split -> file in that folder -> its checksum.
    """

    downloadable = True

    mirrors: Sequence[str]
    archive: str
    checksum: str
    folder: str
    batches: Mapping[str, Mapping[str, str]]

    def describe_raw_files(self) -> str:
        """Return the names of the archive and of its folder."""
        return f"{self.archive} or {self.folder}"

    def is_complete(self, folder: Path) -> bool:
        """Return whether a folder holds the archive or its unpacked folder."""
        return (folder / self.folder).is_dir() or (folder / self.archive).is_file()

    def read(self, folder: Path) -> dict[str, Split]:
        """Read the batches of the folder, or of the archive, unpacked to a temporary folder."""
        if (folder / self.folder).is_dir():
            return self._read_batches(folder / self.folder)
        archive = folder / self.archive
        verify_checksum(archive, archive, self.checksum)
        with TemporaryDirectory() as unpacked:
            unpack(archive, Path(unpacked), limit=GIB)  # CIFAR-10 takes 178 MiB
            return self._read_batches(Path(unpacked) / self.folder)

    def fetch(self) -> None:
        """Download the archive; raises what `download` does."""
        addresses = [f"{mirror.rstrip('/')}/{self.archive}" for mirror in self.mirrors]
        download(addresses, self.folders[0] / self.archive, checksum=self.checksum)

    def _read_batches(self, folder: Path) -> dict[str, Split]:
        splits = {}
        for split, batches in self.batches.items():
            parts = [self._batch(folder / file, checksum) for file, checksum in batches.items()]
            images, labels = (np.concatenate(column) for column in zip(*parts, strict=True))
            splits[split] = Split(images, labels)
        return splits

    def _batch(self, path: Path, checksum: str) -> tuple[np.ndarray, np.ndarray]:
        try:
            if path.exists():
                require_file(path)
            content = path.read_bytes()
            verify_checksum(path, content, checksum)
            return parse_batch(content)
        except (OSError, ValueError) as error:
            raise UserError(
                f"dataset {self.name!r}: cannot read {path}: {error}",
                fix=f"delete its folder and run `bench prepare {self.name}`",
            ) from error
