"""MNIST and its look-alikes: four idx files, gzipped or not.

The format is described at LeCun's MNIST page: two zero bytes, the type of the entries, the number
of dimensions, each size as a big-endian 32-bit integer, then the entries, last dimension fastest.
"""

import gzip
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np

from bench.core.errors import UserError
from bench.data.checksums import verify_checksum
from bench.data.download import download
from bench.data.split import Split
from bench.data.stored import StoredDataset

UBYTE = 0x08
HEADER = 4 + 4 * 255  # bytes of the longest header
LARGEST = 2**30  # bytes unzipped; EMNIST's largest file, 814,255 images, has 638 million


def parse_idx(content: bytes) -> np.ndarray:
    """Parse the unzipped content of an idx file of unsigned bytes into an array.

    Raises:
        ValueError: it is no such file, or has more or fewer entries than its header states.
    """
    start, shape = _parse_header(content)
    if len(content) - start != math.prod(shape):
        raise ValueError(f"it has {len(content)} bytes, its header states {shape}")
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape).copy()


def _parse_header(content: bytes) -> tuple[int, list[int]]:
    """Return the length of the header, in bytes, and the shape that it states."""
    if len(content) < 4 or content[:2] != b"\0\0":
        raise ValueError("it does not begin as an idx file does")
    if content[2] != UBYTE:
        raise ValueError(f"its entries are of type 0x{content[2]:02x}, not bytes (0x08)")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise ValueError(f"it has {len(content)} bytes, its header {start}")
    return start, np.frombuffer(content[4:start], dtype=">u4").tolist()


def _read_stated(opened: BinaryIO) -> bytes:
    """Read a file of at most LARGEST bytes, and one byte beyond what its header states."""
    start, shape = _parse_header(header := opened.read(HEADER))
    if (size := start + math.prod(shape)) > LARGEST:
        raise ValueError(f"its header states {shape}, more than {LARGEST:,} bytes")
    return header + opened.read(max(0, size + 1 - len(header)))


class IdxFile(NamedTuple):
    """A file: its name without .gz, checksum of its content, checksum of the published .gz."""

    file: str
    checksum: str | None
    gz_checksum: str | None


@dataclass(eq=False)
class Idx(StoredDataset):
    """Images and labels in idx files.

    Args:
        mirrors: URLs of folders that hold the files gzipped.
        files: split -> {samples, labels} -> {file, checksum, gz_checksum}, see `IdxFile`. The
            content's checksum is checked where it is not null, since the same content can be
            gzipped anew; else that of the .gz, where the file is one.
    """

    downloadable = True

    mirrors: Sequence[str]
    files: Mapping[str, Mapping[str, Any]]

    def __post_init__(self) -> None:
        super().__post_init__()
        self.files = {
            split: {kind: IdxFile(**file) for kind, file in kinds.items()}
            for split, kinds in self.files.items()
        }

    def describe_raw_files(self) -> str:
        """Return the names of the four files."""
        return ", ".join(f"{file.file}[.gz]" for file in self._list_files())

    def is_complete(self, folder: Path) -> bool:
        """Return whether a folder holds all four files, gzipped or not."""
        return all(_locate(folder, file.file) is not None for file in self._list_files())

    def read(self, folder: Path) -> dict[str, Split]:
        """Read and check images [N, 1, H, W] and labels."""
        splits = {}
        for split, files in self.files.items():
            images = self._read_array(folder, files["samples"], 3)[:, None]
            labels = self._read_array(folder, files["labels"], 1)
            if len(images) != len(labels):
                raise UserError(
                    f"dataset {self.name!r}: {len(images)} {split} images, {len(labels)} labels",
                    fix=f"place files that belong together in {folder}",
                )
            splits[split] = Split(images, labels.astype(np.int64))
        return splits

    def fetch(self) -> None:
        """Download the gzipped files that are not there yet; raises what `download` does."""
        for file in self._list_files():
            if file.gz_checksum is None:
                raise self._missing_error()
            archive = f"{file.file}.gz"
            addresses = [f"{mirror.rstrip('/')}/{archive}" for mirror in self.mirrors]
            download(addresses, self.folders[0] / archive, checksum=file.gz_checksum)

    def _list_files(self) -> list[IdxFile]:
        return [file for files in self.files.values() for file in files.values()]

    def _read_array(self, folder: Path, file: IdxFile, dimensions: int) -> np.ndarray:
        """Read and check the content of one file."""
        path = _locate(folder, file.file)
        if path is None:
            raise self._missing_error()
        is_gzipped = path.suffix == ".gz"
        try:
            with gzip.open(path) if is_gzipped else open(path, "rb") as opened:
                content = _read_stated(cast(BinaryIO, opened))
            array = parse_idx(content)
            if array.ndim != dimensions:
                raise ValueError(f"it has {array.ndim} dimensions, not {dimensions}")
        except (OSError, EOFError, zlib.error, ValueError) as error:
            raise UserError(
                f"dataset {self.name!r}: {path} is damaged or another file ({error})",
                fix=f"delete it and run `bench prepare {self.name}`, or set dataset.root=DIR",
            ) from error
        if file.checksum is not None:
            verify_checksum(path, content, file.checksum)
        elif is_gzipped and file.gz_checksum is not None:
            verify_checksum(path, path, file.gz_checksum)
        return array


def _locate(folder: Path, name: str) -> Path | None:
    """Return the path of a file, unzipped or gzipped, or None."""
    candidates = (folder / name, folder / f"{name}.gz")
    return next((path for path in candidates if path.is_file()), None)
