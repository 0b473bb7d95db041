"""Encoded images that somebody gives in Parquet files, in one column, whatever its name.

The column holds bytes, or a struct {bytes, path} as the Hugging Face hub's image data sets do
(https://huggingface.co/docs/hub/datasets-image).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.core.errors import UserError

ROWS = 256
FIX = "make it again, or get it again"


class Shards:
    """The rows of Parquet files, in order.

    Args:
        paths: the files.
        folder: in which they are named.

    Raises:
        UserError: pyarrow is absent, a file is damaged, or it has not one column of images.
    """

    def __init__(self, paths: Sequence[Path], folder: Path) -> None:
        self._arrow = _pyarrow()
        self._folder = folder
        self._columns = [(path, *self._column(path)) for path in paths]
        self._count = sum(count for *_, count in self._columns)

    def __len__(self) -> int:
        return self._count

    def rows(self) -> Iterator[tuple[str, bytes]]:
        """(FILE[ROW], encoded image) of each row."""
        for path, column, _ in self._columns:
            name = path.relative_to(self._folder).as_posix()
            try:
                with self._arrow.parquet.ParquetFile(path) as file:
                    rows = file.iter_batches(ROWS, columns=[column])
                    contents = (row for batch in rows for row in batch.column(0).to_pylist())
                    for place, content in enumerate(contents):
                        content = content["bytes"] if isinstance(content, dict) else content
                        yield f"{name}[{place}]", content or b""
            except (self._arrow.ArrowException, OSError) as error:
                raise _damaged(path, error) from error

    def _column(self, path: Path) -> tuple[str, int]:
        """Name of the column of images and number of rows."""
        try:
            with self._arrow.parquet.ParquetFile(path) as file:
                schema, count = file.schema_arrow, file.metadata.num_rows
        except (self._arrow.ArrowException, OSError) as error:
            raise _damaged(path, error) from error
        names = [field.name for field in schema if self._holds_bytes(field.type)]
        if len(names) != 1:
            what = f"columns {', '.join(names)} may all be" if names else "no column is one"
            raise UserError(
                f"{path}: {what} of images (it has {', '.join(schema.names) or 'none'})",
                fix="give files with one column of encoded images, as bytes or {bytes, path}",
            )
        return names[0], count

    def _holds_bytes(self, kind: Any) -> bool:
        types = self._arrow.types
        if types.is_struct(kind):
            place = kind.get_field_index("bytes")
            return place >= 0 and self._holds_bytes(kind.field(place).type)
        return types.is_binary(kind) or types.is_large_binary(kind)


def _damaged(path: Path, error: Exception) -> UserError:
    reason = " ".join(str(error).split())  # Thrift's has several lines
    return UserError(f"{path} is damaged or no Parquet file ({reason})", fix=FIX)


def _pyarrow() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise UserError(
            f"Parquet files need pyarrow, which cannot be imported: {error}",
            fix="pip install pyarrow",
        ) from error
    return pyarrow
