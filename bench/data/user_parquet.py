"""Read a user's encoded images from Parquet files with one column of images, of any name.

The column holds bytes, or a struct {bytes, path} as the Hugging Face hub's image data sets do
(https://huggingface.co/docs/hub/datasets-image).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.core.errors import UserError

ROWS = 256
FIX = "write it again, or copy it again"


class Shards:
    """The rows of Parquet files, in order.

    Args:
        folder: folder that the names of the images are relative to.

    Raises:
        UserError: pyarrow is absent, a file is damaged, or has no single column of images.
    """

    def __init__(self, paths: Sequence[Path], folder: Path) -> None:
        self._arrow = _import_pyarrow()
        self._folder = folder
        self._columns = [(path, *self._find_image_column(path)) for path in paths]
        self._count = sum(count for *_, count in self._columns)

    def __len__(self) -> int:
        return self._count

    def rows(self) -> Iterator[tuple[str, bytes]]:
        """Iterate over (FILE[ROW], encoded image) of each row."""
        for path, column, _ in self._columns:
            name = path.relative_to(self._folder).as_posix()
            try:
                with self._arrow.parquet.ParquetFile(path) as file:
                    rows = file.iter_batches(ROWS, columns=[column])
                    contents = (row for batch in rows for row in batch.column(0).to_pylist())
                    for index, content in enumerate(contents):
                        content = content["bytes"] if isinstance(content, dict) else content
                        yield f"{name}[{index}]", content or b""
            except (self._arrow.ArrowException, OSError) as error:
                raise _damaged(path, error) from error

    def _find_image_column(self, path: Path) -> tuple[str, int]:
        """Return the name of the column of images and the number of rows."""
        try:
            with self._arrow.parquet.ParquetFile(path) as file:
                schema, count = file.schema_arrow, file.metadata.num_rows
        except (self._arrow.ArrowException, OSError) as error:
            raise _damaged(path, error) from error
        names = [field.name for field in schema if self._holds_bytes(field.type)]
        if len(names) != 1:
            problem = f"columns {', '.join(names)} may all hold" if names else "no column holds"
            raise UserError(
                f"{path}: {problem} images (it has {', '.join(schema.names) or 'no column'})",
                fix="give files with one column of encoded images, as bytes or {bytes, path}",
            )
        return names[0], count

    def _holds_bytes(self, column_type: Any) -> bool:
        types = self._arrow.types
        if types.is_struct(column_type):
            index = column_type.get_field_index("bytes")
            return index >= 0 and self._holds_bytes(column_type.field(index).type)
        return types.is_binary(column_type) or types.is_large_binary(column_type)


def _damaged(path: Path, error: Exception) -> UserError:
    reason = " ".join(str(error).split())  # Thrift's message has several lines
    return UserError(f"{path} is damaged or no Parquet file ({reason})", fix=FIX)


def _import_pyarrow() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise UserError(
            f"Parquet files need pyarrow, which cannot be imported: {error}",
            fix="pip install pyarrow",
        ) from error
    return pyarrow
