"""Labelled images in Parquet files, as in the Hugging Face hub's image data sets, see `Shards`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.core.errors import UserError
from bench.data.decode import read_image, to_array
from bench.data.progress import track_progress
from bench.data.shards import Shards
from bench.data.split import Split, validate_counts
from bench.data.stored import StoredDataset


@dataclass(eq=False)
class Parquet(StoredDataset):
    """Shards SPLIT-*.parquet in ROOT/NAME or ROOT.

    Args:
        label_column: name of the column of labels.
        encoding: format of the images, JPEG or PNG, as Pillow names it: a data set that lost detail
            to JPEG differs from its original, and must not have its name.
        counts: split -> number of images that its shards must hold together.
    """

    label_column: str
    encoding: str
    counts: Mapping[str, int]

    def describe_raw_files(self) -> str:
        """Return the patterns of the shards of each split."""
        return ", ".join(f"{split}-*.parquet" for split in self.counts)

    def is_complete(self, folder: Path) -> bool:
        """Return whether a folder holds a shard of each split."""
        return all(_list_shards(folder, split) for split in self.counts)

    def read(self, folder: Path) -> dict[str, Split]:
        """Decode all shards in the order of their names."""
        splits = {}
        for split, count in validate_counts(self.name, self.counts).items():
            shards = Shards(_list_shards(folder, split), self.label_column)
            if len(shards) != count:
                n_rows = f"{len(shards)} {split} images in {folder}, expected {count}"
                raise UserError(
                    f"dataset {self.name!r}: {n_rows}",
                    fix="place all shards of this data set there, and no others",
                )
            images, labels = np.empty((count, *self.shape), np.uint8), np.empty(count, np.int64)
            rows = track_progress(shards, what=f"{self.name} {split}", unit="images")
            for index, (place, content, label) in enumerate(rows):
                images[index] = self._decode_image(place, content)
                labels[index] = self._check_label(place, label)
            splits[split] = Split(images, labels)
        return splits

    def _decode_image(self, place: str, content: bytes) -> np.ndarray:
        """Decode and check one image, uint8 [C, H, W]."""
        image = read_image(place, content, self.shape[0])
        if image.format != self.encoding:
            raise UserError(
                f"dataset {self.name!r}: {place} is {image.format}, expected {self.encoding}",
                fix="place the data set's own files there, or set dataset.source.encoding",
            )
        if (size := (image.height, image.width)) != self.shape[1:]:
            shape = [self.shape[0], *size]
            raise UserError(
                f"dataset {self.name!r}: {place} is {shape}, the config says {list(self.shape)}",
                fix=f"set dataset.shape={str(shape).replace(' ', '')}, or place other files there",
            )
        return to_array(image).transpose(2, 0, 1)

    def _check_label(self, place: str, label: int | None) -> int:
        """Return a label that is one of the config's classes."""
        if label is None or not 0 <= label < self.classes:
            found = "no label" if label is None else f"label {label}"
            raise UserError(
                f"dataset {self.name!r}: {place} has {found}, expected 0 to {self.classes - 1}",
                fix="correct the file, or set dataset.classes to the number of its classes",
            )
        return label


def _list_shards(folder: Path, split: str) -> list[Path]:
    return sorted(folder.glob(f"{split}-*.parquet"))
