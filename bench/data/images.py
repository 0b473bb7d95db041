"""Any folder of PNG and JPEG images, cropped to the config's shape.

Resizing is Pillow's bicubic, which antialiases: Parmar et al. 2022 (arXiv:2104.11222) show what
the others do to a Frechet distance.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from bench.core.errors import UserError
from bench.data import prepared
from bench.data.decode import open_image, to_array
from bench.data.progress import progress
from bench.data.split import NAMES, Split
from bench.data.stored import Stored

ORDER = 2  # raised when the same files come in another order: prepared ones are made again
SUFFIXES = {".png", ".jpg", ".jpeg"}


def share_of(name: str) -> float:
    """A number in [0, 1) that depends on the name alone: new files never move old ones."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64


class Images(Stored):
    """The images below ROOT, without labels; which are held out depends on their names alone.

    Args:
        name, root, shape, licence, origin: see `Stored`; an image is cropped centrally to the
            proportions of the shape, then resized.
        shares: split -> part of all names that it gets in the long run, validation and test; the
            rest trains.
    """

    def __init__(
        self,
        name: str,
        root: str | None,
        shape: Sequence[int],
        licence: str,
        origin: str,
        shares: Mapping[str, float],
    ) -> None:
        super().__init__(name, root, shape, licence, origin)
        self.shares = shares

    def raw_name(self) -> str:
        """Any of them."""
        return "PNG or JPEG files"

    def prepared_path(self) -> Path:
        """ROOT/NAME-STATE.safetensors: it belongs to these files, shape and shares, no others."""
        settings = [ORDER, self.shape, sorted(self.shares.items())]
        state = hashlib.sha256(f"{settings}\n".encode())
        for path in self._files():
            facts = path.stat()
            name = path.relative_to(self.root).as_posix()
            state.update(f"{name} {facts.st_size} {facts.st_mtime_ns}\n".encode())
        return prepared.prepared_path(self.root, f"{self.name}-{state.hexdigest()[:8]}")

    def find(self) -> Path | None:
        """The root, if any image lies below it."""
        return self.root if self._files() else None

    def read(self, folder: Path) -> dict[str, Split]:
        """Decode all images, each into the split of its name."""
        rows: dict[str, list[np.ndarray]] = {split: [] for split in NAMES}
        # By the names' hashes: the first n of a split are then a random part, not one class.
        files = sorted(self._files(), key=lambda p: share_of(p.relative_to(folder).as_posix()))
        for path in progress(files, what=self.name, unit="images"):
            rows[self._split_of(path.relative_to(folder).as_posix())].append(self._image(path))
        found = {split: len(images) for split, images in rows.items()}
        if not found["train"] or not found["test"]:
            raise UserError(
                f"dataset {self.name!r}: the images in {folder} fall into {found}",
                fix="add images, or change dataset.source.shares",
            )
        return {split: Split(np.stack(images), None) for split, images in rows.items() if images}

    def remedy(self) -> str:
        """Only the user has such a folder."""
        return "set dataset.root=DIR to a folder of images"

    def _files(self) -> list[Path]:
        """All images below the root, in the order of their names."""
        files = (path for path in self.root.rglob("*") if path.suffix.lower() in SUFFIXES)
        return sorted(path for path in files if path.is_file())

    def _split_of(self, name: str) -> str:
        place, end = share_of(name), 0.0
        for split in ("test", "validation"):
            end += self.shares.get(split, 0.0)
            if place < end:
                return split
        return "train"

    def _image(self, path: Path) -> np.ndarray:
        """One image, uint8 [C, H, W]."""
        channels, height, width = self.shape
        try:
            image = open_image(path, channels)
        except ValueError as error:
            raise UserError(
                f"dataset {self.name!r}: {path} is no image that can be read: {error}",
                fix="mend it or move it away",
            ) from error
        fitted = ImageOps.fit(image, (width, height), Image.Resampling.BICUBIC)
        return to_array(fitted).transpose(2, 0, 1)
