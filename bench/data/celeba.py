"""CelebA, prepared as the study did: Liu et al. 2015 (arXiv:1411.7766); Lucic et al. 2018.

Of each aligned image, 218 x 178, the central 160 x 160 pixels, resized to 64 x 64 by TensorFlow
1's bilinear rule without antialiasing: pixel i is read at 2.5 i (facts from compare_gan v1.0).
"""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from bench.core.errors import UserError
from bench.data.archive import DAMAGE, damaged
from bench.data.checksums import verify
from bench.data.decode import open_image, to_array
from bench.data.progress import counter
from bench.data.resize import centre_crop, resize_bilinear_tf1
from bench.data.split import Split, checked_counts
from bench.data.stored import Stored

PARTITION = "list_eval_partition.txt"
IMAGES = "img_align_celeba"
SPLIT_NUMBERS = {"0": "train", "1": "validation", "2": "test"}
CHUNK = 256


class CelebA(Stored):
    """img_align_celeba.zip or the folder in it, beside list_eval_partition.txt; placed by hand.

    Args:
        name, root, shape, licence, origin: see `Stored`.
        size: [height, width] of an aligned image.
        crop: side of the central square.
        checksums: file -> checksum, of the zip and the list; a file that is not listed here is not
            checked.
        counts: split -> number of images in the list.

    Deviation: the study fed the resized values as they were, multiples of 1/4 grey level; they are
    rounded to whole ones here (off by at most 1/510). It trained on the first 162,000 images and
    reported on the first 10,000 of `validation`.
    """

    def __init__(
        self,
        name: str,
        root: str | None,
        shape: Sequence[int],
        licence: str,
        origin: str,
        size: Sequence[int],
        crop: int,
        checksums: Mapping[str, str],
        counts: Mapping[str, int],
    ) -> None:
        super().__init__(name, root, shape, licence, origin)
        self.size, self.crop = tuple(size), crop
        self.checksums, self.counts = checksums, counts

    def raw_name(self) -> str:
        """The archive or its folder, and the list."""
        return f"{IMAGES}[.zip] with {PARTITION}"

    def find(self) -> Path | None:
        """Where images and list lie side by side."""

        def holds(folder: Path) -> bool:
            images = (folder / IMAGES).is_dir() or (folder / f"{IMAGES}.zip").is_file()
            return images and (folder / PARTITION).is_file()

        return next((folder for folder in self.folders if holds(folder)), None)

    def read(self, folder: Path) -> dict[str, Split]:
        """Decode, crop and resize what the list names."""
        names = self._partition(folder / PARTITION)
        if (folder / IMAGES).is_dir():
            return self._decode(names, lambda name: (folder / IMAGES / name).read_bytes())
        archive = folder / f"{IMAGES}.zip"
        if archive.name in self.checksums:
            verify(archive, archive, self.checksums[archive.name])
        try:
            opened = zipfile.ZipFile(archive)
        except (*DAMAGE, OSError) as error:
            raise damaged(archive, error) from error
        with opened:
            return self._decode(names, lambda name: opened.read(f"{IMAGES}/{name}"))

    def _partition(self, path: Path) -> dict[str, list[str]]:
        """Split -> names of its images, in the list's order."""
        content = path.read_bytes()
        if path.name in self.checksums:
            verify(path, content, self.checksums[path.name])
        names: dict[str, list[str]] = {split: [] for split in SPLIT_NUMBERS.values()}
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
            name, _, split = line.strip().partition(" ")
            if split.strip() not in SPLIT_NUMBERS or "/" in name:
                raise UserError(
                    f"{path} is damaged: line {number} reads {line[:80]!r}",
                    fix="place CelebA's own list there",
                )
            names[SPLIT_NUMBERS[split.strip()]].append(name)
        found = {split: len(listed) for split, listed in names.items()}
        if found != checked_counts(self.name, self.counts):
            raise UserError(
                f"dataset {self.name!r}: {path} lists {found}, expected {dict(self.counts)}",
                fix="place CelebA's own list there",
            )
        return names

    def _decode(
        self, names: Mapping[str, list[str]], content_of: Callable[[str], bytes]
    ) -> dict[str, Split]:
        splits = {}
        for split, listed in names.items():
            images = np.empty((len(listed), *self.shape), np.uint8)
            with counter(what=f"{self.name} {split}", unit=" images", total=len(listed)) as bar:
                for start in range(0, len(listed), CHUNK):
                    part = listed[start : start + CHUNK]
                    aligned = np.stack([self._aligned(name, content_of) for name in part])
                    images[start : start + len(part)] = self._prepared(aligned)
                    bar.update(len(part))
            splits[split] = Split(images, None)
        return splits

    def _prepared(self, aligned: np.ndarray) -> np.ndarray:
        """uint8 [N, H, W, C] as aligned -> uint8 [N, C, H, W] as trained on."""
        square = centre_crop(aligned, self.crop, self.crop)
        resized = resize_bilinear_tf1(square, *self.shape[1:])
        return np.rint(resized).astype(np.uint8).transpose(0, 3, 1, 2)

    def _aligned(self, name: str, content_of: Callable[[str], bytes]) -> np.ndarray:
        """One image as its owners aligned it, uint8 [H, W, C]."""
        try:
            array = to_array(open_image(content_of(name), self.shape[0]))
            if array.shape[:2] != self.size:
                raise ValueError(f"it has {array.shape[:2]} pixels, not {self.size}")
        except (*DAMAGE, OSError, KeyError, ValueError) as error:
            raise UserError(
                f"dataset {self.name!r}: cannot read image {name}: {error}",
                fix=f"place the complete {IMAGES}.zip in {self.folders[0]}",
            ) from error
        return array
