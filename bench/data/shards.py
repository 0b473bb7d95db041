"""Read encoded images, and labels, from Parquet files: one reader for training and scoring.

A column holds the images, as bytes or as a struct {bytes, path} like those of the Hugging Face
hub's image data sets (https://huggingface.co/docs/hub/datasets-image).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bench.core.errors import UserError
from bench.data.archive import check_size
from bench.data.decode import require_file

ROWS = 256
MAX_ROWS = 2**31  # of a file
USUAL_NAMES = ("image", "img")  # of the column of images, where several columns hold bytes


class Shards:
    """The rows of Parquet files, in order.

    Args:
        label_column: name of the column of class indices; None where labels are not read.

    Raises:
        UserError: a file is damaged or too large, or has no single column of images, or none of
            labels.
    """

    def __init__(self, paths: Sequence[Path], label_column: str | None = None) -> None:
        self._label_column, self._count = label_column, 0
        self._columns: dict[Path, tuple[list[str], int]] = {}  # with the number of rows
        for path in paths:
            require_file(path)
            try:
                with pq.ParquetFile(path) as file:
                    schema, facts = file.schema_arrow, file.metadata
                sizes = [facts.row_group(k).total_byte_size for k in range(facts.num_row_groups)]
                if not 0 <= facts.num_rows <= MAX_ROWS:
                    raise ValueError(f"it states {facts.num_rows:,} rows")
            except Exception as error:  # Arrow's and Python's; there is no list of them
                raise _damaged(path, error) from error
            check_size(str(path), sum(sizes))
            self._columns[path] = self._choose_columns(path, schema), facts.num_rows
            self._count += facts.num_rows

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[str, bytes, int | None]]:
        """Iterate over (FILE[ROW], encoded image, label) of each row; None where it has none."""
        for path, (columns, count) in self._columns.items():
            row = 0
            try:
                with pq.ParquetFile(path) as file:
                    for batch in file.iter_batches(ROWS, columns=columns):
                        images, *labels = (batch.column(name).to_pylist() for name in columns)
                        labels = labels or [[None] * len(images)]
                        if row + len(images) > count:
                            raise ValueError(f"it has more rows than the {count:,} that it states")
                        for image, label in zip(images, *labels, strict=True):
                            content = image["bytes"] if isinstance(image, dict) else image
                            yield f"{path}[{row}]", content or b"", label
                            row += 1
                if row != count:
                    raise ValueError(f"it has {row:,} rows and states {count:,}")
            except Exception as error:  # Arrow's and Python's; there is no list of them
                raise _damaged(path, error) from error

    def _choose_columns(self, path: Path, schema: pa.Schema) -> list[str]:
        """Return the names of the column of images and, where they are read, of labels."""
        types = {field.name: field.type for field in schema}
        present = ", ".join(f"{name}: {kind}" for name, kind in types.items()) or "no column"
        names = [name for name, kind in types.items() if _holds_bytes(kind)]
        if len(names) > 1:
            names = [name for name in names if name in USUAL_NAMES] or names
        if len(names) != 1:
            problem = f"columns {', '.join(names)} may all hold" if names else "no column holds"
            raise UserError(
                f"{path}: {problem} images (it has {present})",
                fix="give files with one column of encoded images, as bytes or {bytes, path}",
            )
        label = self._label_column
        if label is None:
            return names
        if label not in types or not pa.types.is_integer(types[label]):
            raise UserError(
                f"{path}: no column {label!r} holds class indices (it has {present})",
                fix="write labels as whole numbers from 0, or set dataset.source.label_column",
            )
        return [*names, label]


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind) and (index := kind.get_field_index("bytes")) >= 0:
        kind = kind.field(index).type
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _damaged(path: Path, error: Exception) -> UserError:
    reason = " ".join(str(error).split())  # Thrift's message has several lines
    return UserError(
        f"{path} is damaged or no Parquet file ({reason})", fix="write it again, or copy it again"
    )
