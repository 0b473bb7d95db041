"""Images in Parquet files, in the layout of the Hugging Face hub's image data sets.

One column is a struct {bytes, path} that holds an encoded image, one the label; the files of a
split are SPLIT-*.parquet (https://huggingface.co/docs/hub/datasets-image).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.core.errors import UserError
from bench.data.decode import open_image, to_array
from bench.data.progress import counter
from bench.data.split import Split, checked_counts
from bench.data.stored import Stored

ROWS = 1024


class Parquet(Stored):
    """Shards SPLIT-*.parquet in ROOT/NAME or ROOT.

    Args:
        name, root, shape, licence, origin: see `Stored`.
        image_column, label_column: their names.
        encoding: of the images, JPEG or PNG, as Pillow names it: a data set that lost detail to
            JPEG is not the one that did not, and must not bear its name.
        counts: split -> number of images that its shards must hold together.
    """

    def __init__(
        self,
        name: str,
        root: str | None,
        shape: Sequence[int],
        licence: str,
        origin: str,
        image_column: str,
        label_column: str,
        encoding: str,
        counts: Mapping[str, int],
    ) -> None:
        super().__init__(name, root, shape, licence, origin)
        self.image_column, self.label_column = image_column, label_column
        self.encoding, self.counts = encoding, counts

    def raw_name(self) -> str:
        """The shards of each split."""
        return ", ".join(f"{split}-*.parquet" for split in self.counts)

    def find(self) -> Path | None:
        """Where each split has a shard."""

        def whole(folder: Path) -> bool:
            return all(_shards(folder, split) for split in self.counts)

        return next((folder for folder in self.folders if whole(folder)), None)

    def read(self, folder: Path) -> dict[str, Split]:
        """Decode all shards in the order of their names."""
        splits = {}
        for split, count in checked_counts(self.name, self.counts).items():
            shards = _shards(folder, split)
            images = np.empty((count, *self.shape), np.uint8)
            labels = np.empty(count, np.int64)
            done = 0
            with counter(what=f"{self.name} {split}", unit=" images", total=count) as bar:
                for path, row, label in self._rows(shards):
                    if done < count:
                        images[done], labels[done] = self._image(path, row), label
                    done += 1
                    bar.update()
            if done != count:
                raise UserError(
                    f"dataset {self.name!r}: {done} {split} images in {folder}, expected {count}",
                    fix="place all shards of this data set there, and no others",
                )
            splits[split] = Split(images, labels)
        return splits

    def _rows(self, shards: Sequence[Path]):
        """(shard, encoded image, label) of each row."""
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

    def _image(self, path: Path, content: bytes | None) -> np.ndarray:
        """One image, uint8 [C, H, W], checked."""
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


def _shards(folder: Path, split: str) -> list[Path]:
    return sorted(folder.glob(f"{split}-*.parquet"))
