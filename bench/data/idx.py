"""MNIST and its look-alikes: four idx files, gzipped or not.

The format is described at LeCun's MNIST page: two zero bytes, the type of the entries, the number
of dimensions, each size as a big-endian 32-bit integer, then the entries, last dimension fastest.
"""

import gzip
import math
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.core.errors import UserError
from bench.data.checksums import verify
from bench.data.download import download
from bench.data.split import Split
from bench.data.stored import Stored

UBYTE = 0x08


def parse_idx(content: bytes) -> np.ndarray:
    """The array of an idx file of unsigned bytes.

    Args:
        content: the whole file, unzipped.

    Raises:
        ValueError: it is none, or has more or fewer entries than its header says.
    """
    if len(content) < 4 or content[:2] != b"\0\0":
        raise ValueError("it does not begin as an idx file does")
    if content[2] != UBYTE:
        raise ValueError(f"its entries are of type 0x{content[2]:02x}, not bytes (0x08)")
    start = 4 + 4 * content[3]
    shape = np.frombuffer(content[4:start], dtype=">u4").astype(np.int64)
    if len(shape) != content[3] or len(content) - start != math.prod(shape.tolist()):
        raise ValueError(f"it has {len(content)} bytes, its header announces {shape.tolist()}")
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape).copy()


class IdxFile(NamedTuple):
    """Name without .gz, checksum of its content, checksum of the published .gz."""

    file: str
    checksum: str | None
    gz_checksum: str | None


class Idx(Stored):
    """Images and labels in idx files.

    Args:
        name, root, shape, licence, origin: see `Stored`.
        mirrors: addresses of folders that hold the files gzipped.
        files: split -> {samples, labels} -> {file, checksum, gz_checksum}: the name without .gz,
            the checksum of what it holds unzipped, and that of the published .gz. The first is
            checked where it is known, since the same content can be gzipped anew; else the second,
            where the file is a .gz.
    """

    downloadable = True

    def __init__(
        self,
        name: str,
        root: str | None,
        shape: Sequence[int],
        licence: str,
        origin: str,
        mirrors: Sequence[str],
        files: Mapping[str, Mapping[str, Mapping[str, Any]]],
    ) -> None:
        super().__init__(name, root, shape, licence, origin)
        self.mirrors = mirrors
        self.files = {
            split: {kind: IdxFile(**facts) for kind, facts in kinds.items()}
            for split, kinds in files.items()
        }

    def raw_name(self) -> str:
        """The four files."""
        return ", ".join(f"{file.file}[.gz]" for file in self._all())

    def find(self) -> Path | None:
        """Where all four lie, gzipped or not."""

        def whole(folder: Path) -> bool:
            return all(_locate(folder, file.file) is not None for file in self._all())

        return next((folder for folder in self.folders if whole(folder)), None)

    def read(self, folder: Path) -> dict[str, Split]:
        """Images [N, 1, H, W] and labels, checked."""
        splits = {}
        for split, files in self.files.items():
            images = self._array(folder, files["samples"], 3)[:, None]
            labels = self._array(folder, files["labels"], 1)
            if len(images) != len(labels):
                raise UserError(
                    f"dataset {self.name!r}: {len(images)} {split} images, {len(labels)} labels",
                    fix=f"place files that belong together in {folder}",
                )
            splits[split] = Split(images, labels.astype(np.int64))
        return splits

    def fetch(self) -> None:
        """Download the gzipped files that are not there yet.

        Raises:
            UserError: see `download`.
        """
        for file in self._all():
            if file.gz_checksum is None:
                raise self._missing()
            archive = f"{file.file}.gz"
            addresses = [f"{mirror.rstrip('/')}/{archive}" for mirror in self.mirrors]
            download(addresses, self.folders[0] / archive, checksum=file.gz_checksum)

    def _all(self) -> list[IdxFile]:
        return [file for files in self.files.values() for file in files.values()]

    def _array(self, folder: Path, file: IdxFile, dimensions: int) -> np.ndarray:
        """One file's content, checked."""
        path = _locate(folder, file.file)
        if path is None:
            raise self._missing()
        zipped = path.suffix == ".gz"
        try:
            content = gzip.decompress(path.read_bytes()) if zipped else path.read_bytes()
            array = parse_idx(content)
            if array.ndim != dimensions:
                raise ValueError(f"it has {array.ndim} dimensions, not {dimensions}")
        except (OSError, EOFError, zlib.error, ValueError) as error:
            raise UserError(
                f"dataset {self.name!r}: {path} is damaged or another file ({error})",
                fix=f"delete it and run `bench prepare {self.name}`, or set dataset.root=DIR",
            ) from error
        if file.checksum is not None:
            verify(path, content, file.checksum)
        elif zipped and file.gz_checksum is not None:
            verify(path, path, file.gz_checksum)
        return array


def _locate(folder: Path, name: str) -> Path | None:
    """The file, unzipped or gzipped, or None."""
    candidates = (folder / name, folder / f"{name}.gz")
    return next((path for path in candidates if path.is_file()), None)
