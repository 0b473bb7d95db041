"""Images of a folder of image files, cropped and resized to the config's shape.

Resizing is Pillow's bicubic, which antialiases: Parmar et al. 2022 (arXiv:2104.11222) show how
other filters change a Frechet distance.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from bench.core.errors import UserError
from bench.data import prepared
from bench.data.decode import (
    CHANNELS,
    KINDS,
    SUFFIXES,
    check_convert,
    list_files,
    read_image,
    to_array,
)
from bench.data.progress import track_progress
from bench.data.split import NAMES, Split
from bench.data.stored import StoredDataset

REVISION = 3  # raised when files are read another way, so that prepared files are written again


def hash_fraction(name: str) -> float:
    """Hash a name to a number in [0, 1): a new file never changes the split of the others."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64


@dataclass(eq=False)
class Images(StoredDataset):
    """Image files below ROOT, without labels; the name of an image decides its split.

    Args:
        shape: [C, H, W]; an image is cropped centrally to this aspect ratio, then resized.
        shares: expected share of the images in `validation` and `test`; the rest are `train`.
        convert: "grey" or "rgb": convert from other colours too (CMYK), which stands in the
            protocol of the run's scores; None: refuse those. Either way grey becomes RGB, and RGB
            grey, where `shape` asks for it.
    """

    shares: Mapping[str, float]
    convert: str | None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_convert(self.convert, f"dataset {self.name!r}: dataset.source.convert")
        if self.convert is not None and CHANNELS[self.convert] != self.shape[0]:
            raise UserError(
                f"dataset {self.name!r}: dataset.source.convert={self.convert} makes "
                f"{CHANNELS[self.convert]}, dataset.shape has {self.shape[0]} channels",
                fix=f"set 'dataset.shape=[{CHANNELS[self.convert]},HEIGHT,WIDTH]'",
            )

    def describe_raw_files(self) -> str:
        """Return the kinds of files that are read."""
        return f"{KINDS} files"

    def prepared_path(self) -> Path:
        """Return ROOT/NAME-HASH.safetensors, with a hash of files, shape, shares and convert."""
        settings = [REVISION, self.shape, sorted(self.shares.items())]
        settings += [self.convert] if self.convert else []
        digest = hashlib.sha256(f"{settings}\n".encode())
        for path in self._list_files():
            stat = path.stat()
            name = path.relative_to(self.root_folder).as_posix()
            digest.update(f"{name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
        return prepared.prepared_path(self.root_folder, f"{self.name}-{digest.hexdigest()[:8]}")

    @property
    def folders(self) -> Sequence[Path]:
        """The root alone, which is searched with its subfolders."""
        return (self.root_folder,)

    def is_complete(self, folder: Path) -> bool:
        """Return True: a root without images is refused where its files are listed."""
        return True

    def read(self, folder: Path) -> dict[str, Split]:
        """Decode all images, each into the split of its name."""
        images: dict[str, list[np.ndarray]] = {split: [] for split in NAMES}
        names = {path: path.relative_to(folder).as_posix() for path in self._list_files()}
        # By the names' hashes: the first n of a split are then a random part, not one class.
        files = sorted(names, key=lambda path: hash_fraction(names[path]))
        for path in track_progress(files, what=self.name, unit="images"):
            images[self._choose_split(names[path])].append(self._read_image(path))
        counts = {split: len(part) for split, part in images.items()}
        if not counts["train"] or not counts["test"]:
            raise UserError(
                f"dataset {self.name!r}: the images in {folder} are split into {counts}",
                fix="add images, or change dataset.source.shares",
            )
        return {split: Split(np.stack(part), None) for split, part in images.items() if part}

    def _list_files(self) -> list[Path]:
        """Return all images below the root, sorted by path; UserError where there is none."""
        fix = "set dataset.root=DIR to a folder of images"
        return list_files(self.root_folder, SUFFIXES, fix=fix)

    def _choose_split(self, name: str) -> str:
        fraction, end = hash_fraction(name), 0.0
        for split in ("test", "validation"):
            end += self.shares.get(split, 0.0)
            if fraction < end:
                return split
        return "train"

    def _read_image(self, path: Path) -> np.ndarray:
        """Decode, crop and resize one image, uint8 [C, H, W]."""
        channels, height, width = self.shape
        image = read_image(path, path, channels, self.convert)
        fitted = ImageOps.fit(image, (width, height), Image.Resampling.BICUBIC)
        return to_array(fitted).transpose(2, 0, 1)
