"""CelebA, prepared as in the study: Liu et al. 2015 (arXiv:1411.7766); Lucic et al. 2018.

The central 160 x 160 pixels of each aligned image, 218 x 178, resized to 64 x 64 by TensorFlow 1's
bilinear rule without antialiasing: pixel i is read at 2.5 i (facts from compare_gan v1.0).
"""

import math
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from bench.core.errors import UserError
from bench.data.archive import check_size, damaged_archive
from bench.data.checksums import verify_checksum
from bench.data.decode import open_image, require_file, to_array
from bench.data.progress import progress_bar
from bench.data.resize import centre_crop, resize_bilinear_tf1
from bench.data.split import Split, validate_counts
from bench.data.stored import StoredDataset

PARTITION = "list_eval_partition.txt"
IMAGES = "img_align_celeba"
SPLIT_NUMBERS = {"0": "train", "1": "validation", "2": "test"}
CHUNK = 256


@dataclass(eq=False)
class CelebA(StoredDataset):
    """img_align_celeba.zip or its unpacked folder, with list_eval_partition.txt; placed by hand.

    Args:
        size: [height, width] of an aligned image.
        crop: side of the central square, pixels.
        checksums: file -> checksum, of the zip and the list; a file without an entry is not
            checked.
        counts: split -> number of images in the list.

    Deviation: the study fed the resized values as they were, multiples of 1/4 grey level; they are
    rounded to whole ones here (off by at most 1/510). It trained on the first 162,000 images and
    reported on the first 10,000 of `validation`.
    """

    size: Sequence[int]
    crop: int
    checksums: Mapping[str, str]
    counts: Mapping[str, int]

    def describe_raw_files(self) -> str:
        """Return the names of the archive, or its folder, and the list."""
        return f"{IMAGES}[.zip] with {PARTITION}"

    def is_complete(self, folder: Path) -> bool:
        """Return whether a folder holds both images and list."""
        images = (folder / IMAGES).is_dir() or (folder / f"{IMAGES}.zip").is_file()
        return images and (folder / PARTITION).is_file()

    def read(self, folder: Path) -> dict[str, Split]:
        """Decode, crop and resize the images that the list names."""
        names = self._partition(folder / PARTITION)
        if (folder / IMAGES).is_dir():
            return self._decode(names, folder, lambda name: self._locate(folder / IMAGES / name))
        require_file(archive := folder / f"{IMAGES}.zip")
        if archive.name in self.checksums:
            verify_checksum(archive, archive, self.checksums[archive.name])
        try:
            opened = zipfile.ZipFile(archive)
        except Exception as error:  # zipfile's; there is no list of them
            raise damaged_archive(archive, error) from error
        with opened:
            read = partial(self._read_member, opened)
            return self._decode(names, archive, lambda name: read(f"{IMAGES}/{name}"))

    def _locate(self, path: Path) -> Path:
        """Return the path of an image of the unpacked folder, which must be a file."""
        if path.exists():
            require_file(path)
        return path

    def _read_member(self, opened: zipfile.ZipFile, name: str) -> bytes:
        """Read an image of the archive, which may take four bytes for each value of its pixels."""
        size = opened.getinfo(name).file_size
        check_size(f"{opened.filename}: {name}", size, 12 * math.prod(self.size))
        return opened.read(name)

    def _partition(self, path: Path) -> dict[str, list[str]]:
        """Read the list: split -> names of its images, in the list's order."""
        require_file(path)
        content, fix = path.read_bytes(), "place CelebA's own list there"
        if path.name in self.checksums:
            verify_checksum(path, content, self.checksums[path.name])
        names: dict[str, list[str]] = {split: [] for split in SPLIT_NUMBERS.values()}
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
            name, _, split = line.strip().partition(" ")
            if split.strip() not in SPLIT_NUMBERS or "/" in name:
                raise UserError(f"{path} is damaged: line {number} reads {line[:80]!r}", fix=fix)
            names[SPLIT_NUMBERS[split.strip()]].append(name)
        counts = {split: len(listed) for split, listed in names.items()}
        if counts != validate_counts(self.name, self.counts):
            listed = f"{path} lists {counts}, expected {dict(self.counts)}"
            raise UserError(f"dataset {self.name!r}: {listed}", fix=fix)
        return names

    def _decode(
        self,
        names: Mapping[str, list[str]],
        source: Path,
        read_image: Callable[[str], bytes | Path],
    ) -> dict[str, Split]:
        splits = {}
        for split, listed in names.items():
            images = np.empty((len(listed), *self.shape), np.uint8)
            what, total = f"{self.name} {split}", len(listed)
            with progress_bar(what=what, unit=" images", total=total) as bar:
                for start in range(0, total, CHUNK):
                    part = listed[start : start + CHUNK]
                    arrays = [self._decode_image(name, source, read_image) for name in part]
                    aligned = np.stack(arrays)
                    images[start : start + len(part)] = self._crop_and_resize(aligned)
                    bar.update(len(part))
            splits[split] = Split(images, None)
        return splits

    def _crop_and_resize(self, aligned: np.ndarray) -> np.ndarray:
        """Aligned images uint8 [N, H, W, C] -> training images uint8 [N, C, H, W]."""
        square = centre_crop(aligned, self.crop, self.crop)
        resized = resize_bilinear_tf1(square, *self.shape[1:])
        return np.rint(resized).astype(np.uint8).transpose(0, 3, 1, 2)

    def _decode_image(
        self, name: str, source: Path, read_image: Callable[[str], bytes | Path]
    ) -> np.ndarray:
        """Decode one aligned image, uint8 [H, W, C]."""
        try:
            array = to_array(open_image(read_image(name), self.shape[0]))
            if array.shape[:2] != (size := tuple(self.size)):
                raise ValueError(f"it has {array.shape[:2]} pixels, not {size}")
        except UserError:
            raise
        except Exception as error:  # zipfile's; there is no list of them
            raise UserError(
                f"dataset {self.name!r}: cannot read image {name}, which {PARTITION} lists, of "
                f"{source}: {error}",
                fix=f"place the complete {IMAGES}.zip in {self.folders[0]}",
            ) from error
        return array
