"""Images of a folder of PNG and JPEG files, cropped and resized to the config's shape.

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
from bench.data.decode import open_image, to_array
from bench.data.progress import track_progress
from bench.data.split import NAMES, Split
from bench.data.stored import StoredDataset

ORDER = 2  # raised when the order of the images changes, so that prepared files are written again
SUFFIXES = {".png", ".jpg", ".jpeg"}


def hash_fraction(name: str) -> float:
    """Hash a name to a number in [0, 1): a new file never changes the split of the others."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64


@dataclass(eq=False)
class Images(StoredDataset):
    """PNG and JPEG images below ROOT, without labels; the name of an image decides its split.

    Args:
        shape: [C, H, W]; an image is cropped centrally to this aspect ratio, then resized.
        shares: expected share of the images in `validation` and `test`; the rest are `train`.
    """

    shares: Mapping[str, float]

    def describe_raw_files(self) -> str:
        """Return the kinds of files that are read."""
        return "PNG or JPEG files"

    def prepared_path(self) -> Path:
        """Return ROOT/NAME-HASH.safetensors, with a hash of files, shape and shares."""
        settings = [ORDER, self.shape, sorted(self.shares.items())]
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
        """Return whether any image lies below the root."""
        return bool(self._list_files())

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

    def suggest_fix(self) -> str:
        """Return how to give a folder of images."""
        return "set dataset.root=DIR to a folder of images"

    def _list_files(self) -> list[Path]:
        """Return all images below the root, sorted by path."""
        files = (path for path in self.root_folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        return sorted(path for path in files if path.is_file())

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
        try:
            image = open_image(path, channels)
        except ValueError as error:
            raise UserError(
                f"dataset {self.name!r}: {path} is no image that can be read: {error}",
                fix="repair it or move it away",
            ) from error
        fitted = ImageOps.fit(image, (width, height), Image.Resampling.BICUBIC)
        return to_array(fitted).transpose(2, 0, 1)
