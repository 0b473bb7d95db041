"""Images in Parquet files, in the layout of the Hugging Face hub's image data sets.

One column is a struct {bytes, path} that holds an encoded image, one the label; the files of a
split are SPLIT-*.parquet (https://huggingface.co/docs/hub/datasets-image).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.core.errors import UserError
from bench.data.decode import open_image, to_array
from bench.data.progress import progress_bar
from bench.data.split import Split, validate_counts
from bench.data.stored import StoredDataset

ROWS = 1024


@dataclass(eq=False)
class Parquet(StoredDataset):
    """Shards SPLIT-*.parquet in ROOT/NAME or ROOT.

    Args:
        image_column, label_column: names of the columns.
        encoding: format of the images, JPEG or PNG, as Pillow names it: a data set that lost detail
            to JPEG differs from its original, and must not have its name.
        counts: split -> number of images that its shards must hold together.
    """

    image_column: str
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
            shards = _list_shards(folder, split)
            images = np.empty((count, *self.shape), np.uint8)
            labels = np.empty(count, np.int64)
            n_read = 0
            with progress_bar(what=f"{self.name} {split}", unit=" images", total=count) as bar:
                for path, content, label in self._iter_rows(shards):
                    if n_read < count:
                        images[n_read], labels[n_read] = self._decode_image(path, content), label
                    n_read += 1
                    bar.update()
            if n_read != count:
                raise UserError(
                    f"dataset {self.name!r}: {n_read} {split} images in {folder}, expected {count}",
                    fix="place all shards of this data set there, and no others",
                )
            splits[split] = Split(images, labels)
        return splits

    def _iter_rows(self, shards: Sequence[Path]) -> Iterator[tuple[Path, bytes | None, int]]:
        """Iterate over (shard, encoded image, label) of each row."""
        columns = [self.image_column, self.label_column]
        for path in shards:
            try:
                with pq.ParquetFile(path) as file:
                    for batch in file.iter_batches(ROWS, columns=columns):
                        images, labels = (batch.column(name).to_pylist() for name in columns)
                        for image, label in zip(images, labels, strict=True):
                            yield path, image["bytes"], int(label)
            except (pa.ArrowException, OSError, KeyError, TypeError) as error:
                raise UserError(
                    f"dataset {self.name!r}: {path} is damaged or has no columns "
                    f"{' and '.join(columns)} ({error})",
                    fix="move it away and place the right file there",
                ) from error

    def _decode_image(self, path: Path, content: bytes | None) -> np.ndarray:
        """Decode and check one image, uint8 [C, H, W]."""
        try:
            if content is None:
                raise ValueError("an image without bytes")
            image = open_image(content, self.shape[0])
            if image.format != self.encoding:
                raise ValueError(f"images are {image.format}, not {self.encoding}")
            array = to_array(image).transpose(2, 0, 1)
            if array.shape != self.shape:
                raise ValueError(f"images are {list(array.shape)}, not {list(self.shape)}")
        except ValueError as error:
            raise UserError(
                f"dataset {self.name!r}: {path} is damaged or another data set: {error}",
                fix="move it away and place the right file there",
            ) from error
        return array


def _list_shards(folder: Path, split: str) -> list[Path]:
    return sorted(folder.glob(f"{split}-*.parquet"))
