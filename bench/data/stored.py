"""Base class of data sets that are read from files the user has, prepared or raw.

To add one: write a subclass of `StoredDataset` that knows its raw files (`describe_raw_files`,
`find`, `read`, and `fetch` with `downloadable = True` where the data may be downloaded), and
`conf/dataset/NAME.yaml`, whose `source` names the class and its arguments: shape, counts, checksums
and licence stand there, with their source. A data set of a known format needs the yaml alone:
`idx.Idx`, `parquet.Parquet`, `images.Images`. Sources without files, like `points.Points`, need no
base class, only what `bench.data` lists.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from bench.core.errors import UserError
from bench.data import prepared
from bench.data.split import Split, check_shape


class StoredDataset(ABC):
    """A data set whose raw files lie in ROOT/NAME or ROOT; a prepared file is read instead of them.

    Reading never writes, so that `root` may be read-only; `prepare` converts once.

    Args:
        name: name of the data set.
        root: folder of prepared and raw files, relative to the working directory.
        shape: shape of one sample, [C, H, W].
        licence, origin: licence and source of the data, written into the prepared file.
    """

    downloadable = False

    def __init__(
        self, name: str, root: str | None, shape: Sequence[int], licence: str, origin: str
    ) -> None:
        self.name, self.shape, self.licence, self.origin = name, tuple(shape), licence, origin
        self._root = root

    @property
    def root(self) -> Path:
        """The folder of prepared and raw files.

        Raises:
            UserError: the config names none.
        """
        if self._root is None:
            raise UserError(f"dataset {self.name!r}: no folder given", fix="set dataset.root=DIR")
        return Path(self._root)

    @property
    def folders(self) -> tuple[Path, Path]:
        """The folders that may hold raw files; downloads go to the first."""
        return self.root / self.name, self.root

    def prepared_path(self) -> Path:
        """Return the path of the prepared file."""
        return prepared.prepared_path(self.root, self.name)

    @abstractmethod
    def describe_raw_files(self) -> str:
        """Return the names of the raw files in words, for an error message."""

    @abstractmethod
    def find(self) -> Path | None:
        """Return the folder that holds the raw files, or None."""

    @abstractmethod
    def read(self, folder: Path) -> dict[str, Split]:
        """Read and check the raw files."""

    def suggest_fix(self) -> str:
        """Return what a user can do who has none of the files."""
        if self.downloadable:
            return f"run `bench prepare {self.name}`, or set dataset.root=DIR"
        return f"get them from {self.origin} and place them in DIR, then set dataset.root=DIR"

    def fetch(self) -> None:
        """Download the missing files.

        Raises:
            UserError: it failed; always in this class: only the owners may distribute the data.
        """
        raise self._missing_error()

    def splits(self) -> dict[str, Split]:
        """Read the prepared file, or else the raw files.

        Raises:
            UserError: there is none of them, or it is damaged or of another shape.
        """
        path = self.prepared_path()
        folder = None if path.is_file() else self.find()
        if path.is_file():
            splits = prepared.load(path, self.name)
        elif folder is not None:
            splits = self.read(folder)
        else:
            raise self._missing_error()
        check_shape(self.name, splits, self.shape)
        return splits

    def prepare(self) -> None:
        """Download missing files, check them and write the prepared file; check one that exists.

        Raises:
            UserError: one of these failed. Downloaded files stay for the next attempt.
        """
        path = self.prepared_path()
        if path.is_file():
            self.splits()
            return
        if self.find() is None:
            self.fetch()
        folder = self.find()
        if folder is None:
            raise self._missing_error()
        splits = self.read(folder)
        check_shape(self.name, splits, self.shape)
        prepared.save(path, splits, name=self.name, licence=self.licence, source=self.origin)

    def _missing_error(self) -> UserError:
        raw, fix = self.describe_raw_files(), self.suggest_fix()
        return prepared.missing_dataset(self.root, self.name, raw, fix)
